/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Timestamps, read and written. */

#include "core/time-zone.h"
#include "core/timestamp.h"
#include "unit.h"

#include <string.h>

#define SECOND ((uint64_t) 1000000)

static void timestamps_are_of_the_zone_they_name(void **state) {
        static const struct {
                const char *text;
                uint64_t sec;
        } rows[] = {
                { "1970-01-01", 5 * 3600 },
                { "2026-12-24", 1798088400 },
                { "2026-12-24 18:00", 1798153200 },
                { "2026-12-24 18:00:59", 1798153259 },
                { "2026-12-24 18:00 UTC", 1798135200 },
                { "2026-12-24 Europe/Berlin", 1798066800 },
                { "2199-12-31 23:59:59", 7258136399 },
                /* Twice that day: the first one. */
                { "2026-11-01 01:30", 1793511000 },
                { "2026-10-25 02:30 Europe/Berlin", 1792888200 },
        };
        g_autoptr(GTimeZone) zone = time_zone_load("America/New_York");

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *why = NULL;
                uint64_t usec = 0;

                if (timestamp_parse(rows[i].text, zone, &usec, &why) < 0 || usec != rows[i].sec * SECOND)
                        fail_msg("'%s': %" G_GUINT64_FORMAT " %s", rows[i].text, usec, why ? why : "");
        }
}

static void what_is_no_timestamp_is_refused(void **state) {
        static const struct {
                const char *text, *why;
        } rows[] = {
                { "", "is written as" },
                { "2026-12-24 ", "is written as" },
                { "26-12-24", "is written as" },
                { "2026-12-24 18", "is written as" },
                { "2026-12-24 18:00:00.5", "is written as" },
                { "2026-12-24 18:00 Mars", "is written as" },
                { "2026-12-24 18:00 local", "is written as" },
                { "2026-12-24T18:00", "is written as" },
                { "1969-12-31", "1970 to 2199" },
                { "2200-01-01", "1970 to 2199" },
                { "2026-02-29", "no such day" },
                { "2026-13-01", "no such day" },
                { "2026-12-00", "no such day" },
                { "2026-12-24 24:00", "00:00:00 to 23:59:59" },
                { "2026-12-24 23:60", "00:00:00 to 23:59:59" },
                { "2026-03-08 02:30", "There is no 02:30:00 on that day in America/New_York" },
                { "2026-03-29 02:30 Europe/Berlin", "There is no 02:30:00 on that day in Europe/Berlin" },
                { "2011-12-30 Pacific/Apia", "There is no 00:00:00 on that day in Pacific/Apia" },
                { "1970-01-01 Asia/Tokyo", "before 1970" },
        };
        g_autoptr(GTimeZone) zone = time_zone_load("America/New_York");

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *why = NULL;
                uint64_t usec = 7;

                if (timestamp_parse(rows[i].text, zone, &usec, &why) != -EINVAL || usec != 7 ||
                    !strstr(why, rows[i].why))
                        fail_msg("'%s': %s", rows[i].text, why ? why : "taken");
        }
}

static void they_are_written_as_they_are_read(void **state) {
        g_autoptr(GTimeZone) zone = time_zone_load("Europe/Berlin");
        g_autofree char *utc = timestamp_format(1798135200 * SECOND + 999999, NULL);
        g_autofree char *local = timestamp_format(1798135200 * SECOND, zone);
        g_autofree char *last = timestamp_format(7258118399 * SECOND, NULL);
        g_autofree char *never = timestamp_format(UINT64_MAX, zone);
        g_autofree char *why = NULL;
        uint64_t usec;

        assert_string_equal(utc, "2026-12-24 18:00:00 UTC");
        assert_string_equal(local, "2026-12-24 19:00:00 CET");
        assert_string_equal(last, "2199-12-31 23:59:59 UTC");
        assert_string_equal(never, "never");
        assert_int_equal(timestamp_parse(utc, zone, &usec, &why), 0);
        assert_int_equal(usec, 1798135200 * SECOND);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(timestamps_are_of_the_zone_they_name),
                cmocka_unit_test(what_is_no_timestamp_is_refused),
                cmocka_unit_test(they_are_written_as_they_are_read),
        };

        return cmocka_run_group_tests_name("timestamp", tests, NULL, NULL);
}
