/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mounted file system as a client meets it, in private mount and network namespaces. */

#include "served.h"

#include "util/guid.h"
#include "util/macros.h"

#include <dirent.h>
#include <fcntl.h>
#include <libudev.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

static pid_t simulator;

static int start_nvnew(void **state) {
        simulator = served_start("nvnew", "versioned", NULL);
        return 0;
}

static int stop(void **state) {
        return served_stop(simulator);
}

/* The names in a directory, "." and ".." left out. */
static GPtrArray *names_in(const char *path) {
        GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
        DIR *directory = opendir(path);
        const struct dirent *entry;

        assert_non_null(directory);
        while ((entry = readdir(directory)))
                if (entry->d_name[0] != '.')
                        g_ptr_array_add(names, g_strdup(entry->d_name));
        closedir(directory);
        return names;
}

static uint64_t counter(const char *name) {
        g_autofree char *output = NULL, *start = g_strdup_printf("%s: ", name);
        const char *found;

        assert_int_equal(ctl("counters", &output), 0);
        found = strstr(output, start);
        assert_non_null(found);
        return strtoull(found + strlen(start), NULL, 10);
}

/* Until the simulator's own report holds the text. */
static void wait_for_shown(const char *text) {
        gint64 end = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;

        while (g_get_monotonic_time() < end) {
                g_autofree char *output = NULL;

                assert_int_equal(ctl("show", &output), 0);
                if (strstr(output, text))
                        return;
        }
        fail_msg("never showed '%s'", text);
}

static void assert_text(const char *guid, const char *attribute, const char *expected) {
        g_autofree char *text = text_of(guid, attribute);

        assert_string_equal(text, expected);
}

static void statement_2_image_directories_are_lower_case_guids(void **state) {
        g_autoptr(GPtrArray) names = names_in(LFA);

        assert_int_equal(names->len, 4);
        for (guint i = 0; i < names->len; i++)
                assert_true(guid_is_valid(names->pdata[i]));
}

static void statement_4_modes_and_sizes_are_those_of_sysfs(void **state) {
        g_autoptr(GPtrArray) names = names_in(LFA "/" RMM);
        struct stat status;

        assert_int_equal(names->len, 11);
        for (guint i = 0; i < names->len; i++) {
                const char *name = names->pdata[i];
                mode_t mode = 0444;

                if (strcmp(name, "activate") == 0 || strcmp(name, "cancel") == 0)
                        mode = 0200;
                else if (strcmp(name, "auto_activate") == 0 || strcmp(name, "force_cpu_rendezvous") == 0)
                        mode = 0644;
                assert_int_equal(stat(file(RMM, name), &status), 0);
                assert_int_equal(status.st_mode, S_IFREG | mode);
                assert_int_equal(status.st_size, 4096);
                assert_int_equal(status.st_uid, 0);
        }
        assert_int_equal(stat(LFA "/" RMM, &status), 0);
        assert_int_equal(status.st_mode, S_IFDIR | 0755);
        assert_int_equal(stat(LFA "/" RMM "/uevent", &status), -1);
        assert_int_equal(errno, ENOENT);
}

static void statement_5_not_even_root_gets_past_the_mode(void **state) {
        assert_int_equal(try_open(file(RMM, "activate"), O_RDONLY), -EACCES);
        assert_int_equal(try_open(file(RMM, "activate"), O_RDWR), -EACCES);
        assert_int_equal(try_open(file(RMM, "name"), O_WRONLY), -EACCES);
        assert_int_equal(try_open(file(RMM, "name"), O_RDWR), -EACCES);
        assert_int_equal(try_open(file(RMM, "auto_activate"), O_RDWR), 0);
        assert_int_equal(try_open(LFA "/" RMM "/new", O_CREAT | O_WRONLY), -EACCES);
        assert_int_equal(try_open(file(RMM, "nothing"), O_RDONLY), -ENOENT);
}

static void other_users_may_read_and_not_write(void **state) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
                        _exit(10);
                _exit(try_open(file(RMM, "activation_pending"), O_RDONLY) != 0                     ? 11
                      : try_open(file(RMM, "activate"), O_WRONLY) != -EACCES                       ? 12
                      : try_open(file(RMM, "force_cpu_rendezvous"), O_WRONLY | O_TRUNC) != -EACCES ? 13
                                                                                                   : 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void statement_6_second_read_is_empty_and_pread_is_fresh(void **state) {
        _cleanup_close_ int fd = open(file(RMM, "activation_pending"), O_RDONLY);
        char buffer[64];

        assert_int_equal(read(fd, buffer, sizeof(buffer)), 2);
        assert_memory_equal(buffer, "0\n", 2);
        assert_int_equal(read(fd, buffer, sizeof(buffer)), 0);
        ctl_ok("stage rmm 1.3");
        assert_int_equal(pread(fd, buffer, sizeof(buffer), 0), 2);
        assert_memory_equal(buffer, "1\n", 2);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        ctl_ok("unstage rmm");
        assert_int_equal(read(fd, buffer, sizeof(buffer)), 2);
        assert_memory_equal(buffer, "0\n", 2);
}

static void statement_16_small_reads_cost_one_firmware_call(void **state) {
        _cleanup_close_ int fd = open(file(RMM, "pending_version"), O_RDONLY);
        uint64_t before = counter("smc-inventory");
        char buffer[4];

        for (size_t i = 0; i < strlen("N/A\n"); i++)
                assert_int_equal(read(fd, buffer, 1), 1);
        assert_int_equal(read(fd, buffer, 1), 0);
        assert_int_equal(counter("smc-inventory") - before, 1);
}

static void statement_7_poll_never_signals_a_change(void **state) {
        _cleanup_close_ int fd = open(file(RMM, "activation_pending"), O_RDONLY);
        struct pollfd polled = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI };
        char buffer[8];

        assert_int_equal(poll(&polled, 1, 0), 1);
        assert_int_equal(polled.revents, POLLIN | POLLOUT | POLLPRI | POLLERR);
        assert_int_equal(read(fd, buffer, sizeof(buffer)), 2);
        ctl_ok("stage rmm 1.3");
        assert_int_equal(poll(&polled, 1, 0), 1);
        assert_int_equal(polled.revents, POLLIN | POLLOUT);
        ctl_ok("unstage rmm");
}

static void statement_17_writes_of_any_size_but_zero_are_one_store(void **state) {
        static char data[8192];
        struct iovec parts[] = { { .iov_base = data, .iov_len = 3 }, { .iov_base = data, .iov_len = 4 } };
        _cleanup_close_ int fd = -EBADF;

        ctl_ok("reset-counters");
        assert_int_equal(store(RMM, "activate", "", 0), 0);
        assert_int_equal(counter("activate-stores"), 0);

        for (int i = 0; i < 4; i++)
                ctl_ok("stage rmm 1.3");
        assert_int_equal(store(RMM, "activate", "\n", 1), 1);
        ctl_ok("stage rmm 1.4");
        assert_int_equal(store(RMM, "activate", data, 4096), 4096);
        ctl_ok("stage rmm 1.5");
        assert_int_equal(store(RMM, "activate", data, sizeof(data)), 4096);
        assert_int_equal(counter("activate-stores"), 3);

        ctl_ok("stage rmm 1.6");
        fd = open(file(RMM, "activate"), O_WRONLY | O_TRUNC);
        assert_int_equal(writev(fd, parts, 2), 7);
        assert_int_equal(counter("activate-stores"), 4);
        assert_text(RMM, "current_version", "1.6\n");
}

static void statement_18_two_writes_are_two_activations(void **state) {
        _cleanup_close_ int fd = open(file(RMM, "activate"), O_WRONLY);

        ctl_ok("stage rmm 2.0");
        ctl_ok("reset-counters");
        assert_int_equal(write(fd, "1", 1), 1);
        assert_int_equal(write(fd, "\n", 1), -1);
        assert_int_equal(errno, ECANCELED);
        assert_int_equal(counter("activate-stores"), 2);
        assert_int_equal(counter("smc-prime"), 2);
}

static void settings_are_written_and_read_back(void **state) {
        assert_int_equal(store(RMM, "auto_activate", "on", 2), 2);
        assert_text(RMM, "auto_activate", "1\n");
        assert_int_equal(store(RMM, "auto_activate", "2", 1), -EINVAL);
        assert_text(RMM, "auto_activate", "1\n");
        assert_int_equal(store(RMM, "auto_activate", "0\n", 2), 2);
}

static void mode_and_owner_hold_as_long_as_the_directory(void **state) {
        struct stat status;

        assert_int_equal(chmod(file(RMM, "activate"), 0220), 0);
        assert_int_equal(chown(file(RMM, "activate"), 0, 12), 0);
        assert_int_equal(stat(file(RMM, "activate"), &status), 0);
        assert_int_equal(status.st_mode & 07777, 0220);
        assert_int_equal(status.st_gid, 12);
        ctl_ok("unbind");
        ctl_ok("bind");
        assert_int_equal(stat(file(RMM, "activate"), &status), 0);
        assert_int_equal(status.st_mode & 07777, 0200);
        assert_int_equal(status.st_gid, 0);
}

static void *store_thread(void *userdata) {
        return (void *) (intptr_t) store(RMM, "activate", "1", 1);
}

static uint64_t now_msec(void) {
        return (uint64_t) g_get_monotonic_time() / USEC_PER_MSEC;
}

static void statement_36_pending_reads_block_during_an_attempt_and_others_do_not(void **state) {
        uint64_t started;
        pthread_t thread;
        void *result;

        ctl_ok("stage rmm 3.0");
        ctl_ok("slow activate 400ms");
        ctl_ok("reset-counters");
        started = now_msec();
        assert_int_equal(pthread_create(&thread, NULL, store_thread, NULL), 0);
        ctl_ok("wait activate-entered");
        while (counter("smc-prime") == 0)
                ;
        assert_text(SCP, "name", SCP "\n");
        assert_text(SCP, "current_version", "3.1\n");
        assert_true(now_msec() - started < 300);
        assert_text(SCP, "activation_pending", "0\n");
        assert_true(now_msec() - started >= 390);
        pthread_join(thread, &result);
        assert_int_equal((intptr_t) result, 1);
        ctl_ok("slow activate 0");
}

static void statement_32_second_store_is_busy(void **state) {
        pthread_t thread;
        void *result;

        ctl_ok("stage rmm 3.1");
        ctl_ok("hang activate");
        ctl_ok("reset-counters");
        assert_int_equal(pthread_create(&thread, NULL, store_thread, NULL), 0);
        ctl_ok("wait activate-entered");
        assert_int_equal(store(SCP, "activate", "1", 1), -EBUSY);
        ctl_ok("release");
        pthread_join(thread, &result);
        assert_int_equal((intptr_t) result, 1);
        assert_int_equal(ctl("wait activate-done --count=2", NULL), 0);
}

static pid_t fork_store(void) {
        pid_t pid = fork();

        if (pid == 0)
                _exit(store(RMM, "activate", "1", 1) == 1 ? 0 : 1);
        return pid;
}

static void statement_31_a_killed_writer_stays_until_the_store_returns(void **state) {
        int status;
        pid_t pid;

        ctl_ok("stage rmm 3.2");
        ctl_ok("hang activate");
        ctl_ok("reset-counters");
        pid = fork_store();
        ctl_ok("wait activate-entered");
        while (counter("smc-prime") == 0)
                ;
        assert_int_equal(kill(pid, SIGKILL), 0);
        g_usleep(100 * USEC_PER_MSEC);
        assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
        ctl_ok("release activate");
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        ctl_ok("wait activate-done");
        assert_text(RMM, "current_version", "3.2\n");
}

static void statement_31_pauses_of_a_killed_writer_become_a_spin(void **state) {
        int status;
        pid_t pid;

        ctl_ok("stage rmm 3.3");
        ctl_ok("call-again prime 500");
        ctl_ok("reset-counters");
        pid = fork_store();
        ctl_ok("wait activate-entered");
        assert_int_equal(kill(pid, SIGKILL), 0);
        ctl_ok("wait activate-done --timeout=3s"); /* 500 pauses of 10 ms would be 5 s */
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_text(RMM, "current_version", "3.3\n");
}

static void statement_43_what_was_open_is_gone_and_a_returner_is_new(void **state) {
        _cleanup_close_ int fd = open(file(SCP, "name"), O_RDONLY),
                            unread = open(file(SCP, "name"), O_RDONLY);
        _cleanup_close_ int directory = open(LFA "/" SCP, O_RDONLY | O_DIRECTORY);
        struct stat before, after;
        char buffer[64];

        assert_int_equal(fstat(directory, &before), 0);
        assert_int_equal(read(fd, buffer, sizeof(buffer)), GUID_STRING_LENGTH + 1);
        ctl_ok("vanish scp --now");
        assert_int_equal(try_open(file(SCP, "name"), O_RDONLY), -ENOENT);
        assert_int_equal(read(unread, buffer, sizeof(buffer)), -1);
        assert_int_equal(errno, ENODEV);
        assert_int_equal(pread(fd, buffer, sizeof(buffer), 0), -1);
        assert_int_equal(errno, ENODEV);
        assert_int_equal(openat(directory, "name", O_RDONLY), -1);
        assert_int_equal(errno, ENOENT);

        ctl_ok("add scp 3.1 --now");
        assert_int_equal(openat(directory, "name", O_RDONLY), -1);
        assert_int_equal(errno, ENOENT);
        assert_int_equal(pread(fd, buffer, sizeof(buffer), 0), -1);
        assert_int_equal(errno, ENODEV);
        assert_int_equal(stat(LFA "/" SCP, &after), 0);
        assert_int_not_equal(before.st_ino, after.st_ino);
}

static void statement_41_files_go_before_their_directory(void **state) {
        _cleanup_close_ int fd = open(file(SCP, "pending_version"), O_RDONLY);
        struct stat status;
        pid_t reader;

        ctl_ok("hang read");
        reader = fork();
        if (reader == 0) {
                char buffer[8];

                _exit(read(fd, buffer, sizeof(buffer)) > 0 ? 0 : 1);
        }
        wait_for_shown("calls: 1");
        ctl_ok("vanish scp --now");
        assert_int_equal(stat(LFA "/" SCP, &status), 0);
        assert_int_equal(try_open(file(SCP, "name"), O_RDONLY), -ENOENT);
        ctl_ok("release read");
        assert_int_equal(waitpid(reader, NULL, 0), reader);
        ctl_ok("wait idle");
        assert_int_equal(stat(LFA "/" SCP, &status), -1);
        ctl_ok("add scp 3.1 --now");
}

static void statement_62_unbind_takes_the_directory_and_bind_brings_it_back(void **state) {
        _cleanup_close_ int fd = open(file(RMM, "name"), O_RDONLY),
                            directory = open(LFA, O_RDONLY | O_DIRECTORY);
        struct stat status;
        char buffer[64];

        ctl_ok("unbind");
        assert_int_equal(stat(LFA, &status), -1);
        assert_int_equal(errno, ENOENT);
        assert_int_equal(read(fd, buffer, sizeof(buffer)), -1);
        assert_int_equal(errno, ENODEV);
        ctl_ok("bind");
        assert_int_equal(stat(LFA, &status), 0);
        assert_int_equal(openat(directory, RMM, O_RDONLY | O_DIRECTORY), -1);
        assert_int_equal(errno, ENOENT);
        assert_text(RMM, "name", "TF-RMM\n");
}

static void faults_at_the_file_never_reach_the_driver(void **state) {
        ctl_ok("reset-counters");
        ctl_ok("errno open activate EROFS --times=1");
        ctl_ok("errno write activate ENODEV --times=1");
        ctl_ok("errno read name EIO --times=1");
        assert_int_equal(store(RMM, "activate", "1", 1), -EROFS);
        assert_int_equal(store(RMM, "activate", "1", 1), -ENODEV);
        assert_false(g_file_get_contents(file(RMM, "name"), &(char *){ NULL }, NULL, NULL));
        assert_text(RMM, "name", "TF-RMM\n");
        assert_int_equal(counter("activate-stores"), 0);

        ctl_ok("missing auto_activate yes");
        assert_int_equal(try_open(file(RMM, "auto_activate"), O_RDONLY), -ENOENT);
        g_autoptr(GPtrArray) names = names_in(LFA "/" RMM);

        assert_int_equal(names->len, 10);
        ctl_ok("missing auto_activate no");
}

/* Read to the end, whatever stat says. */
static size_t length_of(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY);
        char buffer[10000];
        size_t length = 0;
        ssize_t size;

        while ((size = read(fd, buffer, sizeof(buffer))) > 0)
                length += (size_t) size;
        assert_int_equal(size, 0);
        return length;
}

static void raw_values_come_through_as_they_are(void **state) {
        g_autofree char *text = NULL;
        size_t size;

        ctl_ok("raw name 'a\\xff\\0b' --image=rmm");
        assert_true(g_file_get_contents(file(RMM, "name"), &text, &size, NULL));
        assert_int_equal(size, 4);
        assert_memory_equal(text, "a\xff\0b", 4);
        ctl_ok("raw name --size=300000 --image=rmm");
        assert_int_equal(length_of(file(RMM, "name")), 300000);
        ctl_ok("raw name none --image=rmm");
}

static void the_control_socket_survives_nonsense(void **state) {
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/sim.sock" };
        g_autofree char *garbage = g_malloc(200000);

        for (int round = 0; round < 20; round++) {
                _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM, 0);

                assert_int_equal(connect(fd, (struct sockaddr *) &address, sizeof(address)), 0);
                for (size_t i = 0; i < 200000; i++)
                        garbage[i] = round % 2 ? (char) (i * 31 + (size_t) round) : 'x';
                (void) !send(fd, garbage, 200000, MSG_NOSIGNAL);
        }
        assert_int_equal(ctl("show", NULL), 0);
        assert_int_equal(ctl("stage nobody 1.0", NULL), 2);
        assert_int_equal(ctl("stage sp1 1.0", NULL), 1);
        assert_int_equal(ctl("--control=/run/none show", NULL), 1);
        assert_int_equal(ctl("", NULL), 2);
}

static bool stress_goes_on;

static void *stress_reader(void *userdata) {
        while (__atomic_load_n(&stress_goes_on, __ATOMIC_RELAXED)) {
                g_autoptr(GDir) directory = g_dir_open(LFA, 0, NULL);
                const char *name;

                while (directory && (name = g_dir_read_name(directory))) {
                        g_autofree char *first = g_build_filename(LFA, name, "activation_pending", NULL);
                        g_autofree char *second = g_build_filename(LFA, name, "pending_version", NULL);
                        g_autofree char *text = NULL, *version = NULL;

                        g_file_get_contents(first, &text, NULL, NULL);
                        g_file_get_contents(second, &version, NULL, NULL);
                }
        }
        return NULL;
}

static void *stress_writer(void *userdata) {
        while (__atomic_load_n(&stress_goes_on, __ATOMIC_RELAXED)) {
                store(RMM, "activate", "1", 1);
                store(SCP, "cancel", "1", 1);
        }
        return NULL;
}

static void everything_at_once_leaves_the_simulator_well(void **state) {
        pthread_t threads[6];

        stress_goes_on = true;
        for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
                pthread_create(&threads[i], NULL, i < 4 ? stress_reader : stress_writer, NULL);
        for (int i = 0; i < 10; i++) {
                ctl_ok("stage rmm 5.0");
                ctl_ok("vanish scp");
                ctl_ok("stage rmm 5.1");
                (void) ctl("add scp 3.1", NULL);
                ctl_ok("unbind");
                ctl_ok("bind");
                ctl_ok("notify");
        }
        __atomic_store_n(&stress_goes_on, false, __ATOMIC_RELAXED);
        for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
                pthread_join(threads[i], NULL);
        ctl_ok("wait idle");
        assert_text(RMM, "name", "TF-RMM\n");
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

        udev_monitor_filter_add_match_subsystem_devtype(monitor, "arm_smccc", NULL);
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

static void other_entries_stay_visible_and_the_end_leaves_nothing_behind(void **state) {
        g_autoptr(GPtrArray) before = names_in(SYS), after = NULL;
        struct stat old, new;

        simulator = served_start("v3", "tfa", NULL);
        for (guint i = 0; i < before->len; i++) {
                g_autofree char *path = g_build_filename(SYS, before->pdata[i], NULL);
                g_autoptr(GPtrArray) inside = NULL;

                assert_int_equal(stat(path, &old), 0);
                if (!S_ISDIR(old.st_mode))
                        continue;
                inside = names_in(path);
                assert_int_not_equal(inside->len, 0);
        }
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
        unlink("/run/shown");
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
        unlink("/run/hangs");
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
        const struct CMUnitTest shared[] = {
                cmocka_unit_test(statement_2_image_directories_are_lower_case_guids),
                cmocka_unit_test(statement_4_modes_and_sizes_are_those_of_sysfs),
                cmocka_unit_test(statement_5_not_even_root_gets_past_the_mode),
                cmocka_unit_test(other_users_may_read_and_not_write),
                cmocka_unit_test(statement_6_second_read_is_empty_and_pread_is_fresh),
                cmocka_unit_test(statement_16_small_reads_cost_one_firmware_call),
                cmocka_unit_test(statement_7_poll_never_signals_a_change),
                cmocka_unit_test(statement_17_writes_of_any_size_but_zero_are_one_store),
                cmocka_unit_test(statement_18_two_writes_are_two_activations),
                cmocka_unit_test(settings_are_written_and_read_back),
                cmocka_unit_test(mode_and_owner_hold_as_long_as_the_directory),
                cmocka_unit_test(statement_36_pending_reads_block_during_an_attempt_and_others_do_not),
                cmocka_unit_test(statement_32_second_store_is_busy),
                cmocka_unit_test(statement_31_a_killed_writer_stays_until_the_store_returns),
                cmocka_unit_test(statement_31_pauses_of_a_killed_writer_become_a_spin),
                cmocka_unit_test(statement_43_what_was_open_is_gone_and_a_returner_is_new),
                cmocka_unit_test(statement_41_files_go_before_their_directory),
                cmocka_unit_test(statement_62_unbind_takes_the_directory_and_bind_brings_it_back),
                cmocka_unit_test(faults_at_the_file_never_reach_the_driver),
                cmocka_unit_test(raw_values_come_through_as_they_are),
                cmocka_unit_test(the_control_socket_survives_nonsense),
                cmocka_unit_test(everything_at_once_leaves_the_simulator_well),
        };
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
        int failed;

        served_enter(argv);
        failed = cmocka_run_group_tests_name("one simulator", shared, start_nvnew, stop);
        return failed + cmocka_run_group_tests_name("a simulator each", own, NULL, NULL);
}
