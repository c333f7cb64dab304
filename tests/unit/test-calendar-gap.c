/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times that clocks leave out. */

#include "core/calendar-gap.h"
#include "core/time-zone.h"
#include "unit.h"

#define SEC UINT64_C(1000000)
#define DAY (86400 * SEC)

static uint64_t utc(int year, int month, int day, int hour, int minute) {
        g_autoptr(GDateTime) time = g_date_time_new_utc(year, month, day, hour, minute, 0);

        return (uint64_t) g_date_time_to_unix(time) * SEC;
}

/* Describes the gaps of an expression, each in a line. */
static char *list(const char *expression, const char *zone_name, uint64_t from, uint64_t until) {
        g_autoptr(GTimeZone) zone = time_zone_load(zone_name);
        g_autoptr(Calendar) calendar = NULL;
        g_autofree char *why = NULL;
        CalendarGap gap = { .at_usec = from };
        GString *text = g_string_new(NULL);

        assert_non_null(zone);
        assert_int_equal(calendar_parse(expression, &calendar, &why), 0);
        while (calendar_find_gap(calendar, zone, gap.at_usec, until, &gap)) {
                g_autofree char *line = calendar_gap_describe(&gap);

                g_string_append_printf(text, "%s%s", text->len > 0 ? "\n" : "", line);
        }
        return g_string_free(text, FALSE);
}

static void assert_gaps(const char *expression, const char *zone, const char *expected) {
        g_autofree char *found = list(expression, zone, utc(2026, 1, 1, 0, 0), utc(2028, 1, 1, 0, 0));

        assert_string_equal(found, expected);
}

static void what_clocks_leave_out_is_found(void **state) {
        assert_gaps("02:30", "Europe/Berlin",
                    "02:30:00 does not come on 2026-03-29: clocks go from 02:00:00 to 03:00:00.\n"
                    "02:30:00 does not come on 2027-03-28: clocks go from 02:00:00 to 03:00:00.");
        assert_gaps("*-*-* 02:00", "America/New_York",
                    "02:00:00 does not come on 2026-03-08: clocks go from 02:00:00 to 03:00:00.\n"
                    "02:00:00 does not come on 2027-03-14: clocks go from 02:00:00 to 03:00:00.");
        assert_gaps("2027-*-* *:05", "Australia/Lord_Howe", /* half an hour there */
                    "02:05:00 does not come on 2027-10-03: clocks go from 02:00:00 to 02:30:00.");
}

static void the_expressions_own_zone_counts(void **state) {
        assert_gaps("2026-*-* 02:30 Europe/Berlin", "UTC",
                    "02:30:00 does not come on 2026-03-29: clocks go from 02:00:00 to 03:00:00.");
        assert_gaps("02:30 UTC", "Europe/Berlin", "");
}

static void what_comes_is_no_gap(void **state) {
        assert_gaps("03:00", "Europe/Berlin", "");
        assert_gaps("01:59:59", "Europe/Berlin", "");
        assert_gaps("Mon 02:30", "Europe/Berlin", ""); /* they are set on Sundays */
        assert_gaps("02:30", "UTC", "");
        assert_gaps("*-10-* 02:30", "Europe/Berlin", ""); /* that comes twice */
}

static void only_the_time_asked_about_counts(void **state) {
        uint64_t change = utc(2026, 3, 29, 1, 0);
        g_autofree char *before = list("02:30", "Europe/Berlin", change - DAY, change - SEC);
        g_autofree char *with = list("02:30", "Europe/Berlin", change - SEC, change);
        g_autofree char *after = list("02:30", "Europe/Berlin", change, change + 100 * DAY);

        assert_string_equal(before, "");
        assert_string_not_equal(with, "");
        assert_string_equal(after, "");
}

/* Against the search itself: a day on which an expression that names one time a day does not elapse is a gap. */
static void a_day_without_an_elapse_is_a_gap(void **state) {
        static const char *const zones[] = { "Europe/Berlin", "America/St_Johns", "Africa/Casablanca",
                                             "Asia/Tokyo" };

        for (size_t i = 0; i < G_N_ELEMENTS(zones); i++) {
                g_autoptr(GTimeZone) zone = time_zone_load(zones[i]);
                g_autoptr(Calendar) calendar = NULL;
                g_autofree char *why = NULL;
                uint64_t from = utc(2026, 1, 1, 12, 0), until = utc(2031, 1, 1, 12, 0), next;
                CalendarGap gap = { .at_usec = from };
                unsigned days = 0, gaps = 0;

                assert_int_equal(calendar_parse("02:15", &calendar, &why), 0);
                for (next = calendar_next(calendar, zone, from); next < until;
                     next = calendar_next(calendar, zone, next))
                        days++;
                while (calendar_find_gap(calendar, zone, gap.at_usec, until, &gap))
                        gaps++;
                assert_int_equal(days + gaps, (until - from) / DAY);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_clocks_leave_out_is_found),
                cmocka_unit_test(the_expressions_own_zone_counts),
                cmocka_unit_test(what_comes_is_no_gap),
                cmocka_unit_test(only_the_time_asked_about_counts),
                cmocka_unit_test(a_day_without_an_elapse_is_a_gap),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
