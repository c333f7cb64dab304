/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mounted file system as a client meets it, in private mount and network namespaces. */

#include "served.h"

#include "util/guid.h"
#include "util/macros.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

static uint64_t counter(const char *name) {
        g_autofree char *output = NULL, *start = g_strdup_printf("%s: ", name);
        const char *found;

        assert_int_equal(ctl("counters", &output), 0);
        found = strstr(output, start);
        assert_non_null(found);
        return strtoull(found + strlen(start), NULL, 10);
}

/* Until the simulator's own report holds the text. A machine that stood still gets one more look at the end. */
static void wait_for_shown(const char *text) {
        gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
        bool is_last;

        do {
                g_autofree char *output = NULL;

                is_last = g_get_monotonic_time() >= end;
                assert_int_equal(ctl("show", &output), 0);
                if (strstr(output, text))
                        return;
        } while (!is_last);
        fail_msg("never showed '%s'", text);
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

/* A read of activation_pending in a thread of its own. `done` is set once it has returned. */
typedef struct PendingRead {
        int thread_id, done;
        char *text;
} PendingRead;

static void *pending_read_thread(void *userdata) {
        PendingRead *pending = userdata;

        __atomic_store_n(&pending->thread_id, gettid(), __ATOMIC_RELEASE);
        pending->text = text_of(SCP, "activation_pending");
        __atomic_store_n(&pending->done, 1, __ATOMIC_RELEASE);
        return NULL;
}

static bool pending_read_is_done(PendingRead *pending) {
        return __atomic_load_n(&pending->done, __ATOMIC_ACQUIRE) != 0;
}

/* Until the thread waits in the kernel for the file system's answer to a read (proc(5), /proc/pid/syscall), or has
 * got one. */
static void wait_for_pending_read(PendingRead *pending) {
        gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

        while (g_get_monotonic_time() < end && !pending_read_is_done(pending)) {
                int thread_id = __atomic_load_n(&pending->thread_id, __ATOMIC_ACQUIRE);
                g_autofree char *path = g_strdup_printf("/proc/self/task/%d/syscall", thread_id),
                                *call = NULL;

                if (thread_id != 0 && g_file_get_contents(path, &call, NULL, NULL) && call[0] >= '0' &&
                    call[0] <= '9') {
                        long number = strtol(call, NULL, 10);

                        if (number == SYS_read || number == SYS_pread64)
                                return;
                }
                sched_yield();
        }
}

/* The attempt ends only when it is released, so that nothing here depends on time: what answers meanwhile did not
 * wait for it. */
static void statement_36_pending_reads_block_during_an_attempt_and_others_do_not(void **state) {
        PendingRead pending = {};
        pthread_t writer, reader;
        void *result;

        ctl_ok("stage rmm 3.0");
        ctl_ok("hang activate");
        ctl_ok("reset-counters");
        assert_int_equal(pthread_create(&writer, NULL, store_thread, NULL), 0);
        ctl_ok("wait activate-entered");
        while (counter("smc-prime") == 0)
                ;
        assert_int_equal(pthread_create(&reader, NULL, pending_read_thread, &pending), 0);
        wait_for_pending_read(&pending);
        for (unsigned int i = 0; i < 100; i++) {
                assert_text(SCP, "name", SCP "\n");
                assert_text(SCP, "current_version", "3.1\n");
        }
        assert_false(pending_read_is_done(&pending));
        ctl_ok("release");
        pthread_join(reader, NULL);
        assert_string_equal(pending.text, "0\n");
        free(pending.text);
        pthread_join(writer, &result);
        assert_int_equal((intptr_t) result, 1);
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
        ctl_ok("speed 0.1");
        pid = fork_store();
        ctl_ok("wait activate-entered");
        assert_int_equal(kill(pid, SIGKILL), 0);
        ctl_ok("wait activate-done --timeout=40s"); /* 500 pauses of 10 ms would be 50 s at that speed */
        ctl_ok("speed 1");
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
                /* Nobody takes the replies: the simulator may wait for that as long as we waited for it. */
                (void) !send(fd, garbage, 200000, MSG_NOSIGNAL | MSG_DONTWAIT);
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
                (void) store(RMM, "activate", "1", 1);
                (void) store(SCP, "cancel", "1", 1);
        }
        return NULL;
}

static void everything_at_once_leaves_the_simulator_well(void **state) {
        pthread_t threads[6];

        stress_goes_on = true;
        for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
                assert_int_equal(pthread_create(&threads[i], NULL, i < 4 ? stress_reader : stress_writer,
                                                NULL),
                                 0);
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

        served_enter(argv);
        return cmocka_run_group_tests_name("one simulator", shared, start_nvnew, stop);
}
