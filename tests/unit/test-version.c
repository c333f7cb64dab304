/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Firmware versions: what an attribute may show, and the order of two of them. */

#include "core/version.h"
#include "unit.h"

static void what_the_driver_prints_is_read(void **state) {
        static const struct {
                const char *text, *version;
        } rows[] = {
                { "2.3", "2.3" },
                { "0.1", "0.1" },
                { "1.0", "1.0" },
                { "4294967295.4294967295", "4294967295.4294967295" },
                { "0.4294967295", "0.4294967295" },
                { "02.003", "2.3" },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                char version[VERSION_SIZE];

                assert_int_equal(version_parse(rows[i].text, version), 0);
                assert_string_equal(version, rows[i].version);
                assert_true(version_known(version));
        }
}

static void what_firmware_does_not_give_is_no_version(void **state) {
        static const char *const rows[] = { "0.0", "N/A", "00.00" };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                char version[VERSION_SIZE] = "9.9";

                assert_int_equal(version_parse(rows[i], version), 0);
                assert_string_equal(version, "");
                assert_false(version_known(version));
        }
}

static void anything_else_is_refused_and_leaves_the_result_alone(void **state) {
        static const char *const rows[] = {
                "",
                "1",
                "1.",
                ".1",
                "1.2.3",
                "1..2",
                " 1.2",
                "1.2 ",
                "1 .2",
                "-1.2",
                "+1.2",
                "1.-2",
                "1,2",
                "n/a",
                "N/A ",
                "0x1.2",
                "1.2a",
                "v1.2",
                "4294967296.0",
                "0.4294967296",
                "18446744073709551617.0",
                "99999999999999999999999999999999999999999.1",
                "1.2\n",
                "\xff.1",
                "(none)",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                char version[VERSION_SIZE];

                fill_untouched(version, sizeof(version));
                if (version_parse(rows[i], version) != -EINVAL)
                        fail_msg("'%s' was taken for a version", rows[i]);
                assert_true(is_untouched(version, sizeof(version)));
        }
}

static void versions_are_ordered_by_number(void **state) {
        static const char *const ascending[] = {
                "0.1", "0.2", "0.10", "1.0", "1.9", "1.10", "2.0", "10.0", "4294967295.0", "4294967295.1",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(ascending); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(ascending); j++) {
                        int order = version_compare(ascending[i], ascending[j]);

                        assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
                }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_the_driver_prints_is_read),
                cmocka_unit_test(what_firmware_does_not_give_is_no_version),
                cmocka_unit_test(anything_else_is_refused_and_leaves_the_result_alone),
                cmocka_unit_test(versions_are_ordered_by_number),
        };

        return cmocka_run_group_tests_name("version", tests, NULL, NULL);
}
