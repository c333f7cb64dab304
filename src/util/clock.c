/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's clocks in microseconds. */

#include "util/clock.h"
#include "util/macros.h"

#include <time.h>

static uint64_t read_clock(clockid_t id) {
        struct timespec ts;

        clock_gettime(id, &ts); /* cannot fail for these clocks */
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / NSEC_PER_USEC;
}

static uint64_t system_realtime(void *userdata) {
        return read_clock(CLOCK_REALTIME);
}

static uint64_t system_monotonic(void *userdata) {
        return read_clock(CLOCK_MONOTONIC);
}

const Clock system_clock = { .realtime_usec = system_realtime, .monotonic_usec = system_monotonic };
