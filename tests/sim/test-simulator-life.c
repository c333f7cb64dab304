/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulator's own life, a simulator for each test: its device's uevents, where it mounts and where it refuses to,
 * how it ends, `lfa-sim run`, every profile. */

#include "served.h"

#include "util/macros.h"

#include <libudev.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static pid_t simulator;

static pid_t fork_store(void) {
        pid_t pid = fork();

        if (pid == 0)
                _exit(store(RMM, "activate", "1", 1) == 1 ? 0 : 1);
        return pid;
}

/* Receives one event of the monitor and compares; the device's properties stay readable until the next call.
 */
static void expect_event(struct udev_monitor *monitor, const char *action, const char *driver) {
        struct pollfd polled = { .fd = udev_monitor_get_fd(monitor), .events = POLLIN };
        struct udev_device *device;
        const char *found;

        assert_int_equal(poll(&polled, 1, 5000), 1);
        device = udev_monitor_receive_device(monitor);
        assert_non_null(device);
        assert_string_equal(udev_device_get_action(device), action);
        assert_string_equal(udev_device_get_subsystem(device), "arm_smccc");
        assert_true(g_str_has_prefix(udev_device_get_devpath(device), "/devices/arm-smccc-lfa"));
        assert_string_equal(udev_device_get_property_value(device, "MODALIAS"), "arm_smccc:arm-smccc-lfa");
        found = udev_device_get_property_value(device, "DRIVER");
        if (driver)
                assert_string_equal(found, driver);
        else
                assert_null(found);
        udev_device_unref(device);
}

static void expect_silence(struct udev_monitor *monitor) {
        struct pollfd polled = { .fd = udev_monitor_get_fd(monitor), .events = POLLIN };

        assert_int_equal(poll(&polled, 1, 100), 0);
}

static void statement_56_a_udev_monitor_hears_the_device_come_change_and_go(void **state) {
        struct udev *udev = udev_new();
        struct udev_monitor *monitor = udev_monitor_new_from_netlink(udev, "udev");

        assert_int_equal(udev_monitor_filter_add_match_subsystem_devtype(monitor, "arm_smccc", NULL), 0);
        assert_int_equal(udev_monitor_enable_receiving(monitor), 0);
        simulator = served_start("nvnew", "versioned", NULL);
        expect_event(monitor, "add", NULL);
        expect_event(monitor, "bind", "lfa_fw");
        expect_event(monitor, "change", "lfa_fw");
        expect_silence(monitor);

        ctl_ok("stage rmm 1.3");
        assert_int_equal(store(RMM, "activate", "1", 1), 1);
        expect_event(monitor, "change", "lfa_fw");
        assert_int_equal(store(RMM, "activate", "1", 1), -ECANCELED);
        expect_silence(monitor);
        ctl_ok("uevent change --count=3");
        for (int i = 0; i < 3; i++)
                expect_event(monitor, "change", "lfa_fw");
        ctl_ok("unbind");
        expect_event(monitor, "unbind", NULL);
        assert_int_equal(served_stop(simulator), 0);
        expect_event(monitor, "remove", NULL);
        udev_monitor_unref(monitor);
        udev_unref(udev);
}

static void without_uevents_nothing_is_sent(void **state) {
        struct udev *udev = udev_new();
        struct udev_monitor *monitor = udev_monitor_new_from_netlink(udev, "udev");

        assert_int_equal(udev_monitor_enable_receiving(monitor), 0);
        simulator = served_start("nvnew", "versioned", "--no-uevents");
        expect_silence(monitor);
        assert_int_equal(served_stop(simulator), 0);
        udev_monitor_unref(monitor);
        udev_unref(udev);
}

/* How many names are in that entry of SYS; 0 where it is no folder. */
static guint count_inside(const char *name) {
        g_autofree char *path = g_build_filename(SYS, name, NULL);
        g_autoptr(GPtrArray) inside = NULL;
        struct stat status;

        assert_int_equal(stat(path, &status), 0);
        if (!S_ISDIR(status.st_mode))
                return 0;
        inside = names_in(path);
        return inside->len;
}

static void other_entries_stay_visible_and_the_end_leaves_nothing_behind(void **state) {
        g_autoptr(GPtrArray) before = names_in(SYS), after = NULL;
        g_autofree guint *counts = g_new0(guint, before->len);
        struct stat old, new;

        for (guint i = 0; i < before->len; i++)
                counts[i] = count_inside(before->pdata[i]);
        simulator = served_start("v3", "tfa", NULL);
        for (guint i = 0; i < before->len; i++)
                assert_int_equal(count_inside(before->pdata[i]), counts[i]);
        assert_int_equal(stat(LFA, &old), 0);
        assert_int_equal(served_stop(simulator), 0);
        assert_int_equal(stat(LFA, &new), -1);
        assert_int_equal(access("/run/sim.sock", F_OK), -1);
        after = names_in(SYS);
        assert_int_equal(after->len, before->len);
        g_autoptr(GPtrArray) leftovers = names_in("/run");

        assert_int_equal(leftovers->len, 1); /* udev */
}

static void the_end_does_not_wait_for_a_hanging_store(void **state) {
        int status;
        pid_t pid;

        simulator = served_start("nvnew", "versioned", NULL);
        ctl_ok("stage rmm 1.3");
        ctl_ok("hang activate");
        pid = fork_store();
        ctl_ok("wait activate-entered");
        assert_int_equal(served_stop(simulator), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WEXITSTATUS(status), 1);
}

static void quit_ends_the_simulator(void **state) {
        int status;

        simulator = served_start("nvnew", "versioned", NULL);
        ctl_ok("quit");
        assert_int_equal(waitpid(simulator, &status, 0), simulator);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void an_unbound_driver_shows_nothing_until_bind(void **state) {
        struct stat status;

        simulator = served_start("nvnew", "versioned", "--unbound");
        assert_int_equal(stat(LFA, &status), -1);
        ctl_ok("bind");
        assert_text(RMM, "current_version", "1.2\n");
        assert_int_equal(served_stop(simulator), 0);
}

/* As in a container whose PID 1 lives in the same mount namespace. */
static void the_mount_namespace_of_pid_1_is_refused(void **state) {
        const char *command[] = { "unshare", "--mount",          "--pid",
                                  "--fork",  "--mount-proc",     getenv("LFA_SIM"),
                                  "mount",   "--control=/run/x", NULL };
        g_autofree char *error = NULL;
        struct stat status;

        assert_int_equal(served_refused(command, &error), 1);
        assert_non_null(strstr(error, "PID 1"));
        assert_int_equal(stat(LFA, &status), -1);
}

static void a_mount_that_would_spread_is_refused(void **state) {
        const char *command[] = { getenv("LFA_SIM"), "mount", "--control=/run/x", NULL };
        g_autofree char *error = NULL;

        assert_int_equal(mount(NULL, "/sys", NULL, MS_SHARED, NULL), 0);
        assert_int_equal(served_refused(command, &error), 1);
        assert_non_null(strstr(error, "spread"));
        assert_int_equal(mount(NULL, "/sys", NULL, MS_PRIVATE, NULL), 0);
}

static void run_gives_the_command_a_world_and_its_exit_status(void **state) {
        g_autofree char *line = g_strdup_printf("%s run --profile=v3 --firmware=tfa --no-uevents -- sh -c "
                                                "'%s ctl show > /run/shown && test -d " LFA " && exit 7'",
                                                getenv("LFA_SIM"), getenv("LFA_SIM"));
        g_autofree char *shown = NULL;
        struct stat there;
        int status;

        assert_true(g_spawn_command_line_sync(line, NULL, NULL, &status, NULL));
        assert_int_equal(WEXITSTATUS(status), 7);
        assert_true(g_file_get_contents("/run/shown", &shown, NULL, NULL));
        assert_true(g_str_has_prefix(shown, "profile: v3\nfirmware: tfa\n"));
        assert_int_equal(stat(LFA, &there), -1);
        (void) unlink("/run/shown");
}

static void quit_frees_a_command_that_is_lost_in_the_kernel(void **state) {
        g_autofree char *line = g_strdup_printf(
                        "%s run --control=/run/lost.sock --no-uevents -- sh -c '%s ctl hang activate; "
                        "%s ctl stage rmm 1.3; touch /run/hangs; echo 1 >" LFA "/" RMM "/activate'",
                        getenv("LFA_SIM"), getenv("LFA_SIM"), getenv("LFA_SIM"));
        char *command[] = { (char *) "sh", (char *) "-c", line, NULL };
        int status;
        GPid pid;

        assert_true(g_spawn_async(NULL, command, NULL,
                                  G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                                                  G_SPAWN_STDERR_TO_DEV_NULL,
                                  NULL, NULL, &pid, NULL));
        while (access("/run/hangs", F_OK) < 0)
                g_usleep(USEC_PER_MSEC);
        assert_int_equal(ctl("--control=/run/lost.sock wait activate-entered", NULL), 0);
        assert_int_equal(ctl("--control=/run/lost.sock quit", NULL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        (void) unlink("/run/hangs");
}

static void every_profile_can_be_mounted(void **state) {
        static const struct {
                const char *profile;
                guint n_files;
        } rows[] = { { "rfc1", 7 },  { "rfc2", 8 }, { "nvrfc", 8 }, { "v1", 10 },
                     { "v1nv", 10 }, { "v2s", 10 }, { "v2", 11 },   { "v2bos", 11 },
                     { "v3", 11 },   { "nv3", 11 }, { "nvnew", 11 } };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(GPtrArray) names = NULL;

                simulator = served_start(rows[i].profile, "versioned", NULL);
                names = names_in(LFA "/" RMM);
                assert_int_equal(names->len, rows[i].n_files);
                ctl_ok("stage rmm 1.3");
                assert_text(RMM, "activation_pending", "1\n");
                assert_int_equal(store(RMM, "activate", "1", 1), 1);
                assert_text(RMM, "activation_pending", "0\n");
                assert_int_equal(served_stop(simulator), 0);
        }
}

int main(int argc, char **argv) {
        const struct CMUnitTest own[] = {
                cmocka_unit_test(statement_56_a_udev_monitor_hears_the_device_come_change_and_go),
                cmocka_unit_test(without_uevents_nothing_is_sent),
                cmocka_unit_test(other_entries_stay_visible_and_the_end_leaves_nothing_behind),
                cmocka_unit_test(the_end_does_not_wait_for_a_hanging_store),
                cmocka_unit_test(quit_ends_the_simulator),
                cmocka_unit_test(an_unbound_driver_shows_nothing_until_bind),
                cmocka_unit_test(the_mount_namespace_of_pid_1_is_refused),
                cmocka_unit_test(a_mount_that_would_spread_is_refused),
                cmocka_unit_test(run_gives_the_command_a_world_and_its_exit_status),
                cmocka_unit_test(quit_frees_a_command_that_is_lost_in_the_kernel),
                cmocka_unit_test(every_profile_can_be_mounted),
        };

        served_enter(argv);
        return cmocka_run_group_tests_name("a simulator each", own, NULL, NULL);
}
