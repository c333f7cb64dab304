/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Image identities as text: what is valid, what a person may type, the two forms of the same bytes. */

#include "unit.h"
#include "util/guid.h"

/* Directory form and EFI form of the components that are publicly known. */
static const struct {
        const char *directory, *efi;
} forms[] = {
        { "47d4086d-4cfe-9846-9b95-2950cbbd5a00", "6d08d447-fe4c-4698-9b95-2950cbbd5a00" },
        { "d6d0eea7-fcea-d54b-9782-9934f234b6e4", "a7eed0d6-eafc-4bd5-9782-9934f234b6e4" },
        { "6c0762a6-12f2-4b56-92cb-ba8f633606d9", "a662076c-f212-564b-92cb-ba8f633606d9" },
        { "05d0e189-53dc-1347-8d2b-500a4b7a3e38", "89e1d005-dc53-4713-8d2b-500a4b7a3e38" },
        { "f07b2a96-1d47-4d17-9ec8-86a64e253e5c", "962a7bf0-471d-174d-9ec8-86a64e253e5c" },
        { "c3ff2127-7e41-a9f8-05af-24a1afa33474", "2721ffc3-417e-f8a9-05af-24a1afa33474" },
        { "65922703-2f74-e644-8dff-579ac1ff0610", "03279265-742f-44e6-8dff-579ac1ff0610" },
        { "0509b633-5734-422f-a681-6096e932d93a", "33b60905-3457-2f42-a681-6096e932d93a" },
        { "3ab71f81-32b9-496d-841b-e3d0e9fd1a48", "811fb73a-b932-6d49-841b-e3d0e9fd1a48" },
};

static void each_form_is_converted_into_the_other(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
                char other[GUID_STRING_SIZE];

                guid_swap_form(forms[i].directory, other);
                assert_string_equal(other, forms[i].efi);
                guid_swap_form(forms[i].efi, other);
                assert_string_equal(other, forms[i].directory);
        }
}

static void converting_twice_and_in_place_gives_the_same_back(void **state) {
        static const char original[] = "01234567-89ab-cdef-0123-456789abcdef";
        char guid[GUID_STRING_SIZE];

        strcpy(guid, original);
        guid_swap_form(guid, guid);
        assert_string_equal(guid, "67452301-ab89-efcd-0123-456789abcdef");
        guid_swap_form(guid, guid);
        assert_string_equal(guid, original);
}

static void a_person_may_type_either_case_and_braces(void **state) {
        static const char *const rows[] = {
                "6c0762a6-12f2-4b56-92cb-ba8f633606d9",   "6C0762A6-12F2-4B56-92CB-BA8F633606D9",
                "6c0762A6-12f2-4B56-92cb-bA8f633606d9",   "{6c0762a6-12f2-4b56-92cb-ba8f633606d9}",
                "{6C0762A6-12F2-4B56-92CB-BA8F633606D9}",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                char guid[GUID_STRING_SIZE];

                assert_int_equal(guid_parse(rows[i], guid), 0);
                assert_string_equal(guid, "6c0762a6-12f2-4b56-92cb-ba8f633606d9");
        }
}

static void odd_text_is_no_guid_and_leaves_the_result_alone(void **state) {
        static const char *const rows[] = {
                "",
                "-",
                "{",
                "{}",
                "rmm",
                "6c0762a6-12f2-4b56-92cb-ba8f633606d",
                "6c0762a6-12f2-4b56-92cb-ba8f633606d9a",
                "6c0762a6-12f2-4b56-92cb-ba8f633606d9 ",
                " 6c0762a6-12f2-4b56-92cb-ba8f633606d9",
                "6c0762a6-12f2-4b56-92cb-ba8f633606d9\n",
                "{6c0762a6-12f2-4b56-92cb-ba8f633606d9",
                "6c0762a6-12f2-4b56-92cb-ba8f633606d9}",
                "{6c0762a6-12f2-4b56-92cb-ba8f633606d9}}",
                "{6c0762a6-12f2-4b56-92cb-ba8f633606d9)",
                "6c0762a6012f204b56092cb0ba8f633606d9",
                "6c0762a612f24b5692cbba8f633606d9",
                "6c0762a61-2f2-4b56-92cb-ba8f633606d9",
                "6c0762ag-12f2-4b56-92cb-ba8f633606d9",
                ("6c0762a6-12f2-4b56-92cb-ba8f63360\xc3\xa9"
                 "9"),
                "6c0762a6_12f2_4b56_92cb_ba8f633606d9",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                char guid[GUID_STRING_SIZE];

                fill_untouched(guid, sizeof(guid));
                if (guid_parse(rows[i], guid) != -EINVAL || guid_is_valid(rows[i]))
                        fail_msg("'%s' was taken for a GUID", rows[i]);
                assert_true(is_untouched(guid, sizeof(guid)));
        }
}

static void only_the_kernels_own_spelling_is_a_directory(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
                g_autofree char *upper = g_ascii_strup(forms[i].directory, -1);
                g_autofree char *braced = g_strdup_printf("{%s}", forms[i].directory);

                assert_true(guid_is_valid(forms[i].directory));
                assert_true(guid_is_valid(forms[i].efi)); /* the text does not tell */
                assert_false(guid_is_valid(upper));
                assert_false(guid_is_valid(braced));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_form_is_converted_into_the_other),
                cmocka_unit_test(converting_twice_and_in_place_gives_the_same_back),
                cmocka_unit_test(a_person_may_type_either_case_and_braces),
                cmocka_unit_test(odd_text_is_no_guid_and_leaves_the_result_alone),
                cmocka_unit_test(only_the_kernels_own_spelling_is_a_directory),
        };

        return cmocka_run_group_tests_name("guid", tests, NULL, NULL);
}
