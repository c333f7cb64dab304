/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the command line with getopt_long, and saying what is wrong with it. */

#include "ctl/options.h"

#include "ctl/slips.h"
#include "util/nearest.h"

#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <string.h>

#define ROWS_MAX 64 /* a mask of those that were given */
/* getopt_long's values for long options, past every character. */
#define OPTION_BASE 256

/* "pretty, short or off" */
static char *list_words(const char *words) {
        g_auto(GStrv) list = g_strsplit(words, " ", -1);
        unsigned count = g_strv_length(list);
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < count; i++)
                g_string_append_printf(text, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " or ", list[i]);
        return g_string_free(text, FALSE);
}

static void explain_bad_value(const OptionRow *row, const char *value, UsageError *ret_error) {
        g_autofree char *words = row->words ? list_words(row->words) : NULL;

        ret_error->message = g_strdup_printf("--%s=%s makes no sense.", row->name, value ? value : "");
        ret_error->hint = g_strdup_printf("It takes %s.", words ? words : row->takes);
}

bool option_belongs_to(const OptionRow *row, const char *verb) {
        g_auto(GStrv) verbs = g_strsplit(row->verbs ? row->verbs : "", " ", -1);

        return g_strv_contains((const char *const *) verbs, verb);
}

const OptionRow *option_find(const char *name) {
        for (const OptionRow *row = option_rows; row->name; row++)
                if (strcmp(row->name, name) == 0)
                        return row;
        return NULL;
}

/* For what getopt_long answered with '?': a value too many, or no such option. */
static void explain_unknown(const char *argument, bool inhibits, UsageError *ret_error) {
        const char *names[ROWS_MAX + 1] = { NULL };
        g_autofree char *name = g_strndup(argument, strcspn(argument, "="));
        const char *bare = name + strspn(name, "-"), *nearest;

        if (option_find(bare)) {
                ret_error->message = g_strdup_printf("--%s takes no value.", bare);
                ret_error->hint = g_strdup_printf("Write --%s alone.", bare);
                return;
        }
        for (size_t i = 0; option_rows[i].name; i++)
                names[i] = option_rows[i].name;
        nearest = nearest_word(bare, names);
        inhibits = inhibits && !nearest;
        ret_error->message = g_strdup_printf("There is no option '%s'.", name);
        ret_error->hint =
                        inhibits ? g_strdup("Write the command and its options behind two dashes: -- COMMAND.")
                                 : slip_option_hint(name);
        if (ret_error->hint)
                return;
        ret_error->hint = nearest ? g_strdup_printf("Did you mean --%s?", nearest)
                                  : g_strdup("'lfactl --help' lists the options.");
}

static void explain_missing_value(const OptionRow *row, UsageError *ret_error) {
        ret_error->message = g_strdup_printf("--%s needs a value.", row->name);
        ret_error->hint = g_strdup_printf("Write --%s=%s.", row->name, row->value);
}

/* Each option must be one that the verb takes; the verb itself is checked elsewhere. */
static int check_verb(const char *verb, uint64_t given, UsageError *ret_error) {
        for (size_t i = 0; option_rows[i].name; i++) {
                const OptionRow *row = &option_rows[i];

                if (!(given & UINT64_C(1) << i) || !row->verbs || (verb && option_belongs_to(row, verb)))
                        continue;
                ret_error->message = verb ? g_strdup_printf("'%s' does not take --%s.", verb, row->name)
                                          : g_strdup_printf("--%s needs a verb.", row->name);
                ret_error->hint = g_strdup_printf("It belongs to 'lfactl %.*s'.",
                                                  (int) strcspn(row->verbs, " "), row->verbs);
                return -EINVAL;
        }
        return 0;
}

static int check_encoding(int argc, char **argv, UsageError *ret_error) {
        bool runs_command = false;

        for (int i = 1; i < argc; i++) {
                /* what is behind goes to no bus, and names of files may be anything */
                if (runs_command && strcmp(argv[i], "--") == 0)
                        break;
                runs_command |= strcmp(argv[i], "inhibit") == 0;
                if (!g_utf8_validate(argv[i], -1, NULL)) {
                        ret_error->message = g_strdup_printf("'%s' is not valid UTF-8.", argv[i]);
                        return -EINVAL;
                }
        }
        return 0;
}

/* What getopt_long stumbled over. Within "-xyz" optind does not point behind it yet, but optopt tells. */
static char *unknown_option(char **argv) {
        if (optopt > 0 && optopt < OPTION_BASE)
                return g_strdup_printf("-%c", optopt);
        return g_strdup(argv[optind - 1]);
}

static bool names_inhibit(int argc, char **argv) {
        for (int i = 1; i < argc; i++)
                if (strcmp(argv[i], "inhibit") == 0)
                        return true;
        return false;
}

static int argument_of(const OptionRow *row) {
        return !row->value ? no_argument : *row->value == '[' ? optional_argument : required_argument;
}

/* What getopt_long wants to know. letters: ":" and then those of the short forms. */
static void describe_options(struct option *long_options, GString *letters) {
        for (int i = 0; option_rows[i].name; i++) {
                const OptionRow *row = &option_rows[i];

                long_options[i] = (struct option){
                        .name = row->name,
                        .has_arg = argument_of(row),
                        .val = OPTION_BASE + i,
                };
                if (row->letter)
                        g_string_append_printf(letters, "%c%s", row->letter,
                                               argument_of(row) == required_argument ? ":" : "");
        }
}

/* The number of the row that getopt_long's value c, or with ':' optopt, means. */
static size_t row_of(int c) {
        size_t i = 0;

        if (c >= OPTION_BASE)
                return (size_t) c - OPTION_BASE;
        while (option_rows[i].letter != c)
                i++;
        return i;
}

static int parse_all(int argc, char **argv, Options *options, uint64_t *given, UsageError *ret_error) {
        struct option long_options[ROWS_MAX + 1] = { 0 };
        g_autoptr(GString) letters = g_string_new(":");
        int c;

        describe_options(long_options, letters);
        opterr = 0;
        while ((c = getopt_long(argc, argv, letters->str, long_options, NULL)) != -1) {
                size_t i;

                if (c == '?') {
                        g_autofree char *culprit = unknown_option(argv);

                        explain_unknown(culprit, names_inhibit(optind, argv), ret_error);
                        return -EINVAL;
                }
                i = row_of(c == ':' ? optopt : c);
                if (c == ':') {
                        explain_missing_value(&option_rows[i], ret_error);
                        return -EINVAL;
                }
                if (option_rows[i].read(&option_rows[i], optarg, options) < 0) {
                        explain_bad_value(&option_rows[i], optarg, ret_error);
                        return -EINVAL;
                }
                *given |= UINT64_C(1) << i;
        }
        return 0;
}

/* Who asks for JSON gets it also of a command line that is not understood, wherever in it that stands. */
static void look_for_json(int argc, char **argv, Options *options) {
        const OptionRow *row = option_find("json");

        for (int i = 1; row && i < argc && strcmp(argv[i], "--") != 0; i++)
                if (strcmp(argv[i], "--json") == 0)
                        row->read(row, NULL, options);
                else if (g_str_has_prefix(argv[i], "--json="))
                        row->read(row, argv[i] + strlen("--json="), options);
}

int options_parse(int argc, char **argv, Options *ret_options, int *ret_first, UsageError *ret_error) {
        uint64_t given = 0;
        int r;

        *ret_options = (Options){ .legend = true,
                                  .ask_password = true,
                                  .block = true,
                                  .lines = LINES_DEFAULT,
                                  .iterations = ITERATIONS_DEFAULT,
                                  .inhibit_mode = "block" };
        r = check_encoding(argc, argv, ret_error);
        if (r >= 0)
                r = parse_all(argc, argv, ret_options, &given, ret_error);
        if (r < 0) {
                look_for_json(argc, argv, ret_options);
                return r;
        }
        *ret_first = optind;
        if (ret_options->help || ret_options->version)
                return 0;
        return check_verb(optind < argc ? argv[optind] : NULL, given, ret_error);
}
