/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calendar expressions: what is well-formed, and when it elapses. systemd's own answers to thousands of them are compared
 * in tests/calendar. */

#include "core/calendar.h"
#include "core/time-zone.h"
#include "unit.h"

#include <string.h>

#define SECOND ((uint64_t) 1000000)

static uint64_t utc(const char *text) {
        g_autoptr(GTimeZone) zone = g_time_zone_new_utc();
        g_autoptr(GDateTime) date = g_date_time_new_from_iso8601(text, zone);

        if (!date)
                fail_msg("'%s' is no date", text);
        return (uint64_t) g_date_time_to_unix(date) * SECOND;
}

static Calendar *parse(const char *text) {
        g_autofree char *why = NULL;
        Calendar *calendar = NULL;

        if (calendar_parse(text, &calendar, &why) < 0)
                fail_msg("'%s': %s", text, why);
        return calendar;
}

static void it_elapses_as_named(void **state) {
        static const struct {
                const char *text, *after, *next;
        } rows[] = {
                { "Sat 03:30", "2026-11-23T00:00:00", "2026-11-28T03:30:00" },
                { "Sat 03:30", "2026-11-28T03:30:00", "2026-12-05T03:30:00" },
                { "Sat 03:30 Europe/Berlin", "2026-11-23T00:00:00", "2026-11-28T02:30:00" },
                { "quarterly", "2026-11-23T00:00:00", "2027-01-01T00:00:00" },
                { "*-02-29", "2026-11-23T00:00:00", "2028-02-29T00:00:00" },
                { "Mon *-05~07/1", "2026-11-23T00:00:00", "2027-05-31T00:00:00" },
                { "*-*~2..6/3 12:00", "2026-11-23T00:00:00", "2026-11-26T12:00:00" },
                { "70/5-1-1", "2026-11-23T00:00:00", "2030-01-01T00:00:00" },
                { "*:0/20", "2026-11-23T00:00:00", "2026-11-23T00:20:00" },
                { "23:59:59", "2026-12-31T23:59:58", "2026-12-31T23:59:59" },
                { "@1800000000", "2026-11-23T00:00:00", "2027-01-15T08:00:00" },
                { "2199-12-31 23:59:59", "2026-11-23T00:00:00", "2199-12-31T23:59:59" },
                /* Clocks are set forward over it: not on that day. */
                { "02:30 Europe/Berlin", "2026-03-28T12:00:00", "2026-03-30T00:30:00" },
                { "02,05:00 Europe/Berlin", "2026-03-28T12:00:00", "2026-03-29T03:00:00" },
                { "02:15,45 Australia/Lord_Howe", "2026-10-03T00:00:00", "2026-10-03T15:45:00" },
                /* Clocks show it twice: the first time, unless asked between. */
                { "02:30 Europe/Berlin", "2026-10-24T12:00:00", "2026-10-25T00:30:00" },
                { "*:0/30 Europe/Berlin", "2026-10-25T00:30:00", "2026-10-25T02:00:00" },
                { "*:0/30 Europe/Berlin", "2026-10-25T01:00:00", "2026-10-25T01:30:00" },
                /* Where systemd 252 is mistaken, as lfad.conf(5) says. */
                { "*:0/25", "2026-11-23T23:52:00", "2026-11-24T00:00:00" },
                { "*-*-1/11", "2025-12-23T00:00:00", "2026-01-01T00:00:00" },
                { "*-*-1,31 Australia/Lord_Howe", "1992-02-22T00:00:00", "1992-02-29T13:00:00" },
                { "1986-*-* Asia/Kathmandu", "1985-12-01T00:00:00", "1986-01-01T18:15:00" },
                { "03:38 Antarctica/Troll", "2019-03-31T00:22:00", "2019-03-31T01:38:00" },
                { "1..10:15 America/Moncton", "1994-04-03T03:45:00", "1994-04-03T04:15:00" },
                { "*:12 America/Moncton", "1994-04-03T03:45:00", "1994-04-03T04:12:00" },
                { "*:*:5..5", "2026-11-23T00:00:00", "2026-11-23T00:00:05" },
                { "*-*~1,28", "2026-11-23T00:00:00", "2026-11-30T00:00:00" },
                /* A day that was left out. */
                { "2011-12-30 12:00 Pacific/Apia", "2011-12-01T00:00:00", NULL },
                { "daily Pacific/Apia", "2011-12-29T12:00:00", "2011-12-30T10:00:00" },
                { "*-02-30", "2026-11-23T00:00:00", NULL },
                { "Mon 2024-1-2", "2020-01-01T00:00:00", NULL },
                { "2020-01-01", "2020-01-01T00:00:00", NULL },
                { "Sun *-3-25..31 02:30 Europe/Berlin", "2020-01-01T00:00:00", NULL },
        };
        g_autoptr(GTimeZone) zone = g_time_zone_new_utc();

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(Calendar) calendar = parse(rows[i].text);
                uint64_t next = calendar_next(calendar, zone, utc(rows[i].after));

                if (next != (rows[i].next ? utc(rows[i].next) : UINT64_MAX))
                        fail_msg("'%s' after %s: %" G_GUINT64_FORMAT, rows[i].text, rows[i].after, next);
        }
}

static void parts_of_a_second_count(void **state) {
        g_autoptr(GTimeZone) zone = g_time_zone_new_utc();
        g_autoptr(Calendar) calendar = parse("*:*:0.5000004/0.2500006");
        uint64_t usec = calendar_next(calendar, zone, 0);

        assert_int_equal(usec, 500000);
        assert_int_equal(calendar_next(calendar, zone, usec), 750001);
}

static void only_a_zone_at_its_end_is_its_own(void **state) {
        g_autoptr(GTimeZone) zone = time_zone_load("Asia/Tokyo");
        g_autoptr(Calendar) with = parse("12:00 Europe/Berlin");
        g_autoptr(Calendar) without = parse("12:00");

        assert_string_equal(g_time_zone_get_identifier(calendar_zone(with)), "Europe/Berlin");
        assert_null(calendar_zone(without));
        assert_int_equal(calendar_next(with, zone, 0), 11 * 3600 * SECOND);
        assert_int_equal(calendar_next(without, zone, 0), 3 * 3600 * SECOND);
}

static void what_is_wrong_is_said(void **state) {
        static const struct {
                const char *text, *why;
        } rows[] = {
                { "", "is expected" },
                { " daily", "is expected" },
                { "Fri..Mon", "begins on Monday" },
                { "Mond 5:00", "'Mond' is no day of the week" },
                { "Mon Europe/Nowhere", "'Europe/Nowhere' stands where" },
                { "5:00 Europe/Nowhere", "' Europe/Nowhere' stands where" },
                { "daily local", "'daily' is no day" },
                { "5", "It ends where" },
                { "5:00 ", "' ' stands where" },
                { "24:00", "An hour can be 0 to 23." },
                { "5:60", "A minute can be 0 to 59." },
                { "5:00:60", "A second can be 0 to 59." },
                { "*-13-1", "A month can be 1 to 12." },
                { "2200-1-1", "A year can be 1970 to 2199." },
                { "*-*~29", "A day can be 1 to 28 from the end" },
                { "*:0/60", "leads beyond" },
                { "*:0/0", "leads nowhere" },
                { "9..5:00", "ends before it begins" },
                { "99999999999:00", "too large" },
                { "@99999999999", "after the year 2199" },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *why = NULL;
                Calendar *calendar = NULL;

                if (calendar_parse(rows[i].text, &calendar, &why) != -EINVAL || calendar ||
                    !strstr(why, rows[i].why))
                        fail_msg("'%s': %s", rows[i].text, why ? why : "taken");
        }
}

static void zones_are_those_of_the_database(void **state) {
        static const char *const unknown[] = {
                "",        "local ", "Z",      "+01:00",    "EST5EDT4", "europe/berlin", "Europe",
                "Europe/", "/UTC",   "../UTC", "tzdata.zi", "zone.tab", "leapseconds",   "right/Etc/UTC",
                "Etc//UTC"
        };
        static const char *const known[] = {
                "UTC", "utc", "local", "Europe/Berlin", "Etc/GMT-5", "EST5EDT"
        };

        for (size_t i = 0; i < G_N_ELEMENTS(unknown); i++)
                if (time_zone_load(unknown[i]))
                        fail_msg("'%s' is taken for a time zone", unknown[i]);
        for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
                g_autoptr(GTimeZone) zone = time_zone_load(known[i]);

                if (!zone)
                        fail_msg("'%s' is not known", known[i]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_elapses_as_named),
                cmocka_unit_test(parts_of_a_second_count),
                cmocka_unit_test(only_a_zone_at_its_end_is_its_own),
                cmocka_unit_test(what_is_wrong_is_said),
                cmocka_unit_test(zones_are_those_of_the_database),
        };

        return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
