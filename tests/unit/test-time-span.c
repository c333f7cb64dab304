/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Spans of time as the configuration has them. */

#include "core/time-span.h"
#include "unit.h"

#define SECOND ((uint64_t) 1000000)

static void time_spans_are_those_of_systemd(void **state) {
        static const struct {
                const char *text;
                int r;
                uint64_t usec;
        } rows[] = {
                { "0", 0, 0 },
                { "60", 0, 60 * SECOND },
                { " 60 ", 0, 60 * SECOND },
                { "60s", 0, 60 * SECOND },
                { "60 sec", 0, 60 * SECOND },
                { "1min 20s", 0, 80 * SECOND },
                { "1min20s", 0, 80 * SECOND },
                { "1m 20", -EINVAL, 0 },
                { "1.5", 0, 3 * SECOND / 2 },
                { "0.5h", 0, 1800 * SECOND },
                { "2 hours 3 minutes 4 seconds", 0, 7384 * SECOND },
                { "1w 1d", 0, 8 * 86400 * SECOND },
                { "300ms20s 5us", 0, 20 * SECOND + 300005 },
                { "7 µs", 0, 7 },
                { "1.0000019s", 0, SECOND + 1 },
                { "", -EINVAL, 0 },
                { " ", -EINVAL, 0 },
                { "s", -EINVAL, 0 },
                { "-1", -EINVAL, 0 },
                { "1..2", -EINVAL, 0 },
                { ".5", -EINVAL, 0 },
                { "1 S", -EINVAL, 0 },
                { "1 month", -EINVAL, 0 },
                { "18446744073709551616", -ERANGE, 0 },
                { "18446744073709551615s", -ERANGE, 0 },
                { "40000000w", -ERANGE, 0 },
                { "18446744073709551615us 1us", -ERANGE, 0 },
                { "18446744073709551615us", 0, UINT64_MAX },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                uint64_t usec = 0;
                int r = time_span_parse(rows[i].text, &usec);

                if (r != rows[i].r || usec != rows[i].usec)
                        fail_msg("'%s': %d, %" G_GUINT64_FORMAT, rows[i].text, r, usec);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(time_spans_are_those_of_systemd),
        };

        return cmocka_run_group_tests_name("time-span", tests, NULL, NULL);
}
