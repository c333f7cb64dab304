/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the commands of the control socket share. */

#include "sim/machine.h"

typedef enum CommandResult {
        COMMAND_OK,
        COMMAND_REFUSED, /* the reply text says why */
        COMMAND_USAGE,
} CommandResult;

/* A command line in pieces; options are without their dashes, a flag's value is "". */
typedef struct CommandLine {
        char **words; /* [0] is the command */
        size_t n_words;
        GHashTable *options;
} CommandLine;

typedef CommandResult (*CommandHandler)(Machine *machine, const CommandLine *line, GString *reply);

typedef struct Command {
        const char *name;
        const char *arguments;       /* for the usage text */
        const char *description;     /* the same */
        size_t min_words, max_words; /* without the command itself */
        const char *options;         /* names, separated by blanks */
        CommandHandler run;          /* called without the machine's lock */
} Command;

/* NULL when it was not given. */
static inline const char *command_option(const CommandLine *line, const char *name) {
        return g_hash_table_lookup(line->options, name);
}

/* Reads --times=N: for ever when it was not given. Returns 0 or -EINVAL. */
int command_times(const CommandLine *line, uint64_t *ret_times);

/* The tables: one of what changes firmware and driver, one of faults, one of what is shown. End with a NULL
 * name. */
extern const Command world_commands[];
extern const Command fault_commands[];
extern const Command report_commands[];
