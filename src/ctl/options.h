/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line: every option lfactl has, and which verb takes it. */

#include "ctl/json-output.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINES_DEFAULT 20
#define LINES_ALL 0
#define ITERATIONS_DEFAULT 5
#define ITERATIONS_MAX 1000
#define INHIBIT_IMAGES_MAX 64 /* as lfad has it */
#define OVERRIDES_MAX 32

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
        const char *request_id;
        bool pending; /* activate: all that is pending */
        bool dry_run;
        bool when_allowed, unattended;
        const char *deadline;                 /* of when_allowed, policy-time.h; NULL: lfad's default */
        const char *overrides[OVERRIDES_MAX]; /* all --override=, each with names of gates */
        unsigned n_overrides;
        const char *at; /* policy-time.h; NULL: now */
        bool authorize;
        bool block;
        unsigned lines; /* LINES_ALL: no limit */
        bool lines_given;
        bool long_view;
        const char *image, *type;               /* history; NULL: any */
        uint32_t job;                           /* 0: any */
        uint64_t since, until;                  /* usec of CLOCK_REALTIME; 0: no bound */
        const char *until_text;                 /* as it was given, for plan and hold */
        const char *root;                       /* NULL: / */
        unsigned iterations;                    /* calendar */
        const char *base_time;                  /* NULL: now */
        const char *why, *who, *mode;           /* inhibit; NULL: not given, but mode */
        const char *images[INHIBIT_IMAGES_MAX]; /* all --image=, of which image is the last */
        unsigned n_images;
        bool list;
} Options;

/* One option, for parsing and for the help. */
typedef struct OptionRow {
        const char *name;
        const char *value; /* NULL: takes none; in brackets with its "=": it can be left out */
        const char *verbs; /* those that take it, with blanks between; NULL: every verb */
        const char *help;
} OptionRow;

/* NULL-named at the end. */
extern const OptionRow option_rows[];

/* Whether it is an option of this very verb, and not of every one. */
bool option_belongs_to(const OptionRow *row, const char *verb);

/* Why a command line was not understood. The caller frees both with g_free. */
typedef struct UsageError {
        char *message;
        char *hint;
} UsageError;

/* Reads argv; verb and arguments come to stand from *ret_first on. Returns 0, or -EINVAL with *ret_error
 * filled; ret_options holds what was understood until then. */
int options_parse(int argc, char **argv, Options *ret_options, int *ret_first, UsageError *ret_error);
