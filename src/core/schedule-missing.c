/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times at which a window does not open since clocks leave them out. */

#include "core/schedule.h"
#include "core/time-zone.h"
#include "util/macros.h"

/* No zone changes its clocks twice within so many seconds. */
#define STEP_SEC (5 * 24 * 3600)

static int64_t offset_at(GTimeZone *zone, int64_t utc) {
        return time_zone_to_local(zone, utc) - utc;
}

/* The next time after that one at which clocks are set forward. Returns false when there is none before the end. */
static bool find_leap(GTimeZone *zone, int64_t after, int64_t end, int64_t *ret) {
        for (int64_t before = after; before < end; before += STEP_SEC) {
                int64_t low = before, high = before + STEP_SEC, offset = offset_at(zone, low);

                if (offset_at(zone, high) <= offset)
                        continue;
                while (high - low > 1) {
                        int64_t middle = low + (high - low) / 2;

                        if (offset_at(zone, middle) == offset)
                                low = middle;
                        else
                                high = middle;
                }
                *ret = high;
                return high < end;
        }
        return false;
}

bool window_find_missing_day(const Config *config, const ConfigSection *window, uint64_t after_usec,
                             uint64_t until_usec, int64_t *ret_local, uint64_t *ret_after_usec) {
        const Calendar *calendar = window->window.on_calendar;
        GTimeZone *zone = calendar_zone(calendar) ? calendar_zone(calendar) : config->zone;
        int64_t leap = (int64_t) (after_usec / USEC_PER_SEC), end = (int64_t) (until_usec / USEC_PER_SEC);

        while (find_leap(zone, leap, end, &leap)) {
                int64_t first = leap + offset_at(zone, leap - 1), last = leap + offset_at(zone, leap);
                int64_t local = calendar_next_local(calendar, first);
                uint64_t leap_usec = (uint64_t) leap * USEC_PER_SEC;

                if (local >= last)
                        continue;
                /* Something that opens as soon as it could have is as good. */
                if (calendar_next(calendar, zone, leap_usec - 1) <
                    leap_usec + (uint64_t) (last - first) * USEC_PER_SEC)
                        continue;
                *ret_local = local;
                *ret_after_usec = leap_usec;
                return true;
        }
        return false;
}
