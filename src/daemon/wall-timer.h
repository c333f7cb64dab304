/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A timer by the clock on the wall, CLOCK_REALTIME: it elapses when that clock says so, however it came to that (time went
 * by, the host woke up from sleep, the clock was set), and tells each time when the clock was set. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

typedef struct WallTimer WallTimer;

/* The time has come, or the clock was set: then whatever was reckoned from it is to be reckoned anew. */
typedef void (*WallTimerElapsed)(bool clock_was_set, void *userdata);

/* Set to never. Returns 0 or a negative errno. */
int wall_timer_new(sd_event *event, WallTimerElapsed elapsed, void *userdata, WallTimer **ret);
void *wall_timer_free(WallTimer *timer);

/* Elapses once at that time, in µs; at once when it has gone by; UINT64_MAX: never, but that the clock was set is told
 * even then. Returns 0 or a negative errno. */
int wall_timer_set(WallTimer *timer, uint64_t usec);
