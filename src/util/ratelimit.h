/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* So many in so much time; what is more is dropped and counted. For log lines that somebody else can cause.
 */

#include <stdbool.h>
#include <stdint.h>

typedef struct RateLimit {
        uint64_t interval_usec;
        unsigned burst;

        uint64_t begin_usec; /* of the interval under way */
        unsigned count;
        unsigned suppressed; /* since the last one that passed */
} RateLimit;

/* Whether one more passes now (CLOCK_MONOTONIC in µs). */
static inline bool ratelimit_pass(RateLimit *limit, uint64_t now_usec) {
        if (limit->begin_usec == 0 || now_usec - limit->begin_usec >= limit->interval_usec) {
                limit->begin_usec = now_usec;
                limit->count = 0;
        }
        if (limit->count >= limit->burst) {
                limit->suppressed++;
                return false;
        }
        limit->count++;
        return true;
}
