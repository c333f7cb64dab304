/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line: every option lfactl has, and which verb takes it. */

#include "ctl/json-output.h"

#include <stdbool.h>
#include <stddef.h>

#define LINES_DEFAULT 20
#define LINES_ALL 0

/* The strings belong to argv. */
typedef struct Options {
        bool help;
        bool version;
        JsonMode json;
        bool legend;
        bool ask_password;
        const char *expect_current; /* NULL: not asked for; "" means that firmware gives no version */
        const char *expect_pending;
        const char *reason;
        bool block;
        unsigned lines; /* LINES_ALL: no limit */
        bool lines_given;
        bool long_view;
} Options;

/* One option, for parsing and for the help. */
typedef struct OptionRow {
        const char *name;
        const char *value; /* NULL: takes none */
        const char *verb;  /* NULL: every verb takes it */
        const char *help;
} OptionRow;

/* NULL-named at the end. */
extern const OptionRow option_rows[];

/* Why a command line was not understood. The caller frees both with g_free. */
typedef struct UsageError {
        char *message;
        char *hint;
} UsageError;

/* Reads argv; verb and arguments come to stand from *ret_first on. Returns 0, or -EINVAL with *ret_error
 * filled; ret_options holds what was understood until then. */
int options_parse(int argc, char **argv, Options *ret_options, int *ret_first, UsageError *ret_error);
