/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl config check and config show: the configuration files as lfad would read them. Needs no lfad. */

#include "core/config-check.h"
#include "core/config-keys.h"
#include "ctl/output-table.h"
#include "ctl/verbs.h"
#include "util/clock.h"
#include "util/nearest.h"

#include <string.h>
#include <systemd/sd-bus-protocol.h>

typedef struct Reading {
        ConfigFiles *files;
        Config *config;
        GPtrArray *problems; /* ConfigProblem */
} Reading;

/* Whoever runs lfactl may read more than lfad. */
static void warn_of_closed_files(Reading *reading) {
        for (unsigned i = 0; i < reading->files->files->len; i++) {
                const ConfigFile *file = reading->files->files->pdata[i];

                if (file->closed)
                        config_add_problem(reading->problems, true, (ConfigOrigin){ file->path, 0 },
                                           "lfad.service may not read it: give it to root, or make it "
                                           "readable for all.");
        }
}

static void reading_load(Reading *reading, const char *root) {
        reading->files = config_files_load(root);
        reading->config = config_read(reading->files, &reading->problems);
        config_check_times(reading->config, clock_realtime(&system_clock), reading->problems);
        warn_of_closed_files(reading);
}

static void reading_release(Reading *reading) {
        config_files_free(reading->files);
        config_free(reading->config);
        g_ptr_array_unref(reading->problems);
}

static ExitCode exit_code_of(const Reading *reading) {
        return config_first_error(reading->problems) ? EXIT_FAILED : EXIT_DONE;
}

static json_object *new_text(const char *text) {
        return json_object_new_string(text);
}

/* The origin's file and line; neither when there is none. */
static void add_origin(json_object *object, const char *file, unsigned line) {
        if (file && *file)
                json_object_object_add(object, "file", new_text(file));
        if (line > 0)
                json_object_object_add(object, "line", json_object_new_int64(line));
}

static void problems_to_document(const Client *client, const Reading *reading) {
        json_object *list = json_object_new_array(), *files = json_object_new_array();

        for (unsigned i = 0; i < reading->problems->len; i++) {
                const ConfigProblem *problem = reading->problems->pdata[i];
                json_object *object = json_object_new_object();

                json_object_object_add(object, "severity", new_text(problem->warning ? "warning" : "error"));
                add_origin(object, problem->file, problem->line);
                json_object_object_add(object, "message", new_text(problem->text));
                json_object_array_add(list, object);
        }
        for (unsigned i = 0; i < reading->files->files->len; i++)
                json_object_array_add(files,
                                      new_text(((ConfigFile *) reading->files->files->pdata[i])->path));
        json_object_object_add(client->document, "problems", list);
        json_object_object_add(client->document, "files", files);
}

/* Puts "error:" where compilers have it, so that editors find the place. */
static char *describe_problem(const ConfigProblem *problem) {
        const char *severity = problem->warning ? "warning" : "error";

        if (problem->line == 0)
                return g_strdup_printf("%s: %s: %s", problem->file, severity, problem->text);
        return g_strdup_printf("%s:%u: %s: %s", problem->file, problem->line, severity, problem->text);
}

static unsigned count(const Reading *reading, bool warnings) {
        unsigned n = 0;

        for (unsigned i = 0; i < reading->problems->len; i++)
                n += ((const ConfigProblem *) reading->problems->pdata[i])->warning == warnings;
        return n;
}

static void print_summary(const Reading *reading) {
        g_autofree char *files = output_count(reading->files->files->len, "file");
        g_autofree char *errors = output_count(count(reading, false), "error");
        g_autofree char *warnings = output_count(count(reading, true), "warning");

        output_note("%s read, %s, %s%s.", files, errors, warnings,
                    reading->problems->len >= CONFIG_PROBLEMS_MAX ? "; there are more than are listed" : "");
}

static ExitCode check(Client *client, const Reading *reading) {
        if (client_json(client)) {
                problems_to_document(client, reading);
                return exit_code_of(reading);
        }
        for (unsigned i = 0; i < reading->problems->len; i++) {
                g_autofree char *text = describe_problem(reading->problems->pdata[i]);

                output_line("%s", text);
        }
        if (client->options->legend)
                print_summary(reading);
        return exit_code_of(reading);
}

static char *name_section(const ConfigSection *section) {
        return g_strdup_printf("%s%s%s", config_section_types[section->id].name, *section->name ? " " : "",
                               section->name);
}

/* Where all of the setting's words come from, each place once; NULL for a default. The caller frees it. */
static char *list_places(const ConfigSetting *setting) {
        g_autoptr(GString) places = g_string_new(NULL);
        const GArray *words = setting->words;

        if (!setting->origin.file)
                return NULL;
        for (unsigned i = 0; words && i < words->len; i++) {
                const ConfigOrigin *origin = &g_array_index(words, ConfigWord, i).origin,
                                   *before = i > 0 ? &g_array_index(words, ConfigWord, i - 1).origin : NULL;

                if (!before || before->line != origin->line || strcmp(before->file, origin->file) != 0)
                        g_string_append_printf(places, "%s%s:%u", i > 0 ? ", " : "", origin->file,
                                               origin->line);
        }
        if (places->len == 0)
                g_string_printf(places, "%s:%u", setting->origin.file, setting->origin.line);
        return g_string_free(g_steal_pointer(&places), FALSE);
}

static json_object *list_origins(const ConfigSetting *setting) {
        json_object *list = json_object_new_array();

        for (unsigned i = 0; setting->words && i < setting->words->len; i++) {
                const ConfigWord *word = &g_array_index(setting->words, ConfigWord, i);
                json_object *object = json_object_new_object();

                json_object_object_add(object, "word", new_text(word->text));
                add_origin(object, word->origin.file, word->origin.line);
                json_object_array_add(list, object);
        }
        return list;
}

static void show_setting(const Client *client, OutputTable *table, const ConfigSection *section,
                         const ConfigSetting *setting) {
        const ConfigOrigin *origin = &setting->origin;
        g_autofree char *header = name_section(section);
        g_autofree char *place = list_places(setting);
        const char *cells[] = { header, setting->key->name, output_or_dash(setting->text),
                                place ? place : "default", NULL };
        json_object *object;

        if (table) {
                output_table_row(table, cells, 0, COLOUR_NONE);
                return;
        }
        object = json_object_new_object();
        json_object_object_add(object, "section", new_text(header));
        json_object_object_add(object, "key", new_text(setting->key->name));
        json_object_object_add(object, "value", new_text(setting->text));
        json_object_object_add(object, "default", json_object_new_boolean(!place));
        add_origin(object, origin->file, origin->line);
        if (setting->words)
                json_object_object_add(object, "words", list_origins(setting));
        json_document_append(client->document, "values", object);
}

/* Keys of an image or a watchdog that nobody set are no defaults worth showing. */
static bool is_worth_showing(const ConfigSection *section, const ConfigSetting *setting) {
        return !config_section_types[section->id].named || setting->origin.file;
}

static void show_all(const Client *client, OutputTable *table, const Reading *reading) {
        const GPtrArray *sections = reading->config->sections;

        for (unsigned i = 0; i < sections->len; i++) {
                const ConfigSection *section = sections->pdata[i];

                for (unsigned j = 0; j < section->n_settings; j++)
                        if (is_worth_showing(section, &section->settings[j]))
                                show_setting(client, table, section, &section->settings[j]);
        }
}

static ExitCode show(Client *client, const Reading *reading) {
        static const OutputColumn columns[] = {
                { "SECTION", 0 }, { "KEY", 0 }, { "VALUE", 16 }, { "FROM", 16 }, { NULL }
        };
        _cleanup_(output_table_freep) OutputTable *table = NULL;

        if (client_json(client)) {
                problems_to_document(client, reading);
                show_all(client, NULL, reading);
                return exit_code_of(reading);
        }
        table = output_table_new(client->options->legend, columns);
        show_all(client, table, reading);
        output_table_print(table);
        for (unsigned i = 0; i < reading->problems->len; i++) {
                g_autofree char *text = describe_problem(reading->problems->pdata[i]);

                output_note("%s", text);
        }
        return exit_code_of(reading);
}

static const struct {
        const char *name;
        ExitCode (*run)(Client *client, const Reading *reading);
} actions[] = { { "check", check }, { "show", show } };

ExitCode verb_config(Client *client, int argc, char **argv) {
        const char *names[G_N_ELEMENTS(actions) + 1] = { NULL };
        g_autofree char *hint = NULL;
        const char *nearest;

        for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
                Reading reading;
                ExitCode code;

                names[i] = actions[i].name;
                if (strcmp(argv[0], actions[i].name) != 0)
                        continue;
                reading_load(&reading, client->options->root);
                code = actions[i].run(client, &reading);
                reading_release(&reading);
                return code;
        }
        nearest = nearest_word(argv[0], names);
        hint = nearest ? g_strdup_printf("Did you mean '%s'?", nearest)
                       : g_strdup("It takes 'check' or 'show'.");
        return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS, hint, "There is no 'config %s'.",
                           argv[0]);
}
