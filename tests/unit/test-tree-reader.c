/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the driver's whole tree, with files that stand for the driver's. */

#include "fake-sysfs.h"
#include "kernel/tree-reader.h"
#include "util/macros.h"

static Tree *read_tree(const TempFolder *sysfs) {
        Tree *tree = NULL;

        assert_int_equal(tree_read(sysfs->path, &tree), 0);
        assert_non_null(tree);
        return tree;
}

static void no_folder_means_no_driver(void **state) {
        g_autoptr(Tree) tree = read_tree(*state);

        assert_int_equal(tree->driver_state, DRIVER_NO_DRIVER);
        assert_int_equal(tree->profile, PROFILE_UNKNOWN);
        assert_int_equal(tree->images->len, 0);
        assert_int_equal(tree_open(((const TempFolder *) *state)->path), -ENOENT);
}

static void empty_folder_means_no_firmware(void **state) {
        g_autoptr(Tree) tree = NULL;

        fake_folder(*state, "firmware/lfa");
        tree = read_tree(*state);
        assert_int_equal(tree->driver_state, DRIVER_NO_FIRMWARE);
        assert_int_equal(tree->images->len, 0);
}

static void what_is_no_folder_is_an_error_and_no_tree(void **state) {
        const TempFolder *sysfs = *state;
        Tree *tree = NULL;

        temp_write_text(sysfs, "firmware/lfa", "a file");
        assert_int_equal(tree_read(sysfs->path, &tree), -ENOTDIR);
        assert_null(tree);
}

static void every_image_is_read_in_the_order_of_the_guids(void **state) {
        static const char *const sorted[] = { GUID_NAMELESS, GUID_BL31, GUID_RMM, GUID_BL33 };
        g_autoptr(Tree) tree = NULL;

        for (size_t i = G_N_ELEMENTS(sorted); i > 0; i--)
                fake_image(*state, sorted[i - 1], FAKE_V2);
        fake_attribute(*state, GUID_BL33, "current_version", "7.8\n");
        tree = read_tree(*state);
        assert_int_equal(tree->driver_state, DRIVER_ACTIVE);
        assert_int_equal(tree->images->len, G_N_ELEMENTS(sorted));
        for (unsigned i = 0; i < G_N_ELEMENTS(sorted); i++)
                assert_string_equal(g_array_index(tree->images, ImageValues, i).guid, sorted[i]);
        assert_string_equal(tree_find(tree, GUID_BL33)->current_version, "7.8");
        assert_string_equal(tree_find(tree, GUID_RMM)->current_version, "1.0");
}

static void entries_that_are_not_the_drivers_are_ignored(void **state) {
        g_autofree char *upper = g_ascii_strup(GUID_BL31, -1);
        g_autoptr(Tree) tree = NULL;

        fake_image(*state, GUID_RMM, FAKE_V2);
        fake_image(*state, upper, FAKE_V2);
        fake_image(*state, "{" GUID_BL31 "}", FAKE_V2);
        fake_image(*state, "power", FAKE_V2);
        fake_image(*state, ".hidden", FAKE_V2);
        temp_write_text(*state, "firmware/lfa/uevent", "");
        temp_write_text(*state, "firmware/lfa/" GUID_BL33, "a file with the name of an image");
        tree = read_tree(*state);
        assert_int_equal(tree->images->len, 1);
        assert_non_null(tree_find(tree, GUID_RMM));
}

static void image_that_vanishes_while_it_is_read_is_left_out(void **state) {
        g_autoptr(Tree) tree = NULL;

        fake_image(*state, GUID_RMM, FAKE_V2);
        fake_folder(*state, "firmware/lfa/" GUID_BL31); /* its files went first */
        tree = read_tree(*state);
        assert_int_equal(tree->images->len, 1);
        assert_int_equal(tree->driver_state, DRIVER_ACTIVE);
}

static void driver_that_activates_by_itself_is_unenforceable(void **state) {
        g_autoptr(Tree) tree = NULL;

        fake_image(*state, GUID_RMM, FAKE_V1);
        fake_folder(*state, "bus/platform/drivers/ARM_LFA");
        tree = read_tree(*state);
        assert_int_equal(tree->profile, PROFILE_V1NV);
        assert_int_equal(tree->driver_state, DRIVER_UNENFORCEABLE);
        assert_string_equal(tree_find(tree, GUID_RMM)->pending_version, ""); /* arbitrary there */
}

static void profile_decides_how_images_are_read(void **state) {
        g_autoptr(Tree) tree = NULL;

        fake_folder(*state, "bus/arm_smccc/drivers/lfa_fw");
        fake_image(*state, GUID_RMM, FAKE_V2);
        fake_image(*state, GUID_NAMELESS, FAKE_V2);
        fake_attribute(*state, GUID_NAMELESS, "name", GUID_NAMELESS "\n");
        tree = read_tree(*state);
        assert_int_equal(tree->profile, PROFILE_NV3);
        assert_string_equal(tree_find(tree, GUID_RMM)->pending_version, "1.1");
        assert_string_equal(tree_find(tree, GUID_NAMELESS)->name, "");
}

static void a_folder_with_more_images_than_any_firmware_has_is_bounded(void **state) {
        TempFolder *sysfs = temp_folder_new_in_memory();
        g_autoptr(Tree) tree = NULL;

        for (unsigned i = 0; i < TREE_IMAGES_MAX + 10; i++) {
                g_autofree char *guid = g_strdup_printf("%08x-0000-0000-0000-000000000000", i);

                fake_attribute(sysfs, guid, "activation_capable", "1\n");
        }
        tree = read_tree(sysfs);
        temp_folder_free(sysfs);
        assert_int_equal(tree->images->len, TREE_IMAGES_MAX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_folder(no_folder_means_no_driver),
                unit_test_with_folder(empty_folder_means_no_firmware),
                unit_test_with_folder(what_is_no_folder_is_an_error_and_no_tree),
                unit_test_with_folder(every_image_is_read_in_the_order_of_the_guids),
                unit_test_with_folder(entries_that_are_not_the_drivers_are_ignored),
                unit_test_with_folder(image_that_vanishes_while_it_is_read_is_left_out),
                unit_test_with_folder(driver_that_activates_by_itself_is_unenforceable),
                unit_test_with_folder(profile_decides_how_images_are_read),
                cmocka_unit_test(a_folder_with_more_images_than_any_firmware_has_is_bounded),
        };

        return cmocka_run_group_tests_name("tree-reader", tests, NULL, NULL);
}
