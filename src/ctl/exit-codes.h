/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lfactl's exit code means, and how results and error names become one. */

#include <stdbool.h>

/* The contract with scripts: a number keeps its meaning for ever. */
typedef enum ExitCode {
        EXIT_DONE = 0,           /* done, or nothing to do */
        EXIT_FAILED = 1,         /* it failed, or was cancelled */
        EXIT_USAGE = 2,          /* the command line asks for something that does not exist */
        EXIT_DEFERRED = 3,       /* a gate defers: the same request may pass later */
        EXIT_UNVERIFIED = 4,     /* the driver accepted, and nothing proves which firmware runs */
        EXIT_UNKNOWN = 5,        /* what happened is not known */
        EXIT_NOT_AUTHORISED = 6, /* not authorised */
        EXIT_NO_DRIVER = 7,      /* no driver, or firmware without images */
        EXIT_DENIED = 8,         /* a gate denies: something must change first */
        EXIT_NOT_PRINTED = 9, /* what was to be done is done, but not all of the output could be written */
        _EXIT_CODE_MAX,
} ExitCode;

/* One line for --help; code must be a member of the enum. */
const char *exit_code_text(ExitCode code);

/* Whether that error has a code of its own. */
bool exit_code_knows_error(const char *error_name);

/* For a call that was answered with the D-Bus error error_name; a name that is not known is EXIT_FAILED. */
ExitCode exit_code_from_error(const char *error_name);

/* For a job that ended with this Result and Error; error may be NULL or empty. A result of a newer lfad that
 * is not known here is EXIT_UNKNOWN. */
ExitCode exit_code_from_result(const char *result, const char *error);

/* The worse of two, for several jobs: 1 5 2 6 7 8 4 3 9 0. */
ExitCode exit_code_worse(ExitCode a, ExitCode b);
