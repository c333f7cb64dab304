/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which image is meant by what a person types. */

#include "daemon/manager.h"
#include "unit.h"
#include "util/clock.h"
#include "util/log.h"

#define BL31 "47d4086d-4cfe-9846-9b95-2950cbbd5a00"
#define BL31_EFI "6d08d447-fe4c-4698-9b95-2950cbbd5a00"
#define RMM "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define RMM_EFI "a662076c-f212-564b-92cb-ba8f633606d9"
#define SP1 "f07b2a96-1d47-4d17-9ec8-86a64e253e5c"
#define SP2 "c3ff2127-7e41-a9f8-05af-24a1afa33474"
#define NAMED "0509b633-5734-422f-a681-6096e932d93a"    /* no public name; the kernel gives one */
#define NAMELESS "3ab71f81-32b9-496d-841b-e3d0e9fd1a48" /* neither */

/* The observer is of no interest here. */
static void ignore_manager(unsigned properties, void *userdata) {
}

static void ignore_image(const Image *image, void *userdata) {
}

static void ignore_image_change(const Image *image, unsigned properties, void *userdata) {
}

static const ManagerObserver observer = {
        .manager_changed = ignore_manager,
        .image_added = ignore_image,
        .image_removed = ignore_image,
        .image_changed = ignore_image_change,
};

static const ManagerSettings settings = {
        .worker = { "/nonexistent", "/nonexistent" },
        .state_folder = "/nonexistent",
        .runtime_folder = "/nonexistent",
};

typedef struct World {
        sd_event *event;
        Manager *manager;
} World;

/* guids: until NULL */
static void show_images(const World *world, const char *const *guids) {
        g_autoptr(Tree) tree = tree_new();

        tree->driver_state = DRIVER_ACTIVE;
        tree->profile = PROFILE_NVNEW;
        for (size_t i = 0; guids[i]; i++) {
                ImageValues values;

                image_values_init(&values, guids[i]);
                values.capable = 1;
                if (strcmp(guids[i], NAMED) == 0)
                        strcpy(values.name, "Mission Control");
                g_array_append_val(tree->images, values);
        }
        tree_sort(tree);
        images_update(world->manager, tree);
}

static int setup(void **state) {
        static const char *const guids[] = { BL31, RMM, SP1, SP2, NAMED, NAMELESS, NULL };
        World *world = g_new0(World, 1);

        assert_true(sd_event_new(&world->event) >= 0);
        world->manager = manager_new(world->event, &settings, &system_clock, &observer, NULL);
        show_images(world, guids);
        *state = world;
        return 0;
}

static int teardown(void **state) {
        World *world = *state;

        manager_free(world->manager);
        sd_event_unref(world->event);
        g_free(world);
        return 0;
}

static void assert_finds(const World *world, const char *text, const char *guid) {
        Image *image = NULL;
        int r = manager_lookup_image(world->manager, text, &image);

        if (r != 0 || strcmp(image->values.guid, guid) != 0)
                fail_msg("'%s' is %s (%d), not %s", text, image ? image->values.guid : "nothing", r, guid);
}

static void assert_error(const World *world, const char *text, int error) {
        Image *image = NULL;
        int r = manager_lookup_image(world->manager, text, &image);

        if (r != error || image)
                fail_msg("'%s' gives %d, not %d", text, r, error);
}

static void an_image_is_found_by_whatever_names_it(void **state) {
        static const struct {
                const char *text, *guid;
        } rows[] = {
                { RMM, RMM },
                { "6C0762A6-12F2-4B56-92CB-BA8F633606D9", RMM },
                { "{" RMM "}", RMM },
                { RMM_EFI, RMM },
                { "A662076C-F212-564B-92CB-BA8F633606D9", RMM },
                { BL31_EFI, BL31 },
                { "rmm", RMM },
                { "RMM", RMM },
                { "bl31", BL31 },
                { "Realm Management Monitor (RMM)", RMM },
                { "realm management monitor (rmm)", RMM },
                { "Realm", RMM },
                { "Mission Control", NAMED },
                { "mission", NAMED },
                { NAMELESS, NAMELESS },
                { "3ab7", NAMELESS },
                { "6c07", RMM },
                { "6C07", RMM },
                { "a662076c-", RMM },
                { "b", BL31 },
                { "sp1", SP1 },
                { "sp2", SP2 },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                assert_finds(*state, rows[i].text, rows[i].guid);
}

static void what_fits_several_images_is_ambiguous(void **state) {
        static const char *const rows[] = { "sp", "s", "Secure partition", "6", "3" };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                assert_error(*state, rows[i], -ENOTUNIQ);
}

static void what_fits_nothing_is_not_found(void **state) {
        static const char *const rows[] = {
                "",
                " ",
                "rmm2",
                "bl33",
                "scp",
                "mm",
                "Control",
                "*",
                "%s",
                "-",
                "d6d0eea7-fcea-d54b-9782-9934f234b6e4", /* known, and not here */
                RMM "0",
                ("{" RMM),
                "{}",
                "{6c07}",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                assert_error(*state, rows[i], -ENOENT);
}

static void a_whole_name_comes_before_the_beginning_of_another(void **state) {
        static const char *const guids[] = { NAMED, SP1, NULL };
        const World *world = *state;

        show_images(world, guids);
        strcpy(manager_find_image(world->manager, NAMED)->values.name, "sp1 of another vendor");
        assert_finds(world, "sp1", SP1);
        assert_finds(world, "sp1 ", NAMED);
        assert_error(world, "sp", -ENOTUNIQ);
}

static void one_text_that_is_the_guid_of_one_and_the_efi_form_of_another_is_ambiguous(void **state) {
        static const char *const guids[] = { RMM, RMM_EFI, NULL };

        show_images(*state, guids);
        assert_error(*state, RMM, -ENOTUNIQ);
        assert_error(*state, RMM_EFI, -ENOTUNIQ);
        assert_finds(*state, "rmm", RMM);
}

static void images_with_the_same_name_are_ambiguous(void **state) {
        const World *world = *state;

        strcpy(manager_find_image(world->manager, NAMELESS)->values.name, "Mission Control");
        assert_error(world, "Mission Control", -ENOTUNIQ);
        assert_finds(world, NAMELESS, NAMELESS);
}

static void an_image_that_is_only_remembered_is_not_found(void **state) {
        static const char *const guids[] = { BL31, SP1, NULL };
        const World *world = *state;

        show_images(world, guids);
        assert_error(world, RMM, -ENOENT);
        assert_error(world, RMM_EFI, -ENOENT);
        assert_error(world, "rmm", -ENOENT);
        assert_finds(world, "sp", SP1); /* no longer ambiguous */
        assert_null(manager_find_image(world->manager, RMM));
        assert_non_null(images_remember(world->manager, RMM));
        assert_error(world, RMM, -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(an_image_is_found_by_whatever_names_it, setup, teardown),
                cmocka_unit_test_setup_teardown(what_fits_several_images_is_ambiguous, setup, teardown),
                cmocka_unit_test_setup_teardown(what_fits_nothing_is_not_found, setup, teardown),
                cmocka_unit_test_setup_teardown(a_whole_name_comes_before_the_beginning_of_another, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(
                                one_text_that_is_the_guid_of_one_and_the_efi_form_of_another_is_ambiguous,
                                setup, teardown),
                cmocka_unit_test_setup_teardown(images_with_the_same_name_are_ambiguous, setup, teardown),
                cmocka_unit_test_setup_teardown(an_image_that_is_only_remembered_is_not_found, setup,
                                                teardown),
        };

        log_set_max_level(LOG_ERR);
        return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
