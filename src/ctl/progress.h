/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one line on a terminal that shows how a job gets on; nothing when standard error is none. */

#include <stdbool.h>
#include <stdint.h>

typedef struct Progress {
        const char *label; /* belongs to the caller of progress_start() */
        char state[32];
        uint64_t start; /* usec of CLOCK_MONOTONIC */
        bool terminal;
} Progress;

void progress_start(Progress *progress, const char *label);
bool progress_is_shown(const Progress *progress);
void progress_set_state(Progress *progress, const char *state);

/* away: lfad has left the bus. */
void progress_show(const Progress *progress, bool away);

/* Wipes the line. */
void progress_end(const Progress *progress);
