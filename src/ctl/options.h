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
#define TEXTS_MAX 64 /* lfad takes no more images for one inhibitor */

/* What was given of an option that can be given several times. */
typedef struct Texts {
        const char *items[TEXTS_MAX];
        unsigned count;
} Texts;

/* The strings belong to argv. Where nothing else is said, NULL is what was not given. */
typedef struct Options {
        bool help;
        bool version;
        JsonMode json;
        bool legend;
        bool ask_password;
        const char *host, *machine; /* where lfad is asked; neither: on this host */
        const char *expect_current; /* "" means that firmware gives no version */
        const char *expect_pending;
        const char *reason;
        const char *request_id;
        bool pending; /* activate: all that is pending */
        bool dry_run;
        bool when_allowed, unattended;
        const char *deadline; /* of when_allowed, policy-time.h; NULL: lfad's default */
        Texts overrides;      /* each with names of gates */
        const char *at;       /* policy-time.h; NULL: now */
        bool authorize;
        bool block;
        unsigned lines; /* LINES_ALL: no limit */
        bool lines_given;
        bool long_view;
        Texts images;             /* history takes one, inhibit several */
        const char *type;         /* history; NULL: any */
        unsigned job;             /* 0: any */
        const char *since;        /* policy-time.h; NULL: no bound */
        const char *until;        /* the same; for hold and plan a moment to come */
        const char *root;         /* NULL: / */
        unsigned iterations;      /* calendar */
        const char *base_time;    /* NULL: now */
        const char *why, *who;    /* inhibit */
        const char *inhibit_mode; /* never NULL */
        bool list;
        const char *output; /* metrics; NULL: standard output */
} Options;

typedef struct OptionRow OptionRow;

/* Takes what was given for the option of this row; value is NULL where none was. Returns 0, or -EINVAL when it makes no
 * sense. */
typedef int (*OptionRead)(const OptionRow *row, const char *value, Options *options);

/* One option, for parsing, for the help and for the completion. */
struct OptionRow {
        const char *name;
        char letter;       /* a short form; 0: none */
        const char *value; /* NULL: takes none; in brackets with its "=": it can be left out */
        const char *verbs; /* those that take it, with blanks between; NULL: every verb */
        const char *help;
        OptionRead read;
        size_t field;      /* of Options, where read() puts it */
        unsigned max;      /* of a number */
        const char *words; /* all that it takes, with blanks between; NULL: anything that read() takes */
        const char *takes; /* a hint when read() does not take it; not needed with words */
};

/* NULL-named at the end; at most 64. */
extern const OptionRow option_rows[];

/* NULL when there is none of this name. */
const OptionRow *option_find(const char *name);

/* Whether it is an option of this very verb, and not of every one. */
bool option_belongs_to(const OptionRow *row, const char *verb);

/* Why a command line was not understood. The caller frees both with g_free. */
typedef struct UsageError {
        char *message;
        char *hint;
} UsageError;

/* Reads argv; verb and arguments come to stand from *ret_first on. Returns 0, or -EINVAL with *ret_error
 * filled; ret_options holds what was understood until then, and whether JSON is asked for in any case. */
int options_parse(int argc, char **argv, Options *ret_options, int *ret_first, UsageError *ret_error);
