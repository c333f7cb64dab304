/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The time, behind a seam: whatever policy depends on it takes a Clock, so that tests can set it. */

#include <stdint.h>

typedef struct Clock {
        uint64_t (*realtime_usec)(void *userdata);  /* CLOCK_REALTIME */
        uint64_t (*monotonic_usec)(void *userdata); /* CLOCK_MONOTONIC */
        void *userdata;
} Clock;

/* The kernel's clocks. */
extern const Clock system_clock;

static inline uint64_t clock_realtime(const Clock *clock) {
        return clock->realtime_usec(clock->userdata);
}

static inline uint64_t clock_monotonic(const Clock *clock) {
        return clock->monotonic_usec(clock->userdata);
}
