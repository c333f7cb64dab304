/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a calendar expression is made of, between its parser and its search. */

#include "core/calendar.h"

#include <stdbool.h>

typedef enum CalendarField {
        CALENDAR_YEAR,
        CALENDAR_MONTH,
        CALENDAR_DAY,
        CALENDAR_HOUR,
        CALENDAR_MINUTE,
        CALENDAR_SECOND, /* in µs */
        _CALENDAR_FIELD_MAX,
        _CALENDAR_FIELD_INVALID = -EINVAL,
} CalendarField;

#define CALENDAR_YEAR_FIRST 1970
#define CALENDAR_YEAR_LAST 2199
#define CALENDAR_EVERY_DAY 0x7fU

/* What a field can hold; in CALENDAR_DAY for the longest month. */
typedef struct CalendarBounds {
        const char *name, *plural; /* "An hour", "hours" */
        int64_t first, last;
} CalendarBounds;

extern const CalendarBounds calendar_bounds[_CALENDAR_FIELD_MAX];

/* start, start + step, ... up to stop. A single value has stop = start. */
typedef struct CalendarRange {
        int64_t start, stop, step;
} CalendarRange;

struct Calendar {
        unsigned weekdays;                   /* bit 0 is Monday */
        bool from_month_end;                 /* days are numbered back from the last one, which is 1 */
        GArray *fields[_CALENDAR_FIELD_MAX]; /* of CalendarRange; empty: any value */
        GTimeZone *zone;                     /* NULL = none given */
};
