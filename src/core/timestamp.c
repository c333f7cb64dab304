/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and writing timestamps. */

#include "core/timestamp.h"
#include "core/time-zone.h"
#include "util/macros.h"

#include <stdarg.h>
#include <string.h>

#define DAY_SEC ((int64_t) 86400)
#define FORM "YYYY-MM-DD, YYYY-MM-DD HH:MM or YYYY-MM-DD HH:MM:SS, and a time zone behind it if need be"

/* GDate counts 1 January of the year 1 as day 1. */
#define JULIAN_1970 719163

typedef struct Fields {
        int year, month, day, hour, minute, second;
} Fields;

_printf_(2, 3) static int refuse(char **ret_why, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        *ret_why = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        return -EINVAL;
}

/* Exactly so many digits, with this character before them unless it is NUL. */
static bool read_digits(const char **p, char before, int count, int *ret) {
        int value = 0;

        if (before && *(*p)++ != before)
                return false;
        for (; count > 0; count--, (*p)++) {
                if (!g_ascii_isdigit(**p))
                        return false;
                value = value * 10 + **p - '0';
        }
        *ret = value;
        return true;
}

static bool read_fields(const char *p, Fields *ret) {
        if (!read_digits(&p, '\0', 4, &ret->year) || !read_digits(&p, '-', 2, &ret->month) ||
            !read_digits(&p, '-', 2, &ret->day))
                return false;
        if (!*p)
                return true;
        if (!read_digits(&p, ' ', 2, &ret->hour) || !read_digits(&p, ':', 2, &ret->minute))
                return false;
        return !*p || (read_digits(&p, ':', 2, &ret->second) && !*p);
}

/* Returns a sentence when they are no date and time, else NULL. */
static const char *check_fields(const Fields *fields) {
        if (fields->year < 1970 || fields->year > TIMESTAMP_YEAR_LAST)
                return "Years can be 1970 to 2199.";
        if (!g_date_valid_dmy((GDateDay) fields->day, (GDateMonth) fields->month, (GDateYear) fields->year))
                return "There is no such day.";
        if (fields->hour > 23 || fields->minute > 59 || fields->second > 59)
                return "Times are 00:00:00 to 23:59:59.";
        return NULL;
}

static int64_t local_seconds(const Fields *fields) {
        GDate date;

        g_date_clear(&date, 1);
        g_date_set_dmy(&date, (GDateDay) fields->day, (GDateMonth) fields->month, (GDateYear) fields->year);
        return ((int64_t) g_date_get_julian(&date) - JULIAN_1970) * DAY_SEC + fields->hour * 3600 +
               fields->minute * 60 + fields->second;
}

int timestamp_parse(const char *text, GTimeZone *zone, uint64_t *ret_usec, char **ret_why) {
        g_autofree char *body = g_strdup(text);
        g_autoptr(GTimeZone) own = time_zone_cut(body);
        Fields fields = {};
        LocalTime moments;
        const char *why;

        if (!read_fields(body, &fields))
                return refuse(ret_why, "A time is written as " FORM ".");
        why = check_fields(&fields);
        if (why)
                return refuse(ret_why, "%s", why);
        zone = own ? own : zone;
        moments = time_zone_from_local(zone, local_seconds(&fields));
        if (!moments.exists)
                return refuse(ret_why,
                              "There is no %02d:%02d:%02d on that day in %s, where clocks are set forward over it.",
                              fields.hour, fields.minute, fields.second, g_time_zone_get_identifier(zone));
        if (moments.first < 0)
                return refuse(ret_why, "That is before 1970 in UTC.");
        *ret_usec = (uint64_t) moments.first * USEC_PER_SEC;
        return 0;
}

char *timestamp_format(uint64_t usec, GTimeZone *zone) {
        g_autoptr(GDateTime) utc = NULL;
        g_autoptr(GDateTime) local = NULL;

        if (usec >= UINT64_C(366) * DAY_SEC * USEC_PER_SEC * (TIMESTAMP_YEAR_LAST + 1 - 1970))
                return g_strdup("never");
        utc = g_date_time_new_from_unix_utc((gint64) (usec / USEC_PER_SEC));
        local = zone ? g_date_time_to_timezone(utc, zone) : g_date_time_ref(utc);
        return g_date_time_format(local, "%Y-%m-%d %H:%M:%S %Z");
}
