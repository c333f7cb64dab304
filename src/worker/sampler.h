/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A thread that measures for how long the CPUs stood still during a write: it sleeps in short steps and finds
 * by CLOCK_MONOTONIC_RAW how late it wakes up (core/blackout.h). At real-time priority where RLIMIT_RTPRIO
 * allows it, with its memory locked where RLIMIT_MEMLOCK does; that it sleeps keeps it from taking a CPU away
 * from others. It inherits the blocked signals of its creator. The writing thread never is real-time.
 *
 * A stall of one CPU alone is seen only when it is the one that the sampler's timer waits on. */

#include "core/blackout.h"

typedef struct Sampler Sampler;

/* Starts the thread and waits until it has measured its noise floor, which takes less than 1 ms. NULL when there
 * can be none: all others take that, too, and nothing is measured. */
Sampler *sampler_start(void);

/* Right before and right after what is to be measured; at most once each. */
void sampler_begin(Sampler *sampler);
void sampler_end(Sampler *sampler);

/* Ends the thread, frees everything and returns what it measured: nothing unless it was begun and ended. */
Blackout sampler_stop(Sampler *sampler);
