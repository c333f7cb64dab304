/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables (driver versions, attributes, LFA codes) and the texts people type. */

#include "sim/lfa-codes.h"
#include "sim/sim-clock.h"
#include "sim/texts.h"
#include "sim/traits.h"
#include "sim/uevent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void statement_3_each_profile_has_its_number_of_files(void **state) {
        static const struct {
                const char *profile;
                unsigned n_files;
        } rows[] = {
                { "rfc1", 7 },  { "rfc2", 8 }, { "nvrfc", 8 },  { "v1", 10 },
                { "v1nv", 10 }, { "v2s", 10 }, { "v2", 11 },    { "v2bos", 11 },
                { "v3", 11 },   { "nv3", 11 }, { "nvnew", 11 },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                const DriverTraits *traits = driver_traits_find(rows[i].profile);

                assert_non_null(traits);
                assert_int_equal(__builtin_popcount(traits->attributes), rows[i].n_files);
        }
        assert_null(driver_traits_at(G_N_ELEMENTS(rows)));
        assert_null(driver_traits_find("v4"));
}

static void every_profile_is_complete(void **state) {
        const DriverTraits *traits;

        for (size_t i = 0; (traits = driver_traits_at(i)); i++) {
                assert_non_null(traits->description);
                assert_non_null(traits->bl31_name);
                assert_true(traits->failure_errno > 0 && traits->may_reset_errno > 0 &&
                            traits->cancel_errno > 0);
                assert_true(traits->prime_busy_errno > 0 && traits->stale_cancel_errno > 0);
                assert_true(traits->prime_pause_usec > 0 && traits->activate_pause_usec > 0);
                assert_int_equal(traits->serialisation == SERIALISE_REFUSE, traits->busy_errno > 0);
                assert_true(traits->device_subsystem ||
                            !(traits->change_after_probe || traits->change_after_success));
        }
}

static void attribute_names_and_modes_round_trip(void **state) {
        for (SysfsAttribute i = 0; i < _ATTRIBUTE_MAX; i++) {
                mode_t mode = sysfs_attribute_mode(i);

                assert_int_equal(sysfs_attribute_find(sysfs_attribute_name(i)), i);
                assert_true(mode == 0444 || mode == 0200 || mode == 0644);
        }
        assert_int_equal(sysfs_attribute_find("uevent"), -EINVAL);
}

static void lfa_codes_round_trip(void **state) {
        for (int code = 0; code >= -11; code--) {
                int parsed = 1;

                assert_int_equal(lfa_code_parse(lfa_code_name(code), &parsed), 0);
                assert_int_equal(parsed, code);
                assert_int_equal(lfa_code_parse(lfa_code_name(code) + 4, &parsed), 0);
                assert_int_equal(parsed, code);
        }
}

static void an_unknown_lfa_code_is_a_number_and_reads_as_device_error(void **state) {
        int code;

        assert_int_equal(lfa_code_parse("-12", &code), 0);
        assert_int_equal(code, -12);
        assert_string_equal(lfa_code_name(-12), "LFA_DEVICE_ERROR");
        assert_string_equal(lfa_code_name(3), "LFA_DEVICE_ERROR");
        assert_int_equal(lfa_code_parse("12", &code), -EINVAL);
        assert_int_equal(lfa_code_parse("-", &code), -EINVAL);
        assert_int_equal(lfa_code_parse("FINE", &code), -EINVAL);
}

static void statement_8_versions_are_two_unsigned_decimals(void **state) {
        char text[VERSION_TEXT_SIZE];
        uint64_t version;

        version_format(0x0000000200000003, text);
        assert_string_equal(text, "2.3");
        version_format(UINT64_MAX, text);
        assert_string_equal(text, "4294967295.4294967295");
        assert_int_equal(version_parse(text, &version), 0);
        assert_true(version == UINT64_MAX);

        static const char *const wrong[] = { "",     "1",    "1.",  ".1", "1.2.3", "4294967296.0",
                                             "-1.0", " 1.0", "1.0 " };

        for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
                assert_int_equal(version_parse(wrong[i], &version), -EINVAL);
}

static void durations_need_a_unit(void **state) {
        uint64_t usec;

        assert_int_equal(duration_parse("8s", &usec), 0);
        assert_int_equal(usec, 8000000);
        assert_int_equal(duration_parse("500ms", &usec), 0);
        assert_int_equal(usec, 500000);
        assert_int_equal(duration_parse("0", &usec), 0);
        assert_int_equal(usec, 0);

        static const char *const wrong[] = { "",      "8", "s", "-1s", "1.5s", "2h", "99999999999999999999s",
                                             "90000s" };

        for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
                assert_int_equal(duration_parse(wrong[i], &usec), -EINVAL);
}

static void simulated_time_runs_faster_without_a_jump(void **state) {
        static const char *const wrong[] = { "", "0", "-1", "1x", "inf", "nan", "100001", " 1", "0.0001" };
        uint64_t before, after;
        SimClock clock;
        double speed = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
                assert_int_equal(speed_parse(wrong[i], &speed), -EINVAL);
        assert_int_equal(speed_parse("1000", &speed), 0);

        before = real_now();
        sim_clock_init(&clock);
        after = real_now();
        assert_true(sim_clock_now(&clock) >= before);
        sim_clock_set_speed(&clock, speed);
        assert_int_equal(sim_clock_real(&clock, clock.sim_start + 30000000), clock.real_start + 30000);
        g_usleep(1000);
        assert_true(sim_clock_now(&clock) >= after + 1000000);
        before = sim_clock_now(&clock);
        sim_clock_set_speed(&clock, 1);
        assert_true(sim_clock_now(&clock) >= before);
}

static void escapes_make_any_byte_and_bad_ones_are_refused(void **state) {
        g_autoptr(GByteArray) bytes = escapes_decode("a\\xff\\n\\0\\\\\\101");

        assert_int_equal(bytes->len, 6);
        assert_memory_equal(bytes->data, "a\xff\n\0\\A", 6);
        assert_null(escapes_decode("\\"));
        assert_null(escapes_decode("\\x1"));
        assert_null(escapes_decode("\\q"));
        assert_null(escapes_decode("\\777"));
}

static void images_are_named_by_alias_or_guid(void **state) {
        char guid[GUID_STRING_SIZE];

        assert_int_equal(image_name_parse("RMM", guid), 0);
        assert_string_equal(guid, "6c0762a6-12f2-4b56-92cb-ba8f633606d9");
        assert_int_equal(image_name_parse("0509B633-5734-422f-a681-6096e932d93a", guid), 0);
        assert_string_equal(image_short_name(guid), guid);
        assert_int_equal(image_name_parse("nonsense", guid), -EINVAL);
        assert_int_equal(errno_parse("EROFS"), EROFS);
        assert_int_equal(errno_parse("EWHAT"), -EINVAL);
}

static void subsystem_hash_covers_all_tail_lengths(void **state) {
        assert_int_not_equal(uevent_subsystem_hash("faux"), uevent_subsystem_hash("fauy"));
        assert_int_not_equal(uevent_subsystem_hash("arm_smccc"), uevent_subsystem_hash("arm_smccd"));
        assert_int_not_equal(uevent_subsystem_hash("ab"), uevent_subsystem_hash("ac"));
        assert_int_equal(uevent_subsystem_hash(""), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(statement_3_each_profile_has_its_number_of_files),
                cmocka_unit_test(every_profile_is_complete),
                cmocka_unit_test(attribute_names_and_modes_round_trip),
                cmocka_unit_test(lfa_codes_round_trip),
                cmocka_unit_test(an_unknown_lfa_code_is_a_number_and_reads_as_device_error),
                cmocka_unit_test(statement_8_versions_are_two_unsigned_decimals),
                cmocka_unit_test(durations_need_a_unit),
                cmocka_unit_test(simulated_time_runs_faster_without_a_jump),
                cmocka_unit_test(escapes_make_any_byte_and_bad_ones_are_refused),
                cmocka_unit_test(images_are_named_by_alias_or_guid),
                cmocka_unit_test(subsystem_hash_covers_all_tail_lengths),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
