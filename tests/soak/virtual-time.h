/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The page that a soak shares with lfad and its workers: the time, and what the soak has to know of lfad to let it
 * pass. tests/soak/virtual_time.py has the same layout. */

#include <stdint.h>

typedef struct VirtualTime {
        _Atomic int64_t ahead_usec;    /* of the real clocks: all of them */
        _Atomic int64_t wall_usec;     /* of that: the clock on the wall alone, when somebody set it */
        _Atomic uint32_t moved;        /* a futex: one of the two above is another one */
        _Atomic uint32_t wall_was_set; /* how often */
        _Atomic int64_t next_usec; /* by lfad's CLOCK_MONOTONIC, when its next timer elapses; INT64_MAX: none */
        _Atomic uint32_t sleeps;   /* lfad waits for an event */
        _Atomic int32_t workers;   /* of this lfad that have not been waited for */
        _Atomic uint32_t damaged;  /* workers are started by way of LFAD_SOAK_DAMAGED= */
        _Atomic int32_t bus_slots; /* that lfad holds: bus-slots.c */
} VirtualTime;

#define VIRTUAL_TIME_PAGE "LFAD_SOAK_TIME" /* the environment's name for its path */

/* The page of this process; NULL = it has none. */
VirtualTime *virtual_time_page(void);

/* Lets so much time pass at once, on all clocks or on the one on the wall alone, which was_set says. For the soak,
 * which has the page at another address. */
void virtual_time_move(VirtualTime *page, int64_t usec, int64_t wall_usec, uint32_t was_set);
