/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Readings of the whole tree: finding, comparing, what changed, and what must be read twice. */

#include "core/tree.h"
#include "unit.h"

#define GUID "6c0762a6-12f2-4b56-92cb-ba8f633606d9"

static const char *const guids[] = {
        "d6d0eea7-fcea-d54b-9782-9934f234b6e4", "05d0e189-53dc-1347-8d2b-500a4b7a3e38",
        "6c0762a6-12f2-4b56-92cb-ba8f633606d9", "47d4086d-4cfe-9846-9b95-2950cbbd5a00",
        "f07b2a96-1d47-4d17-9ec8-86a64e253e5c",
};

static ImageValues healthy(const char *guid) {
        ImageValues values;

        image_values_init(&values, guid);
        values.capable = values.pending = 1;
        values.may_reset_cpu = values.auto_activate = 0;
        values.cpu_rendezvous = values.force_cpu_rendezvous = 1;
        strcpy(values.current_version, "1.0");
        strcpy(values.pending_version, "1.1");
        return values;
}

static Tree *tree_of(size_t n) {
        Tree *tree = tree_new();

        tree->driver_state = DRIVER_ACTIVE;
        tree->profile = PROFILE_NVNEW;
        for (size_t i = 0; i < n; i++) {
                ImageValues values = healthy(guids[i]);

                g_array_append_val(tree->images, values);
        }
        tree_sort(tree);
        return tree;
}

static void every_image_of_a_sorted_tree_is_found(void **state) {
        for (size_t n = 0; n <= G_N_ELEMENTS(guids); n++) {
                g_autoptr(Tree) tree = tree_of(n);

                for (size_t i = 0; i < G_N_ELEMENTS(guids); i++) {
                        const ImageValues *found = tree_find(tree, guids[i]);

                        if (i < n)
                                assert_string_equal(found->guid, guids[i]);
                        else
                                assert_null(found);
                }
                assert_null(tree_find(tree, ""));
                assert_null(tree_find(tree, "00000000-0000-0000-0000-000000000000"));
                assert_null(tree_find(tree, "ffffffff-ffff-ffff-ffff-ffffffffffff"));
                for (unsigned i = 1; i < tree->images->len; i++)
                        assert_true(strcmp(g_array_index(tree->images, ImageValues, i - 1).guid,
                                           g_array_index(tree->images, ImageValues, i).guid) < 0);
        }
}

static void trees_are_equal_when_driver_and_every_image_are(void **state) {
        g_autoptr(Tree) a = tree_of(3);
        g_autoptr(Tree) b = tree_of(3);
        g_autoptr(Tree) fewer = tree_of(2);

        assert_true(tree_equal(a, b));
        assert_false(tree_equal(a, fewer));
        b->profile = PROFILE_NV3;
        assert_false(tree_equal(a, b));
        b->profile = a->profile;
        b->driver_state = DRIVER_UNKNOWN;
        assert_false(tree_equal(a, b));
        b->driver_state = a->driver_state;
        tree_find(b, guids[1])->auto_activate = 1;
        assert_false(tree_equal(a, b));
}

static void a_copy_is_equal_and_independent(void **state) {
        g_autoptr(Tree) tree = tree_of(3);
        g_autoptr(Tree) copy = tree_copy(tree);
        g_autoptr(Tree) empty = tree_new();
        g_autoptr(Tree) copy_of_empty = tree_copy(empty);

        assert_true(tree_equal(tree, copy));
        assert_true(tree_equal(empty, copy_of_empty));
        tree_find(copy, guids[0])->pending = 0;
        assert_int_equal(tree_find(tree, guids[0])->pending, 1);
}

static void what_happened_to_an_image_is_named(void **state) {
        const ImageValues before = healthy(GUID);
        ImageValues after = before;

        assert_int_equal(image_change(NULL, NULL), 0);
        assert_int_equal(image_change(NULL, &after), CHANGE_APPEARED);
        assert_int_equal(image_change(&before, NULL), CHANGE_VANISHED);
        assert_int_equal(image_change(&before, &after), 0);

        strcpy(after.current_version, "1.1");
        assert_int_equal(image_change(&before, &after), CHANGE_VERSION);
        after.pending = 0;
        assert_int_equal(image_change(&before, &after), CHANGE_VERSION | CHANGE_PENDING_FELL);
        strcpy(after.current_version, "1.0");
        assert_int_equal(image_change(&before, &after), CHANGE_PENDING_FELL);
}

static void what_is_unreadable_did_not_move(void **state) {
        const ImageValues before = healthy(GUID);
        ImageValues after = before;

        after.current_version[0] = 0;
        assert_int_equal(image_change(&before, &after), CHANGE_OTHER);
        assert_int_equal(image_change(&after, &before), CHANGE_OTHER);
        after = before;
        after.pending = -1;
        assert_int_equal(image_change(&before, &after), CHANGE_OTHER);
        after.pending = 0;
        assert_int_equal(image_change(&after, &before), CHANGE_OTHER); /* staged */
        after = before;
        strcpy(after.name, "another");
        assert_int_equal(image_change(&before, &after), CHANGE_OTHER);
}

typedef enum Edit {
        EDIT_STALE,
        EDIT_LOSE_VERSION,
        EDIT_LOSE_CAPABLE,
        EDIT_CAPABLE_UNREADABLE,
        EDIT_PENDING_UNREADABLE,
        EDIT_MOVE_VERSION,
        EDIT_PENDING_FELL,
        EDIT_OTHER_PENDING,
        EDIT_NO_PENDING_VERSION,
        EDIT_SETTINGS,
        EDIT_NAME,
        _EDIT_MAX,
} Edit;

static void edit_image(ImageValues *values, Edit edit) {
        switch (edit) {
        case EDIT_STALE:
                values->capable = values->pending = values->cpu_rendezvous = 0;
                values->current_version[0] = values->pending_version[0] = 0;
                break;
        case EDIT_LOSE_VERSION:
                values->current_version[0] = 0;
                break;
        case EDIT_LOSE_CAPABLE:
                values->capable = 0;
                break;
        case EDIT_CAPABLE_UNREADABLE:
                values->capable = -1;
                break;
        case EDIT_PENDING_UNREADABLE:
                values->pending = -1;
                break;
        case EDIT_MOVE_VERSION:
                strcpy(values->current_version, "1.1");
                break;
        case EDIT_PENDING_FELL:
                values->pending = 0;
                values->pending_version[0] = 0;
                break;
        case EDIT_OTHER_PENDING:
                strcpy(values->pending_version, "1.2");
                break;
        case EDIT_NO_PENDING_VERSION:
                values->pending_version[0] = 0;
                break;
        case EDIT_SETTINGS:
                values->force_cpu_rendezvous = 0;
                values->auto_activate = 1;
                break;
        default:
                strcpy(values->name, "other");
                break;
        }
}

static void only_what_may_be_a_glimpse_of_a_refresh_is_read_twice(void **state) {
        static const bool needs[_EDIT_MAX] = {
                [EDIT_STALE] = true,
                [EDIT_LOSE_VERSION] = true,
                [EDIT_LOSE_CAPABLE] = true,
                [EDIT_CAPABLE_UNREADABLE] = true,
                [EDIT_PENDING_UNREADABLE] = true,
        };

        for (Edit edit = 0; edit < _EDIT_MAX; edit++) {
                g_autoptr(Tree) before = tree_of(3);
                g_autoptr(Tree) after = tree_of(3);

                edit_image(tree_find(after, guids[1]), edit);
                assert_false(tree_equal(before, after));
                assert_int_equal(tree_change_needs_confirmation(before, after), needs[edit]);
                /* and back again: what reappears is no reason for doubt */
                assert_false(tree_change_needs_confirmation(after, before));
        }
}

static void vanished_images_are_read_twice_and_new_ones_not(void **state) {
        g_autoptr(Tree) few = tree_of(2);
        g_autoptr(Tree) many = tree_of(3);
        g_autoptr(Tree) none = tree_of(0);

        assert_true(tree_change_needs_confirmation(many, few));
        assert_true(tree_change_needs_confirmation(many, none));
        assert_false(tree_change_needs_confirmation(few, many));
        assert_false(tree_change_needs_confirmation(none, many));
        assert_false(tree_change_needs_confirmation(none, none));
}

static void an_image_that_is_first_seen_as_a_dropped_one_is_read_twice(void **state) {
        g_autoptr(Tree) few = tree_of(2);
        g_autoptr(Tree) many = tree_of(3);

        edit_image(tree_find(many, guids[2]), EDIT_STALE);
        assert_true(tree_change_needs_confirmation(few, many));
}

static void image_that_stays_stale_or_without_versions_is_no_news(void **state) {
        g_autoptr(Tree) before = tree_of(2);
        g_autoptr(Tree) after = NULL;

        edit_image(tree_find(before, guids[0]), EDIT_STALE);
        edit_image(tree_find(before, guids[1]), EDIT_LOSE_VERSION);
        after = tree_copy(before);
        assert_false(tree_change_needs_confirmation(before, after));
        tree_find(after, guids[0])->auto_activate = 1;
        tree_find(after, guids[1])->pending = 0;
        assert_false(tree_change_needs_confirmation(before, after));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_image_of_a_sorted_tree_is_found),
                cmocka_unit_test(trees_are_equal_when_driver_and_every_image_are),
                cmocka_unit_test(a_copy_is_equal_and_independent),
                cmocka_unit_test(what_happened_to_an_image_is_named),
                cmocka_unit_test(what_is_unreadable_did_not_move),
                cmocka_unit_test(only_what_may_be_a_glimpse_of_a_refresh_is_read_twice),
                cmocka_unit_test(vanished_images_are_read_twice_and_new_ones_not),
                cmocka_unit_test(an_image_that_is_first_seen_as_a_dropped_one_is_read_twice),
                cmocka_unit_test(image_that_stays_stale_or_without_versions_is_no_news),
        };

        return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
