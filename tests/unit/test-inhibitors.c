/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inhibitors: how many there may be, whom they concern, how they end, and what a later lfad finds of them. */

#include "daemon/inhibitors.h"
#include "unit.h"
#include "util/macros.h"

#include <fcntl.h>
#include <sys/stat.h>

#define RMM "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define BL31 "47d4086d-4cfe-9846-9b95-2950cbbd5a00"

typedef struct World {
        sd_event *event;
        const TempFolder *folder;
        Inhibitors *inhibitors;
        unsigned changes;
} World;

static void on_changed(void *userdata) {
        World *world = userdata;

        world->changes++;
}

static void world_start(World *world) {
        world->inhibitors =
                        inhibitors_new(world->event, world->folder->path, &system_clock, on_changed, world);
        inhibitors_restore(world->inhibitors);
}

static World *world_new(void **state) {
        World *world = g_new0(World, 1);

        world->folder = *state;
        assert_true(sd_event_new(&world->event) >= 0);
        world_start(world);
        return world;
}

static void world_restart(World *world) {
        inhibitors_free(world->inhibitors);
        world_start(world);
}

static void world_free(World *world) {
        inhibitors_free(world->inhibitors);
        sd_event_unref(world->event);
        g_free(world);
}

/* Whatever is to be noticed is there when a descriptor was closed. */
static void let_events_come(World *world) {
        while (sd_event_run(world->event, 0) > 0)
                ;
}

static int take_as(World *world, uint32_t uid, InhibitMode mode, const char *who, const char *guid,
                   int *ret_fd) {
        char *guids[] = { (char *) guid, NULL };
        const Inhibitor wanted = { .mode = mode,
                                   .who = (char *) who,
                                   .why = (char *) "why",
                                   .guids = guids,
                                   .uid = uid,
                                   .pid = 77 };

        return inhibitors_take(world->inhibitors, &wanted, ret_fd);
}

static int take(World *world, InhibitMode mode, const char *who, const char *guid) {
        int fd = -EBADF;

        assert_int_equal(take_as(world, 0, mode, who, guid, &fd), 0);
        assert_true(fd >= 0);
        return fd;
}

static void assert_first(World *world, InhibitMode mode, const char *guid, const char *who, unsigned more) {
        unsigned found = 99;
        const Inhibitor *first = inhibitors_find_first(world->inhibitors, mode, guid, &found);

        assert_int_equal(found, more);
        if (who)
                assert_string_equal(first->who, who);
        else
                assert_null(first);
}

static void each_concerns_its_images_and_none_means_all(void **state) {
        World *world = world_new(state);
        int fds[] = { take(world, INHIBIT_BLOCK, "a", RMM), take(world, INHIBIT_BLOCK, "b", NULL),
                      take(world, INHIBIT_DELAY, "c", BL31) };

        assert_first(world, INHIBIT_BLOCK, RMM, "a", 1);
        assert_first(world, INHIBIT_BLOCK, BL31, "b", 0);
        assert_first(world, INHIBIT_DELAY, BL31, "c", 0);
        assert_first(world, INHIBIT_DELAY, RMM, NULL, 0);
        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
                close(fds[i]);
        world_free(world);
}

static void who_delays_is_described_for_people(void **state) {
        World *world = world_new(state);
        g_autofree char *one = NULL, *several = NULL;
        int fds[4];

        assert_null(inhibitors_describe_delays(world->inhibitors, RMM));
        fds[0] = take(world, INHIBIT_BLOCK, "block", RMM);
        assert_null(inhibitors_describe_delays(world->inhibitors, RMM));
        fds[1] = take(world, INHIBIT_DELAY, "first", NULL);
        one = inhibitors_describe_delays(world->inhibitors, RMM);
        assert_string_equal(one, "first (why)");
        fds[2] = take(world, INHIBIT_DELAY, "second", RMM);
        fds[3] = take(world, INHIBIT_DELAY, "third", RMM);
        several = inhibitors_describe_delays(world->inhibitors, RMM);
        assert_string_equal(several, "first (why), and 2 more");
        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
                close(fds[i]);
        world_free(world);
}

static void there_are_64_and_8_of_one_user(void **state) {
        World *world = world_new(state);
        g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
        int fd;

        for (uint32_t uid = 0; uid < 8; uid++) {
                for (int i = 0; i < 8; i++) {
                        assert_int_equal(inhibitors_check_caps(world->inhibitors, uid), 0);
                        assert_int_equal(take_as(world, uid, INHIBIT_BLOCK, "x", RMM, &fd), 0);
                        g_array_append_val(fds, fd);
                }
                assert_int_equal(take_as(world, uid, INHIBIT_BLOCK, "x", RMM, &fd), -EDQUOT);
        }
        assert_int_equal(inhibitors_check_caps(world->inhibitors, 1000), -EDQUOT);
        world_restart(world);
        assert_int_equal(inhibitors_count(world->inhibitors), 64);
        for (unsigned i = 0; i < fds->len; i++) {
                assert_int_equal(inhibitors_get(world->inhibitors, i)->id, i + 1);
                close(g_array_index(fds, int, i));
        }
        world->changes = 0;
        let_events_come(world);
        assert_int_equal(inhibitors_count(world->inhibitors), 0);
        assert_int_equal(world->changes, 64);
        world_free(world);
}

static void what_is_written_is_left_alone_and_ends_nothing(void **state) {
        World *world = world_new(state);
        char data[4096] = "x";
        int fd = take(world, INHIBIT_BLOCK, "a", RMM);

        while (write(fd, data, sizeof(data)) > 0)
                assert_int_equal(sd_event_run(world->event, 0), 0);
        assert_int_equal(errno, EAGAIN);
        assert_int_equal(sd_event_run(world->event, 0), 0);
        world_restart(world);
        assert_int_equal(inhibitors_count(world->inhibitors), 1);
        while (write(fd, data, sizeof(data)) > 0)
                ;
        close(fd);
        let_events_come(world);
        assert_int_equal(inhibitors_count(world->inhibitors), 0);
        world_free(world);
}

static void a_later_one_finds_all_that_was_said_and_does_not_reuse_ids(void **state) {
        World *world = world_new(state);
        int first = take(world, INHIBIT_DELAY, "\"\\/ \u00fc", BL31),
            second = take(world, INHIBIT_BLOCK, "b", NULL);
        const Inhibitor *found;
        uint64_t since = inhibitors_get(world->inhibitors, 0)->since_usec;

        close(second); /* and nobody notices */
        world_restart(world);
        assert_int_equal(inhibitors_count(world->inhibitors), 1);
        found = inhibitors_get(world->inhibitors, 0);
        assert_string_equal(found->who, "\"\\/ \u00fc");
        assert_string_equal(found->why, "why");
        assert_int_equal(found->mode, INHIBIT_DELAY);
        assert_string_equal(found->guids[0], BL31);
        assert_null(found->guids[1]);
        assert_int_equal(found->pid, 77);
        assert_true(found->since_usec == since);
        second = take(world, INHIBIT_BLOCK, "c", RMM);
        assert_int_equal(inhibitors_get(world->inhibitors, 1)->id, 3);
        close(first);
        close(second);
        world_free(world);
}

static void the_files_are_for_root_alone_and_go_with_it(void **state) {
        World *world = world_new(state);
        g_autofree char *folder = temp_path(*state, "inhibit"), *fifo = temp_path(*state, "inhibit/1.fifo"),
                        *description = temp_path(*state, "inhibit/1.json");
        struct stat status;
        int fd = take(world, INHIBIT_BLOCK, "a", RMM);

        assert_true(stat(folder, &status) >= 0 && (status.st_mode & 0777) == 0700);
        assert_true(stat(fifo, &status) >= 0 && (status.st_mode & 0777) == 0600);
        assert_true(stat(description, &status) >= 0 && (status.st_mode & 0777) == 0600);
        assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        close(fd);
        let_events_come(world);
        assert_true(stat(fifo, &status) < 0 && errno == ENOENT);
        assert_true(stat(description, &status) < 0 && errno == ENOENT);
        world_free(world);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_folder(each_concerns_its_images_and_none_means_all),
                unit_test_with_folder(who_delays_is_described_for_people),
                unit_test_with_folder(there_are_64_and_8_of_one_user),
                unit_test_with_folder(what_is_written_is_left_alone_and_ends_nothing),
                unit_test_with_folder(a_later_one_finds_all_that_was_said_and_does_not_reuse_ids),
                unit_test_with_folder(the_files_are_for_root_alone_and_go_with_it),
        };

        return cmocka_run_group_tests_name("inhibitors", tests, NULL, NULL);
}
