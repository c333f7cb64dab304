/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a line to a command: splitting, options, looking it up, the reply's frame. */

#include "sim/control.h"

#include "sim/control-command.h"
#include "sim/texts.h"

#include <string.h>

static const Command *const tables[] = { world_commands, fault_commands, report_commands };

static const Command *command_find(const char *name) {
        for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
                for (const Command *command = tables[i]; command->name; command++)
                        if (strcmp(command->name, name) == 0)
                                return command;
        return NULL;
}

char *control_usage(void) {
        GString *text = g_string_new(NULL);

        for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
                for (const Command *command = tables[i]; command->name; command++) {
                        g_string_append_printf(text, "  %s%s%s\n", command->name,
                                               *command->arguments ? " " : "", command->arguments);
                        g_string_append_printf(text, "        %s\n", command->description);
                }
        return g_string_free(text, FALSE);
}

int command_times(const CommandLine *line, uint64_t *ret_times) {
        const char *times = command_option(line, "times");

        if (!times) {
                *ret_times = FOR_EVER;
                return 0;
        }
        return number_parse(times, UINT32_MAX, ret_times);
}

static bool command_knows(const Command *command, const char *option) {
        g_auto(GStrv) known = g_strsplit(command->options, " ", -1);

        return g_strv_contains((const char *const *) known, option);
}

/* Moves "--name=value" out of argv into options; false for an option the command does not know. "--" ends
 * them. */
static bool line_split(const Command *command, char **argv, CommandLine *line) {
        bool only_words = false;

        for (char **word = argv; *word; word++) {
                g_auto(GStrv) pair = NULL;

                if (!only_words && strcmp(*word, "--") == 0) {
                        only_words = true;
                        continue;
                }
                if (only_words || !g_str_has_prefix(*word, "--")) {
                        line->words[line->n_words++] = *word;
                        continue;
                }
                pair = g_strsplit(*word + 2, "=", 2);
                if (!command_knows(command, pair[0]))
                        return false;
                g_hash_table_replace(line->options, g_strdup(pair[0]), g_strdup(pair[1] ? pair[1] : ""));
        }
        return line->n_words - 1 >= command->min_words && line->n_words - 1 <= command->max_words;
}

static CommandResult command_run(Machine *machine, const Command *command, char **argv, GString *reply) {
        g_autoptr(GHashTable) options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_autofree char **words = g_new0(char *, g_strv_length(argv) + 1);
        CommandLine line = { .words = words, .options = options };

        if (!line_split(command, argv, &line))
                return COMMAND_USAGE;
        return command->run(machine, &line, reply);
}

void control_execute(Machine *machine, const char *line, GString *reply) {
        g_auto(GStrv) argv = NULL;
        g_autoptr(GString) text = g_string_new(NULL);
        const Command *command;

        if (!g_shell_parse_argv(line, NULL, &argv, NULL)) {
                g_string_append(reply, "error: usage: the line is empty or its quotes do not match\n\n");
                return;
        }
        command = command_find(argv[0]);
        if (!command) {
                g_string_append(reply, "error: usage: no such command; see lfa-sim --help\n\n");
                return;
        }
        switch (command_run(machine, command, argv, text)) {
        case COMMAND_OK:
                g_string_append_printf(reply, "ok\n%s\n", text->str);
                break;
        case COMMAND_REFUSED:
                g_string_append_printf(reply, "error: %s\n\n", text->str);
                break;
        default:
                g_string_append_printf(reply, "error: usage: %s %s\n\n", command->name, command->arguments);
        }
}
