/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From the times at which a sampler woke up to the blackouts in between: how late it was, how often and for
 * how long altogether. Pure: the times are µs of any clock that never jumps.
 *
 * The sampler means to wake up every step. What it is late by was a stall of its CPU; up to the floor, which
 * is what it was late by while nothing happened, that is noise. The resolution: a stall is measured up to one
 * step too short, and none of the length of the floor or less is seen. */

#include <stdbool.h>
#include <stdint.h>

typedef struct Blackout {
        bool measured;       /* else all is 0, and nothing is known */
        uint64_t usec;       /* the longest */
        unsigned count;      /* how many */
        uint64_t sum_usec;   /* all together */
        uint64_t floor_usec; /* what was not counted */
} Blackout;

typedef struct BlackoutMeter {
        uint64_t step_usec;
        uint64_t last_usec; /* when the sampler last woke up */
        Blackout result;
} BlackoutMeter;

/* The first time; the floor is the step until more is known. */
void blackout_meter_init(BlackoutMeter *meter, uint64_t step_usec, uint64_t now_usec);

/* The sampler meant to sleep for so long and woke up while nothing happened: the floor is never below what it was late
 * by. */
void blackout_meter_calibrate(BlackoutMeter *meter, uint64_t slept_usec, uint64_t now_usec);

/* The sampler woke up and was not watching: nothing counts that lies before. */
void blackout_meter_skip(BlackoutMeter *meter, uint64_t now_usec);

/* The sampler woke up and what it watches has begun at begin_usec: what lies before that does not count. */
void blackout_meter_take(BlackoutMeter *meter, uint64_t begin_usec, uint64_t now_usec);
