/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver's lines of one write: what each version prints, whose line it is, and that nothing that stands
 * in a log does harm. */

#include "core/firmware-reason.h"
#include "unit.h"

#define RMM "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define SCP "65922703-2f74-e644-8dff-579ac1ff0610"
#define SECOND UINT64_C(1000000)

typedef struct Case {
        DriverProfile profile;
        const char *guid, *name;
        const char *lines[5];
        FirmwareCall call;
        FirmwareCode code;
} Case;

static FirmwareReason reason_of_lines(DriverProfile profile, const char *guid, const char *name,
                                      const char *const *lines, size_t n, bool accepted, uint64_t usec) {
        FirmwareReasonScan scan;

        firmware_reason_begin(&scan, guid, name);
        for (size_t i = 0; i < n && lines[i]; i++)
                firmware_reason_take_line(&scan, 3, lines[i]);
        return firmware_reason_end(&scan, profile, accepted, usec);
}

/* Of the RMM on v3, refused after a second. */
static FirmwareReason reason_of(const char *line) {
        return reason_of_lines(PROFILE_V3, RMM, "TF-RMM", &line, 1, false, SECOND);
}

static void assert_reason(FirmwareReason reason, FirmwareCall call, FirmwareCode code) {
        assert_int_equal(reason.call, call);
        assert_string_equal(firmware_code_to_string(reason.code), firmware_code_to_string(code));
}

#define PRIME FIRMWARE_CALL_PRIME
#define ACTIVATE FIRMWARE_CALL_ACTIVATE
#define NONE FIRMWARE_CALL_NONE

static const Case versions[] = {
        { PROFILE_RFC1,
          RMM,
          "RMM",
          { "LFA_PRIME failed: -7", "Arm LFA: Firmware activation failed: -5" },
          PRIME,
          FIRMWARE_CODE_WRONG_STATE },
        { PROFILE_RFC2,
          RMM,
          "RMM",
          { "LFA_CANCEL failed: -8", "LFA_ACTIVATE failed: -11",
            "Arm LFA: Firmware activation failed: -125" },
          ACTIVATE,
          FIRMWARE_CODE_ACTIVATION_FAILED },
        { PROFILE_RFC1, SCP, "(unknown)", { "LFA_PRIME failed: -12" }, PRIME, FIRMWARE_CODE_NONE },
        { PROFILE_V1,
          RMM,
          "TF-RMM",
          { "Arm LFA: LFA_PRIME for image TF-RMM failed: LFA_AUTH_ERROR" },
          PRIME,
          FIRMWARE_CODE_AUTH_ERROR },
        { PROFILE_V1,
          SCP,
          "(unknown)",
          { "Arm LFA: LFA_PRIME for image (unknown) failed: LFA_NO_MEMORY" },
          PRIME,
          FIRMWARE_CODE_NO_MEMORY },
        { PROFILE_V1NV,
          SCP,
          "",
          { "Arm LFA: Firmware prime failed: LFA_AUTH_ERROR" },
          PRIME,
          FIRMWARE_CODE_AUTH_ERROR },
        { PROFILE_V1NV, SCP, "", { "Firmware prime failed: LFA_BUSY" }, PRIME, FIRMWARE_CODE_BUSY },
        { PROFILE_V1NV,
          SCP,
          "",
          { "Arm LFA: Firmware activation could not be cancelled: LFA_INVALID_PARAMETERS",
            "Arm LFA: ACTIVATE for image \\xf0\\x8e\\x02\\x10h\\xff\\xff failed: LFA_NOT_SUPPORTED",
            "Arm LFA: ACTIVATE for image \\xf0\\x8e\\x02\\x10h\\xff\\xff failed: LFA_NOT_SUPPORTED" },
          ACTIVATE,
          FIRMWARE_CODE_NOT_SUPPORTED },
        { PROFILE_V2S,
          SCP,
          "",
          { "Arm LFA: Activation cancelled for image ",
            "Arm LFA: LFA_ACTIVATE for image " SCP " failed: LFA_CRITICAL_ERROR" },
          ACTIVATE,
          FIRMWARE_CODE_CRITICAL_ERROR },
        { PROFILE_V2,
          SCP,
          "",
          { "Arm LFA: LFA_PRIME for image  failed: LFA_INVALID_ADDRESS" },
          PRIME,
          FIRMWARE_CODE_INVALID_ADDRESS },
        { PROFILE_V3,
          RMM,
          "TF-RMM",
          { "Arm LFA: LFA_PRIME for image TF-RMM timed out",
            "Arm LFA: Activation cancelled for image TF-RMM" },
          PRIME,
          FIRMWARE_CODE_PRIME_TIMED_OUT },
        { PROFILE_NVNEW,
          SCP,
          SCP,
          { "Arm LFA: Activation not cancelled for image " SCP ": LFA_DEVICE_ERROR",
            "Arm LFA: LFA_ACTIVATE for image " SCP " failed: LFA_COMPONENT_WRONG_STATE" },
          ACTIVATE,
          FIRMWARE_CODE_COMPONENT_WRONG_STATE },
        { PROFILE_UNKNOWN,
          SCP,
          "",
          { "Arm LFA: LFA_ACTIVATE for image " SCP " timed out" },
          ACTIVATE,
          FIRMWARE_CODE_ACTIVATE_TIMED_OUT },
        { PROFILE_UNKNOWN,
          SCP,
          "",
          { "Arm LFA: LFA_PRIME for image " SCP " failed: LFA_SOMETHING_NEW" },
          PRIME,
          FIRMWARE_CODE_NONE },
};

static void every_version_of_the_driver_is_understood(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
                const Case *c = &versions[i];

                assert_reason(reason_of_lines(c->profile, c->guid, c->name, c->lines, G_N_ELEMENTS(c->lines),
                                              false, SECOND),
                              c->call, c->code);
        }
}

static void every_code_is_found_in_both_calls(void **state) {
        for (int number = -1; number >= -11; number--) {
                FirmwareCode code = firmware_code_from_number(number);
                g_autofree char *prime = g_strdup_printf("Arm LFA: LFA_PRIME for image TF-RMM failed: %s",
                                                         firmware_code_to_string(code));
                g_autofree char *activate = g_strdup_printf("LFA_ACTIVATE failed: %d", number);

                assert_reason(reason_of(prime), PRIME, code);
                assert_reason(reason_of(activate), ACTIVATE, code);
                assert_int_equal(reason_of(prime).busy, code == FIRMWARE_CODE_BUSY);
        }
}

static void another_images_line_is_never_ours(void **state) {
        static const struct {
                const char *guid, *name, *line;
        } cases[] = {
                { RMM, "TF-RMM", "Arm LFA: LFA_PRIME for image " SCP " failed: LFA_AUTH_ERROR" },
                { RMM, "", "Arm LFA: LFA_PRIME for image " SCP " failed: LFA_AUTH_ERROR" },
                { RMM, "TF-RMM", "Arm LFA: LFA_PRIME for image TF-A BL31 runtime failed: LFA_AUTH_ERROR" },
                { SCP, "", "Arm LFA: LFA_PRIME for image TF-RMM failed: LFA_BUSY" },
                { SCP, "(unknown)",
                  "Arm LFA: LFA_PRIME for image BL33 non-secure payload failed: LFA_BUSY" },
                { RMM, "TF-RMM", "Arm LFA: LFA_PRIME for image (unknown) failed: LFA_BUSY" },
                { SCP, "SCP", "Arm LFA: LFA_ACTIVATE for image MCP failed: LFA_BUSY" },
                { RMM, "TF-RMM", "Arm LFA: LFA_PRIME for image BL31 runtime timed out" },
                { RMM, "TF-RMM", "Arm LFA: Activation not cancelled for image " SCP ": LFA_BUSY" },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                FirmwareReason reason = reason_of_lines(PROFILE_V3, cases[i].guid, cases[i].name,
                                                        &cases[i].line, 1, false, SECOND);

                assert_reason(reason, NONE, FIRMWARE_CODE_NONE);
                assert_false(reason.busy);
        }
}

static void an_image_is_known_by_its_guid_in_any_form_of_its_name(void **state) {
        static const char *const names[] = { "TF-RMM", "RMM",  RMM, "6C0762A6-12F2-4B56-92CB-BA8F633606D9",
                                             "",       "\\xff" };

        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                g_autofree char *line =
                                g_strdup_printf("LFA_PRIME for image %s failed: LFA_AUTH_ERROR", names[i]);

                assert_reason(reason_of(line), PRIME, FIRMWARE_CODE_AUTH_ERROR);
        }
}

static void what_the_driver_calls_the_image_is_its_name(void **state) {
        const char *line = "LFA_PRIME for image SCP failed: failed: LFA_AUTH_ERROR";

        assert_reason(reason_of_lines(PROFILE_V3, SCP, "SCP failed:", &line, 1, false, SECOND), PRIME,
                      FIRMWARE_CODE_AUTH_ERROR);
}

static void a_line_that_names_the_image_beats_one_that_names_none(void **state) {
        static const char *const lines[] = { "LFA_ACTIVATE for image TF-RMM failed: LFA_CRITICAL_ERROR",
                                             "LFA_PRIME failed: -3", "LFA_ACTIVATE failed: -4" };

        assert_reason(reason_of_lines(PROFILE_V3, RMM, "TF-RMM", lines, 3, false, SECOND), ACTIVATE,
                      FIRMWARE_CODE_CRITICAL_ERROR);
}

/* "PRIME failed" proves that the old firmware runs: it must not come from another run's line. */
static void of_lines_that_name_no_image_activate_claims_less_than_prime(void **state) {
        static const char *const lines[] = { "LFA_ACTIVATE failed: -4", "LFA_PRIME failed: -3" };

        for (int i = 0; i < 2; i++) {
                const char *ordered[] = { lines[i], lines[1 - i] };

                assert_reason(reason_of_lines(PROFILE_RFC1, RMM, "RMM", ordered, 2, false, SECOND), ACTIVATE,
                              FIRMWARE_CODE_NO_MEMORY);
        }
}

static void with_lines_lost_one_that_names_no_image_proves_nothing(void **state) {
        FirmwareReasonScan scan;

        firmware_reason_begin(&scan, RMM, "TF-RMM");
        firmware_reason_take_line(&scan, 3, "LFA_PRIME failed: -2");
        firmware_reason_take_loss(&scan);
        assert_reason(firmware_reason_end(&scan, PROFILE_V3, false, SECOND), NONE, FIRMWARE_CODE_NONE);
        assert_true(firmware_reason_end(&scan, PROFILE_V3, false, SECOND).lost);
        assert_true(firmware_reason_end(&scan, PROFILE_V3, false, SECOND).busy);

        firmware_reason_take_line(&scan, 3, "LFA_PRIME for image TF-RMM failed: LFA_AUTH_ERROR");
        assert_reason(firmware_reason_end(&scan, PROFILE_V3, false, SECOND), PRIME,
                      FIRMWARE_CODE_AUTH_ERROR);
}

static void a_device_error_that_took_the_drivers_budget_is_a_time_out(void **state) {
        static const struct {
                DriverProfile profile;
                uint64_t usec;
                const char *line;
                FirmwareCode code;
        } cases[] = {
                { PROFILE_V3, 10 * SECOND, "LFA_ACTIVATE for image TF-RMM failed: LFA_DEVICE_ERROR",
                  FIRMWARE_CODE_ACTIVATE_TIMED_OUT },
                { PROFILE_V3, 10 * SECOND - 1, "LFA_ACTIVATE for image TF-RMM failed: LFA_DEVICE_ERROR",
                  FIRMWARE_CODE_DEVICE_ERROR },
                { PROFILE_V1NV, 19 * SECOND, "ACTIVATE for image TF-RMM failed: LFA_DEVICE_ERROR",
                  FIRMWARE_CODE_DEVICE_ERROR },
                { PROFILE_V1NV, 20 * SECOND, "ACTIVATE for image TF-RMM failed: LFA_DEVICE_ERROR",
                  FIRMWARE_CODE_ACTIVATE_TIMED_OUT },
                { PROFILE_V1, 60 * SECOND, "LFA_ACTIVATE for image TF-RMM failed: LFA_DEVICE_ERROR",
                  FIRMWARE_CODE_DEVICE_ERROR }, /* it has no budget */
                { PROFILE_V3, 40 * SECOND, "LFA_ACTIVATE for image TF-RMM failed: LFA_AUTH_ERROR",
                  FIRMWARE_CODE_AUTH_ERROR },
                { PROFILE_V3, 29 * SECOND, "LFA_PRIME for image TF-RMM failed: LFA_DEVICE_ERROR",
                  FIRMWARE_CODE_DEVICE_ERROR },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
                assert_string_equal(firmware_code_to_string(reason_of_lines(cases[i].profile, RMM, "TF-RMM",
                                                                            &cases[i].line, 1, false,
                                                                            cases[i].usec)
                                                                            .code),
                                    firmware_code_to_string(cases[i].code));
}

static void a_write_that_succeeds_has_a_reason_only_where_success_is_not_reliable(void **state) {
        static const char *const activate = "ACTIVATE for image TF-RMM failed: LFA_NO_MEMORY";
        static const char *const prime = "LFA_PRIME for image TF-RMM failed: LFA_NO_MEMORY";

        for (int profile = 0; profile < _PROFILE_MAX; profile++) {
                bool hides = profile == PROFILE_V1 || profile == PROFILE_V1NV;

                assert_reason(reason_of_lines((DriverProfile) profile, RMM, "TF-RMM", &activate, 1, true, 1),
                              hides ? ACTIVATE : NONE, hides ? FIRMWARE_CODE_NO_MEMORY : FIRMWARE_CODE_NONE);
                assert_reason(reason_of_lines((DriverProfile) profile, RMM, "TF-RMM", &prime, 1, true, 1),
                              NONE, FIRMWARE_CODE_NONE);
        }
}

static void busy_is_told_of_every_call(void **state) {
        static const char *const lines[] = {
                "LFA_PRIME for image TF-RMM failed: LFA_BUSY",
                "LFA_ACTIVATE for image TF-RMM failed: LFA_BUSY",
                "Activation not cancelled for image TF-RMM: LFA_BUSY",
                "Activation not cancelled for image : LFA_BUSY",
                "Firmware activation could not be cancelled: LFA_BUSY",
                "LFA_CANCEL failed: -2",
                "LFA_PRIME failed: -2",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
                assert_true(reason_of(lines[i]).busy);
}

static void the_cancels_own_failure_is_not_the_reason(void **state) {
        static const char *const lines[] = {
                "Arm LFA: Activation cancelled for image TF-RMM",
                "Arm LFA: Activation not cancelled for image TF-RMM: LFA_INVALID_PARAMETERS",
                "Arm LFA: Firmware activation could not be cancelled: LFA_DEVICE_ERROR",
                "LFA_CANCEL failed: -8",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
                assert_reason(reason_of(lines[i]), NONE, FIRMWARE_CODE_NONE);
}

static void whatever_else_stands_in_a_log_is_passed_over(void **state) {
        static const char *const lines[] = {
                "",
                " ",
                "Arm LFA: ",
                "Arm LFA: Arm LFA: LFA_PRIME failed: -3",
                "LFA_PRIME",
                "LFA_PRIME failed",
                "LFA_PRIME failed: ",
                "LFA_PRIME failed: -",
                "LFA_PRIME failed: 3",
                "LFA_PRIME failed: -3x",
                "LFA_PRIME failed: LFA_auth",
                "LFA_PRIME for failed: LFA_BUSY",
                "LFA_PRIME for imageTF-RMM failed: LFA_BUSY",
                "LFA_PRIMEfor image TF-RMM failed: LFA_BUSY",
                "xLFA_PRIME for image TF-RMM failed: LFA_BUSY",
                "usb 1-1: Arm LFA: LFA_PRIME for image TF-RMM failed: LFA_AUTH_ERROR",
                "LFA_PRIME for image TF-RMM failed: LFA_BUSY and more",
                "LFA_PRIME for image TF-RMM",
                "LFA_ACTIVATE for image TF-RMM succeeded",
                "TF-RMM: successfully activated",
                "Activation not cancelled for image TF-RMM timed out",
                "notified image activation failed: -11",
                "CPU reset not supported by kernel driver",
                "Error getting number of LFA components",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
                assert_reason(reason_of(lines[i]), NONE, FIRMWARE_CODE_NONE);
                assert_false(reason_of(lines[i]).busy);
        }
}

static void a_line_that_is_no_warning_is_not_the_drivers_failure(void **state) {
        for (int level = 0; level < 8; level++) {
                FirmwareReasonScan scan;

                firmware_reason_begin(&scan, RMM, "TF-RMM");
                firmware_reason_take_line(&scan, level, "LFA_PRIME failed: -3");
                assert_int_equal(firmware_reason_end(&scan, PROFILE_V3, false, 0).call,
                                 level <= 4 ? PRIME : NONE);
        }
}

/* Every line cut short at every place, and with every byte replaced: no crash, and nothing read beyond the
 * end (the sanitizers look). */
static void damaged_lines_do_no_harm(void **state) {
        static const char *const lines[] = {
                "Arm LFA: LFA_PRIME for image TF-RMM failed: LFA_AUTH_ERROR",
                "Arm LFA: LFA_ACTIVATE for image \\xff\\x00 timed out",
                "LFA_PRIME failed: -99999999999999999999999999",
                "Activation not cancelled for image : LFA_BUSY",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
                for (size_t length = 0; length <= strlen(lines[i]); length++) {
                        g_autofree char *line = g_strndup(lines[i], length);

                        (void) reason_of(line);
                        for (int byte = 1; length > 0 && byte < 256; byte++) {
                                line[length - 1] = (char) byte;
                                (void) reason_of(line);
                        }
                }
}

static void calls_round_trip(void **state) {
        for (int i = 0; i < _FIRMWARE_CALL_MAX; i++)
                assert_int_equal(firmware_call_from_string(firmware_call_to_string((FirmwareCall) i)), i);
        assert_int_equal(firmware_call_from_string("cancel"), -EINVAL);
        assert_null(firmware_call_to_string(_FIRMWARE_CALL_MAX));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_version_of_the_driver_is_understood),
                cmocka_unit_test(every_code_is_found_in_both_calls),
                cmocka_unit_test(another_images_line_is_never_ours),
                cmocka_unit_test(an_image_is_known_by_its_guid_in_any_form_of_its_name),
                cmocka_unit_test(what_the_driver_calls_the_image_is_its_name),
                cmocka_unit_test(a_line_that_names_the_image_beats_one_that_names_none),
                cmocka_unit_test(of_lines_that_name_no_image_activate_claims_less_than_prime),
                cmocka_unit_test(with_lines_lost_one_that_names_no_image_proves_nothing),
                cmocka_unit_test(a_device_error_that_took_the_drivers_budget_is_a_time_out),
                cmocka_unit_test(a_write_that_succeeds_has_a_reason_only_where_success_is_not_reliable),
                cmocka_unit_test(busy_is_told_of_every_call),
                cmocka_unit_test(the_cancels_own_failure_is_not_the_reason),
                cmocka_unit_test(whatever_else_stands_in_a_log_is_passed_over),
                cmocka_unit_test(a_line_that_is_no_warning_is_not_the_drivers_failure),
                cmocka_unit_test(damaged_lines_do_no_harm),
                cmocka_unit_test(calls_round_trip),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
