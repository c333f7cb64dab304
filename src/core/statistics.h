/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lfad has done so far, as numbers that only grow: for whoever watches many hosts. Counted from the history's
 * records, each once, and kept in the state, since the history itself is cut off at its old end. */

#include "lfa/enums.h"
#include "util/json.h"

#include <stdbool.h>
#include <stdint.h>

#define STATISTICS_NO_BLACKOUT UINT64_MAX

typedef struct Statistics {
        uint64_t results[_JOB_RESULT_MAX]; /* jobs that ended so; none with RESULT_NONE */
        uint64_t external;                 /* what happened to an image without a job of lfad's */
        uint64_t last_success_usec;        /* CLOCK_REALTIME; 0 = there was none */
        uint64_t last_blackout_usec;       /* the last that was measured, or STATISTICS_NO_BLACKOUT */
} Statistics;

void statistics_init(Statistics *statistics);

/* Takes in a record of the history that was not taken in before. Returns whether anything differs now. */
bool statistics_count(Statistics *statistics, json_object *record);

/* As they are kept, and shown. What there was not stays out. */
json_object *statistics_to_json(const Statistics *statistics);

/* Strict: 0 or -EBADMSG. Results that are not there count 0. */
int statistics_from_json(json_object *object, Statistics *ret);
