/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Simulated time: CLOCK_MONOTONIC, until somebody lets it pass faster or slower. It never jumps and never
 * goes back. Not locked. */

#include <stdint.h>

typedef struct SimClock {
        double speed;                   /* simulated seconds a real second */
        uint64_t real_start, sim_start; /* the same moment on both clocks, µs */
} SimClock;

/* CLOCK_MONOTONIC, µs. */
uint64_t real_now(void);

void sim_clock_init(SimClock *clock);
/* speed: above 0; from now on. */
void sim_clock_set_speed(SimClock *clock, double speed);
/* Simulated µs. */
uint64_t sim_clock_now(const SimClock *clock);
/* When it will be that late: CLOCK_MONOTONIC, µs. sim must not be before the last change of speed. */
uint64_t sim_clock_real(const SimClock *clock, uint64_t sim);

/* A decimal number from 0.001 to 100000. Returns 0, or -EINVAL with ret_speed untouched. */
int speed_parse(const char *text, double *ret_speed);
