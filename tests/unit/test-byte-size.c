/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes: what is one, and what is none. */

#include "core/byte-size.h"
#include "unit.h"

static void sizes_are_read_strictly(void **state) {
        static const struct {
                const char *text;
                int r;
                uint64_t bytes;
        } rows[] = {
                { "0", 0, 0 },
                { "1", 0, 1 },
                { "65536", 0, 65536 },
                { "64K", 0, 65536 },
                { "8M", 0, 8 << 20 },
                { "1G", 0, 1 << 30 },
                { "007M", 0, 7 << 20 },
                { "18446744073709551615", 0, UINT64_MAX },
                { "17179869183G", 0, UINT64_C(17179869183) << 30 },
                { "", -EINVAL, 0 },
                { "M", -EINVAL, 0 },
                { "8m", -EINVAL, 0 },
                { "8k", -EINVAL, 0 },
                { "8T", -EINVAL, 0 },
                { "8MB", -EINVAL, 0 },
                { "8MM", -EINVAL, 0 },
                { "8M1K", -EINVAL, 0 },
                { "8 M", -EINVAL, 0 },
                { " 8M", -EINVAL, 0 },
                { "8M ", -EINVAL, 0 },
                { "1.5M", -EINVAL, 0 },
                { "-8M", -EINVAL, 0 },
                { "+8M", -EINVAL, 0 },
                { "0x8", -EINVAL, 0 },
                { "8%", -EINVAL, 0 },
                { "18446744073709551616", -ERANGE, 0 },
                { "17179869184G", -ERANGE, 0 },
                { "99999999999999999999999K", -ERANGE, 0 },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                uint64_t bytes = 0;
                int r = byte_size_parse(rows[i].text, &bytes);

                if (r != rows[i].r || bytes != rows[i].bytes)
                        fail_msg("'%s': %d, %" G_GUINT64_FORMAT, rows[i].text, r, bytes);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sizes_are_read_strictly),
        };

        return cmocka_run_group_tests_name("byte-size", tests, NULL, NULL);
}
