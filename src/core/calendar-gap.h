/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Days on which an expression does not elapse because clocks are set forward over the time that it names. */

#include "core/calendar.h"

#include <stdbool.h>

typedef struct CalendarGap {
        uint64_t at_usec; /* CLOCK_REALTIME: when clocks are set forward */
        int64_t local; /* the time that is left out: the first one that is named; in s since 1970 as clocks show it */
        int64_t first, end; /* what clocks would show then, and what they show */
} CalendarGap;

/* The first one after that moment, up to and with until (both CLOCK_REALTIME in µs). zone: as for calendar_next. Looks at
 * each day, so that the effort grows with the time that is asked about. Returns false when there is none. */
bool calendar_find_gap(const Calendar *calendar, GTimeZone *zone, uint64_t after_usec, uint64_t until_usec,
                       CalendarGap *ret);

/* "02:30:00 does not come on 2027-03-28: clocks go from 02:00:00 to 03:00:00." The caller frees it. */
char *calendar_gap_describe(const CalendarGap *gap);
