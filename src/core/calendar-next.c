/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a calendar expression elapses next: by years, months and days that it names, then by the time of day. */

#include "core/calendar-internal.h"
#include "core/time-zone.h"
#include "util/macros.h"

#define DAY_SEC ((int64_t) 86400)
#define DAY_USEC (DAY_SEC * (int64_t) USEC_PER_SEC)
#define HOUR_USEC (3600 * (int64_t) USEC_PER_SEC)
#define MINUTE_USEC (60 * (int64_t) USEC_PER_SEC)

/* GDate counts 1 January of the year 1 as day 1. */
#define JULIAN_1970 719163

/* Local time: a day, counted from 1970, and µs in it as the clock shows them. */
typedef struct Local {
        int64_t day;
        int64_t usec;
} Local;

/* The first value of the range that is not below at_least, or -1. */
static int64_t range_next(const CalendarRange *range, int64_t at_least) {
        int64_t missing = at_least - range->start, value = range->start;

        if (missing > 0)
                value += (missing + range->step - 1) / range->step * range->step;
        return value <= range->stop ? value : -1;
}

/* Days that count from the end of the month are turned into days from its beginning. */
static CalendarRange in_month(const Calendar *calendar, const CalendarRange *range, int64_t month_length) {
        if (!calendar->from_month_end)
                return *range;
        return (CalendarRange){
                .start = month_length + 1 - range->stop,
                .stop = month_length + 1 - range->start,
                .step = range->step,
        };
}

/* The first value of the field that is not below at_least, or -1. limit: what it may be at most (the length of the month
 * for its days). */
static int64_t field_next(const Calendar *calendar, CalendarField field, int64_t at_least, int64_t limit) {
        const GArray *ranges = calendar->fields[field];
        int64_t best = -1;

        at_least = MAX(at_least, calendar_bounds[field].first);
        if (ranges->len == 0)
                return at_least <= limit ? at_least : -1;
        for (guint i = 0; i < ranges->len; i++) {
                CalendarRange range = g_array_index(ranges, CalendarRange, i);
                int64_t value;

                if (field == CALENDAR_DAY)
                        range = in_month(calendar, &range, limit);
                value = range_next(&range, at_least);
                if (value >= 0 && value <= limit && (best < 0 || value < best))
                        best = value;
        }
        return best;
}

static int64_t next_value(const Calendar *calendar, CalendarField field, int64_t at_least) {
        return field_next(calendar, field, at_least, calendar_bounds[field].last);
}

static int64_t day_number(int64_t year, int64_t month, int64_t day) {
        GDate date;

        g_date_clear(&date, 1);
        g_date_set_dmy(&date, (GDateDay) day, (GDateMonth) month, (GDateYear) year);
        return (int64_t) g_date_get_julian(&date) - JULIAN_1970;
}

/* 1970-01-01 was a Thursday; Monday is 0. */
static int weekday(int64_t day) {
        return (int) ((day + 3) % 7);
}

/* The first day of this month that the expression names, not before first; counted from 1970, or -1. */
static int64_t next_day_in_month(const Calendar *calendar, int64_t year, int64_t month, int64_t first) {
        int64_t length = g_date_get_days_in_month((GDateMonth) month, (GDateYear) year);
        int64_t start = day_number(year, month, 1);

        for (int64_t day = field_next(calendar, CALENDAR_DAY, first, length); day > 0;
             day = field_next(calendar, CALENDAR_DAY, day + 1, length))
                if (calendar->weekdays & 1U << weekday(start + day - 1))
                        return start + day - 1;
        return -1;
}

static int64_t next_day_in_year(const Calendar *calendar, int64_t year, int64_t month, int64_t day) {
        int64_t first_month = month;

        for (month = next_value(calendar, CALENDAR_MONTH, month); month > 0;
             month = next_value(calendar, CALENDAR_MONTH, month + 1)) {
                int64_t found = next_day_in_month(calendar, year, month, month == first_month ? day : 1);

                if (found >= 0)
                        return found;
        }
        return -1;
}

/* The first day that the expression names, not before this one; -1 = none up to the last year. */
static int64_t next_day(const Calendar *calendar, int64_t from) {
        int64_t first_year;
        GDate date;

        from = MAX(from, 0);
        g_date_clear(&date, 1);
        g_date_set_julian(&date, (guint32) (from + JULIAN_1970));
        first_year = g_date_get_year(&date);
        for (int64_t year = next_value(calendar, CALENDAR_YEAR, first_year); year > 0;
             year = next_value(calendar, CALENDAR_YEAR, year + 1)) {
                bool first = year == first_year;
                int64_t found = next_day_in_year(calendar, year, first ? g_date_get_month(&date) : 1,
                                                 first ? g_date_get_day(&date) : 1);

                if (found >= 0)
                        return found;
        }
        return -1;
}

/* The first time in this hour that the expression names, not before that many µs in it; in µs, or -1. */
static int64_t next_usec_in_hour(const Calendar *calendar, int64_t from) {
        int64_t minute = next_value(calendar, CALENDAR_MINUTE, from / MINUTE_USEC), second = 0;

        if (minute == from / MINUTE_USEC) {
                second = next_value(calendar, CALENDAR_SECOND, from % MINUTE_USEC);
                if (second >= 0)
                        return minute * MINUTE_USEC + second;
                minute = next_value(calendar, CALENDAR_MINUTE, minute + 1);
        }
        return minute < 0 ? -1 : minute * MINUTE_USEC + next_value(calendar, CALENDAR_SECOND, 0);
}

/* The same in a day. */
static int64_t next_usec_in_day(const Calendar *calendar, int64_t from) {
        int64_t hour = next_value(calendar, CALENDAR_HOUR, from / HOUR_USEC);

        if (hour == from / HOUR_USEC) {
                int64_t usec = next_usec_in_hour(calendar, from % HOUR_USEC);

                if (usec >= 0)
                        return hour * HOUR_USEC + usec;
                hour = next_value(calendar, CALENDAR_HOUR, hour + 1);
        }
        return hour < 0 ? -1 : hour * HOUR_USEC + next_usec_in_hour(calendar, 0);
}

/* The first local time that the expression names, not before this one. Returns false when there is none any more. */
static bool next_local(const Calendar *calendar, Local *local) {
        int64_t day = next_day(calendar, local->day);
        int64_t usec = day < 0 ? -1 : next_usec_in_day(calendar, day == local->day ? local->usec : 0);

        if (day >= 0 && usec < 0) {
                day = next_day(calendar, day + 1);
                usec = next_usec_in_day(calendar, 0);
        }
        if (day < 0)
                return false;
        *local = (Local){ .day = day, .usec = usec };
        return true;
}

/* Local seconds can be below 0 shortly after 1970 began in UTC. */
static Local local_split(int64_t sec, int64_t usec) {
        int64_t day = sec >= 0 ? sec / DAY_SEC : -1;

        return (Local){ .day = day, .usec = (sec - day * DAY_SEC) * (int64_t) USEC_PER_SEC + usec };
}

static int64_t local_sec(const Local *local) {
        return local->day * DAY_SEC + local->usec / (int64_t) USEC_PER_SEC;
}

int64_t calendar_next_local(const Calendar *calendar, int64_t from_local) {
        Local local = local_split(from_local, 0);

        return next_local(calendar, &local) ? local_sec(&local) : INT64_MAX;
}

uint64_t calendar_next(const Calendar *calendar, GTimeZone *zone, uint64_t after_usec) {
        uint64_t usec;
        int64_t sec;
        Local local;

        /* No day of a later year is ever named, and the reckoning below needs room. */
        if (after_usec >= (uint64_t) DAY_USEC * 366 * (CALENDAR_YEAR_LAST + 1 - CALENDAR_YEAR_FIRST))
                return UINT64_MAX;
        if (calendar->zone)
                zone = calendar->zone;
        usec = after_usec + 1;
        sec = (int64_t) (usec / USEC_PER_SEC);
        local = local_split(time_zone_to_local(zone, sec), (int64_t) (usec % USEC_PER_SEC));

        /* Again only where clocks were set forward over the time found, so at most a few times a year. */
        while (next_local(calendar, &local)) {
                uint64_t fraction = (uint64_t) local.usec % USEC_PER_SEC;
                LocalTime moments = time_zone_from_local(zone, local_sec(&local));

                if (moments.exists) {
                        int64_t moment = moments.first >= sec ? moments.first : moments.second;

                        return (uint64_t) moment * USEC_PER_SEC + fraction;
                }
                local = local_split(moments.next_local, 0);
        }
        return UINT64_MAX;
}
