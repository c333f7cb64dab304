/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of publicly known components. */

#include "unit.h"
#include "util/guid.h"
#include "util/known-guids.h"

static const struct {
        const char *guid, *alias;
} rows[] = {
        { "47d4086d-4cfe-9846-9b95-2950cbbd5a00", "bl31" },
        { "05d0e189-53dc-1347-8d2b-500a4b7a3e38", "bl32" },
        { "d6d0eea7-fcea-d54b-9782-9934f234b6e4", "bl33" },
        { "6c0762a6-12f2-4b56-92cb-ba8f633606d9", "rmm" },
        { "f07b2a96-1d47-4d17-9ec8-86a64e253e5c", "sp1" },
        { "c3ff2127-7e41-a9f8-05af-24a1afa33474", "sp2" },
        { "65922703-2f74-e644-8dff-579ac1ff0610", "scp" },
};

static void every_component_is_found_by_guid_and_by_alias(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                const KnownGuid *known = known_guid_find(rows[i].guid);
                g_autofree char *upper = g_ascii_strup(rows[i].alias, -1);

                assert_non_null(known);
                assert_true(guid_is_valid(known->guid));
                assert_string_equal(known->alias, rows[i].alias);
                assert_true(known->name[0] != 0);
                assert_ptr_equal(known_guid_find_alias(rows[i].alias), known);
                assert_ptr_equal(known_guid_find_alias(upper), known);
        }
}

static void the_efi_form_is_no_identity(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                char efi[GUID_STRING_SIZE];

                guid_swap_form(rows[i].guid, efi);
                assert_null(known_guid_find(efi));
        }
}

static void no_two_components_share_a_name_or_an_alias(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                for (size_t j = 0; j < i; j++) {
                        const KnownGuid *a = known_guid_find(rows[i].guid);
                        const KnownGuid *b = known_guid_find(rows[j].guid);

                        assert_true(strcasecmp(a->name, b->name) != 0);
                        assert_true(strcasecmp(a->alias, b->alias) != 0);
                }
}

static void components_without_a_public_name_are_not_made_up(void **state) {
        assert_null(known_guid_find("0509b633-5734-422f-a681-6096e932d93a"));
        assert_null(known_guid_find("3ab71f81-32b9-496d-841b-e3d0e9fd1a48"));
        assert_null(known_guid_find(""));
        assert_null(known_guid_find_alias(""));
        assert_null(known_guid_find_alias("rm"));
        assert_null(known_guid_find_alias("rmm "));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_component_is_found_by_guid_and_by_alias),
                cmocka_unit_test(the_efi_form_is_no_identity),
                cmocka_unit_test(no_two_components_share_a_name_or_an_alias),
                cmocka_unit_test(components_without_a_public_name_are_not_made_up),
        };

        return cmocka_run_group_tests_name("known-guids", tests, NULL, NULL);
}
