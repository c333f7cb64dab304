/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one line on a terminal that shows how a job gets on; nothing when standard error is none. */

#include <stdbool.h>
#include <stdint.h>

typedef struct Progress {
        const char *label; /* belongs to the caller of progress_start() */
        char state[32];
        uint64_t start; /* of the waiting, then of the job itself; usec of CLOCK_MONOTONIC */
        uint64_t usual; /* how long such a job takes from its start, in usec; 0: not known */
        bool begun;     /* the job has started */
        bool terminal;
} Progress;

void progress_start(Progress *progress, const char *label);
bool progress_is_shown(const Progress *progress);
void progress_set_state(Progress *progress, const char *state);

/* The job has started; usual as in Progress. It can be told again. */
void progress_begin(Progress *progress, uint64_t usual);

/* away: lfad has left the bus. */
void progress_show(const Progress *progress, bool away);

/* Wipes the line. */
void progress_end(const Progress *progress);
