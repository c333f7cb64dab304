/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Simulated time as a straight line over the real one. */

#include "sim/sim-clock.h"

#include "util/macros.h"

#include <ctype.h>
#include <glib.h>
#include <math.h>
#include <time.h>

#define SPEED_MIN 0.001
#define SPEED_MAX 100000.0

uint64_t real_now(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / NSEC_PER_USEC;
}

void sim_clock_init(SimClock *clock) {
        uint64_t now = real_now();

        *clock = (SimClock){ .speed = 1, .real_start = now, .sim_start = now };
}

void sim_clock_set_speed(SimClock *clock, double speed) {
        uint64_t now = real_now();

        clock->sim_start += (uint64_t) ((double) (now - clock->real_start) * clock->speed);
        clock->real_start = now;
        clock->speed = speed;
}

uint64_t sim_clock_now(const SimClock *clock) {
        return clock->sim_start + (uint64_t) ((double) (real_now() - clock->real_start) * clock->speed);
}

/* Rounded up: whoever waits until then finds that it is time. */
uint64_t sim_clock_real(const SimClock *clock, uint64_t sim) {
        double span = sim > clock->sim_start ? (double) (sim - clock->sim_start) / clock->speed : 0;

        return clock->real_start + (uint64_t) ceil(span);
}

int speed_parse(const char *text, double *ret_speed) {
        char *end;
        double speed;

        if (!isdigit((unsigned char) *text))
                return -EINVAL;
        speed = g_ascii_strtod(text, &end);
        if (*end || !(speed >= SPEED_MIN && speed <= SPEED_MAX))
                return -EINVAL;
        *ret_speed = speed;
        return 0;
}
