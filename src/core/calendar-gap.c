/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times that clocks leave out: for each day on which they are set forward, whether the expression names one of these. */

#include "core/calendar-gap.h"
#include "core/calendar-internal.h"
#include "core/time-zone.h"
#include "util/macros.h"

#define DAY_SEC 86400

static int64_t offset_at(GTimeZone *zone, int64_t utc) {
        return time_zone_to_local(zone, utc) - utc;
}

/* The moment from which on the later offset holds, of those after `before` and up to `after`. */
static int64_t find_change(GTimeZone *zone, int64_t before, int64_t after) {
        int64_t offset = offset_at(zone, before);

        while (after - before > 1) {
                int64_t middle = before + (after - before) / 2;

                if (offset_at(zone, middle) == offset)
                        before = middle;
                else
                        after = middle;
        }
        return after;
}

/* Read as if clocks were never set, it names each time that it would name. */
static bool names_one_of(const Calendar *calendar, CalendarGap *gap) {
        g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
        Calendar everywhere = *calendar;
        uint64_t named;

        everywhere.zone = NULL;
        if (gap->first <= 0)
                return false;
        named = calendar_next(&everywhere, utc, (uint64_t) gap->first * USEC_PER_SEC - 1);
        if (named >= (uint64_t) gap->end * USEC_PER_SEC)
                return false;
        gap->local = (int64_t) (named / USEC_PER_SEC);
        return true;
}

bool calendar_find_gap(const Calendar *calendar, GTimeZone *zone, uint64_t after_usec, uint64_t until_usec,
                       CalendarGap *ret) {
        int64_t end = (int64_t) (until_usec / USEC_PER_SEC), next;

        if (calendar->zone)
                zone = calendar->zone;
        for (int64_t day = (int64_t) (after_usec / USEC_PER_SEC); day < end; day = next) {
                int64_t before = offset_at(zone, day), later, change;
                CalendarGap gap;

                next = MIN(day + DAY_SEC, end);
                later = offset_at(zone, next);
                if (later <= before)
                        continue;
                change = find_change(zone, day, next);
                gap = (CalendarGap){ .at_usec = (uint64_t) change * USEC_PER_SEC,
                                     .first = change + before,
                                     .end = change + later };
                if (!names_one_of(calendar, &gap))
                        continue;
                *ret = gap;
                return true;
        }
        return false;
}

static char *format(int64_t local, const char *how) {
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(local);

        return time ? g_date_time_format(time, how) : g_strdup("?");
}

char *calendar_gap_describe(const CalendarGap *gap) {
        g_autofree char *what = format(gap->local, "%H:%M:%S"), *day = format(gap->local, "%Y-%m-%d");
        g_autofree char *from = format(gap->first, "%H:%M:%S"), *to = format(gap->end, "%H:%M:%S");

        return g_strdup_printf("%s does not come on %s: clocks go from %s to %s.", what, day, from, to);
}
