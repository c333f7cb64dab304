/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moments as people write them. */

#include "core/moment.h"
#include "core/time-zone.h"
#include "unit.h"

#include <string.h>

#define SECOND ((uint64_t) 1000000)
#define NOW (1798135200 * SECOND + 5) /* Thursday, 2026-12-24 18:00 UTC */

static void each_way_of_writing_is_read(void **state) {
        static const struct {
                const char *text;
                uint64_t usec;
        } rows[] = {
                { "now", NOW },
                { "+2h", NOW + 7200 * SECOND },
                { "+1h 30min", NOW + 5400 * SECOND },
                { "+0", NOW },
                { "@0", 0 },
                { "@1798135200", 1798135200 * SECOND },
                { "2026-12-24", 1798066800 * SECOND },
                { "2026-12-24 UTC", 1798070400 * SECOND },
                { "2020-01-01 00:00 UTC", 1577836800 * SECOND },
                { "Sat 03:30", 1798252200 * SECOND },
                { "Sat 03:30 UTC", 1798255800 * SECOND },
                { "2027-*-* 12:00 UTC", 1798804800 * SECOND },
                { "2026-12-24 20,21:00", 1798138800 * SECOND },
                { "2026-12-24 20:00:00.5", 1798138800 * SECOND + 500000 },
                { "daily", 1798153200 * SECOND },
        };
        g_autoptr(GTimeZone) zone = time_zone_load("Europe/Berlin");

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *why = NULL;
                uint64_t usec = 7;

                if (moment_parse(rows[i].text, zone, NOW, &usec, &why) < 0 || usec != rows[i].usec)
                        fail_msg("'%s': %" G_GUINT64_FORMAT " %s", rows[i].text, usec, why ? why : "");
        }
}

static void the_reason_fits_what_was_meant(void **state) {
        static const struct {
                const char *text, *why;
        } rows[] = {
                { "", "calendar expression is expected" },
                { "+", "span of time" },
                { "+2 fortnights", "span of time" },
                { "+9000000000", "after the year 2199" },
                { "+18446744073709551615us", "after the year 2199" },
                { "@", "seconds since 1970" },
                { "@-1", "seconds since 1970" },
                { "@5.5", "nothing but seconds" },
                { "@7258118400", "after the year 2199" },
                { "2026-02-30", "no such day" },
                { "2027-03-28 02:30", "There is no 02:30:00" },
                { "2026-12-24 18:00 Mars", "is written as" },
                { "*-02-30", "does not come any more" },
                { "2020-*-*", "does not come any more" },
                { "tomorrow", "no day of the week" },
        };
        g_autoptr(GTimeZone) zone = time_zone_load("Europe/Berlin");

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *why = NULL;
                uint64_t usec = 7;

                if (moment_parse(rows[i].text, zone, NOW, &usec, &why) != -EINVAL || usec != 7 ||
                    !strstr(why, rows[i].why))
                        fail_msg("'%s': %s", rows[i].text, why ? why : "taken");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_way_of_writing_is_read),
                cmocka_unit_test(the_reason_fits_what_was_meant),
        };

        return cmocka_run_group_tests_name("moment", tests, NULL, NULL);
}
