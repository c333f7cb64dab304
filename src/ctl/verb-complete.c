/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl complete: what may stand at the end of a command line, for the completion of shells (completion/). Not in the
 * help: it is no interface for people. Its arguments are the words behind "lfactl", of which the last is completed. It prints
 * a line each: the word, a tab, what it is. A line alone that begins with a colon says what the shell completes by itself:
 * ":directory", ":host", or ":command N", where N is how many of the words stand before a command. Never an error, and
 * nothing is started for it. */

#include "core/gates.h"
#include "ctl/bus-value.h"
#include "ctl/managed-objects.h"
#include "ctl/output.h"
#include "ctl/verbs.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A bus that does not answer must not stop anybody's typing. */
#define PATIENCE_SEC 2

typedef struct Line {
        Client *client;
        const char *word; /* to be completed */
        const char *prefix; /* what stands before the part of it that varies, as "--json="; the caller frees it */
        const Verb *verb;        /* NULL: none is there yet */
        unsigned arguments;      /* of the verb */
        int first_argument;      /* number of its word */
        const OptionRow *option; /* whose value the word is, NULL: of none */
        bool only_arguments;     /* "--" was there */
        bool elsewhere;          /* --host or --machine: nobody there is asked for so little */
        char **words;
        int n_words; /* without the last one */
} Line;

static void offer(const Line *line, const char *text, const char *what) {
        g_autofree char *whole = g_strconcat(line->prefix, text, NULL);

        if (g_str_has_prefix(whole, line->word))
                output_pair(whole, what);
}

static void offer_words(const Line *line, const char *words) {
        g_auto(GStrv) list = g_strsplit_set(words, " |", -1);

        for (char **word = list; *word; word++)
                offer(line, *word, "");
}

static void on_alarm(int number) {
        _exit(EXIT_SUCCESS);
}

/* Returns NULL when lfad does not run, or does not answer. */
static Inventory *ask_lfad(Client *client) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Inventory *inventory;

        signal(SIGALRM, on_alarm);
        alarm(PATIENCE_SEC);
        client->passive = true;
        if (sd_bus_open_system(&client->bus) < 0 || inventory_query(client, &error, &inventory) < 0)
                return NULL;
        return inventory;
}

static bool is_named(const Line *line, const char *label) {
        for (int i = line->first_argument; line->arguments > 0 && i < line->n_words; i++)
                if (strcmp(line->words[i], label) == 0)
                        return true;
        return false;
}

static void offer_image(const Line *line, const Image *image) {
        g_autofree char *what =
                        image->pending ? g_strdup_printf("%s, %s %s %s %s", image->name, image->state,
                                                         output_or_dash(image->current_version),
                                                         output_arrow(),
                                                         output_or_dash(image->pending_version))
                                       : g_strdup_printf("%s, %s %s", image->name, image->state,
                                                         output_or_dash(image->current_version));

        if (!line->option && (is_named(line, image->label) || is_named(line, image->guid)))
                return;
        offer(line, image->label, what);
        /* who begins a GUID wants one */
        if (strlen(line->word) > strlen(line->prefix) && strcmp(image->label, image->guid) != 0)
                offer(line, image->guid, what);
}

static void offer_from_bus(const Line *line, bool images, bool jobs) {
        _cleanup_(inventory_freep) Inventory *inventory = line->elsewhere ? NULL : ask_lfad(line->client);

        for (guint i = 0; inventory && images && i < inventory->images->len; i++)
                offer_image(line, inventory->images->pdata[i]);
        for (guint i = 0; inventory && jobs && i < inventory->jobs->len; i++) {
                const Job *job = inventory->jobs->pdata[i];
                g_autofree char *id = g_strdup_printf("%u", job->id);
                g_autofree char *what =
                                g_strdup_printf("%s, %s", inventory_label(inventory, job->guid), job->state);

                if (strcmp(job->state, "done") != 0)
                        offer(line, id, what);
        }
}

/* Several with commas between: the last one is completed. */
static void offer_gates(const Line *line) {
        const char *comma = strrchr(line->word, ',');
        g_autofree char *before = comma ? g_strndup(line->word, (size_t) (comma + 1 - line->word)) : NULL;
        Line last = *line;

        if (before)
                last.prefix = before;
        for (int gate = 0; gate < _GATE_MAX; gate++)
                if (gate_is_overridable((GateId) gate))
                        offer(&last, gate_to_string((GateId) gate), "");
}

static void offer_values(const Line *line) {
        const OptionRow *option = line->option;

        if (option->words)
                offer_words(line, option->words);
        else if (strcmp(option->value, "IMAGE") == 0)
                offer_from_bus(line, true, false);
        else if (strcmp(option->value, "GATES") == 0)
                offer_gates(line);
        else if (strcmp(option->value, "DIR") == 0)
                puts(":directory");
        else if (strcmp(option->name, "host") == 0)
                puts(":host");
}

static bool fits(const OptionRow *row, const Verb *verb) {
        return !row->verbs || (verb && option_belongs_to(row, verb->name));
}

static void offer_options(const Line *line) {
        for (const OptionRow *row = option_rows; row->name; row++) {
                g_autofree char *bare = g_strconcat("--", row->name, NULL);
                g_autofree char *with_value = g_strconcat(bare, "=", NULL);

                if (!fits(row, line->verb))
                        continue;
                if (!row->value || *row->value == '[')
                        offer(line, bare, row->help);
                if (row->value)
                        offer(line, with_value, row->help);
        }
}

static void offer_verbs(const Line *line) {
        for (const Verb *verb = verb_rows; verb->name; verb++)
                if (verb->summary)
                        offer(line, verb->name, verb->summary);
}

static void offer_arguments(const Line *line) {
        const Verb *verb = line->verb;

        if (strstr(verb->arguments, "COMMAND")) {
                printf(":command %d\n", line->arguments > 0 ? line->first_argument : line->n_words);
                return;
        }
        if (verb->max_arguments != VERB_ANY_NUMBER && line->arguments >= (unsigned) verb->max_arguments)
                return;
        if (strstr(verb->arguments, "VERB"))
                offer_verbs(line);
        else if (g_ascii_islower(*verb->arguments))
                offer_words(line, verb->arguments);
        else
                offer_from_bus(line, strstr(verb->arguments, "IMAGE"), strstr(verb->arguments, "JOB"));
}

/* The option that a word begins, whatever its value; NULL: it is none. */
static const OptionRow *find_option(const char *word) {
        g_autofree char *name = g_strndup(word, strcspn(word, "="));

        if (word[0] != '-' || !word[1])
                return NULL;
        for (const OptionRow *row = option_rows; row->name; row++)
                if (g_str_has_prefix(name, "--") ? strcmp(row->name, name + 2) == 0 : row->letter == name[1])
                        return row;
        return NULL;
}

/* The value of an option that must have one may be the next word. */
static bool wants_next_word(const OptionRow *option, const char *word) {
        if (!option || !option->value || *option->value == '[')
                return false;
        return g_str_has_prefix(word, "--") ? !strchr(word, '=') : !word[2];
}

static void read_word(Line *line, int number) {
        const char *word = line->words[number];

        if (line->option) { /* the one before wants it */
                line->option = NULL;
                return;
        }
        if (!line->only_arguments && word[0] == '-') {
                const OptionRow *option = find_option(word);

                line->only_arguments = strcmp(word, "--") == 0;
                line->elsewhere |= option && (option->letter == 'H' || option->letter == 'M');
                line->option = wants_next_word(option, word) ? option : NULL;
                return;
        }
        if (!line->verb) {
                line->verb = verb_find(word);
                return;
        }
        if (line->arguments++ == 0)
                line->first_argument = number;
}

/* "--json=pr" completes a value, too. Returns what stands before that, or NULL; the caller frees it. */
static char *split_value(Line *line) {
        const char *equals = strchr(line->word, '=');

        if (line->option || line->only_arguments || line->word[0] != '-' || !equals)
                return NULL;
        line->option = find_option(line->word);
        return g_strndup(line->word, (size_t) (equals + 1 - line->word));
}

ExitCode verb_complete(Client *client, int argc, char **argv) {
        Line line = { .client = client, .word = argv[argc - 1], .words = argv, .n_words = argc - 1 };
        g_autofree char *prefix = NULL;

        g_clear_pointer(&client->document, json_object_put);
        for (int i = 0; i < line.n_words; i++)
                read_word(&line, i);
        prefix = split_value(&line);
        line.prefix = prefix ? prefix : "";
        if (line.option && line.option->value)
                offer_values(&line);
        else if (prefix)
                return EXIT_DONE;
        else if (line.word[0] == '-' && !line.only_arguments)
                offer_options(&line);
        else if (!line.verb)
                offer_verbs(&line);
        else
                offer_arguments(&line);
        return EXIT_DONE;
}
