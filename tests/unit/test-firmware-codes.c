/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The catalogue of firmware's reasons: complete, and readable both ways. */

#include "core/firmware-codes.h"
#include "unit.h"

static void every_code_has_all_its_texts(void **state) {
        for (int i = 1; i < _FIRMWARE_CODE_MAX; i++) {
                FirmwareCode code = (FirmwareCode) i;
                const char *name = firmware_code_to_string(code);

                assert_int_equal(firmware_code_from_string(name), code);
                assert_true(g_str_has_suffix(firmware_code_meaning(code), "."));
                assert_true(g_str_has_suffix(firmware_code_advice(code), "."));
                assert_true((unsigned) firmware_code_retry(code) < _FIRMWARE_RETRY_MAX);
                for (int other = 1; other < i; other++)
                        assert_string_not_equal(name, firmware_code_to_string((FirmwareCode) other));
        }
}

static void the_eleven_numbers_have_a_name_each_and_no_other_number_has(void **state) {
        for (int number = -1; number >= -11; number--) {
                FirmwareCode code = firmware_code_from_number(number);

                assert_int_not_equal(code, FIRMWARE_CODE_NONE);
                assert_true(g_str_has_prefix(firmware_code_to_string(code), "LFA_"));
        }
        assert_string_equal(firmware_code_to_string(firmware_code_from_number(-3)), "LFA_AUTH_ERROR");
        assert_int_equal(firmware_code_from_number(0), FIRMWARE_CODE_NONE);
        assert_int_equal(firmware_code_from_number(1), FIRMWARE_CODE_NONE);
        assert_int_equal(firmware_code_from_number(-12), FIRMWARE_CODE_NONE);
        assert_int_equal(firmware_code_from_number(INT32_MIN), FIRMWARE_CODE_NONE);
}

static void what_is_no_name_is_no_code(void **state) {
        static const char *const texts[] = { "",           "LFA_",           "LFA_SUCCESS",
                                             "AUTH_ERROR", "lfa_auth_error", "LFA_AUTH_ERROR " };

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                assert_int_equal(firmware_code_from_string(texts[i]), FIRMWARE_CODE_NONE);
        assert_string_equal(firmware_code_to_string(FIRMWARE_CODE_NONE), "");
        assert_string_equal(firmware_code_meaning(FIRMWARE_CODE_NONE), "");
        assert_string_equal(firmware_code_advice(FIRMWARE_CODE_NONE), "");
        assert_int_equal(firmware_code_retry(FIRMWARE_CODE_NONE), FIRMWARE_RETRY_PERHAPS);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_code_has_all_its_texts),
                cmocka_unit_test(the_eleven_numbers_have_a_name_each_and_no_other_number_has),
                cmocka_unit_test(what_is_no_name_is_no_code),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
