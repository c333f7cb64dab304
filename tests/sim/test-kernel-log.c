/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's log as the simulator shows it, with the habits that the real /dev/kmsg was seen to have. */

#include "served.h"

#include "util/macros.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOG SYS "/.kmsg"
#define COVERED "/run/kmsg"

static pid_t simulator;

static int start(void **state) {
        assert_true(g_file_set_contents(COVERED, "", 0, NULL));
        simulator = served_start("nvnew", "versioned", "--kernel-log=" COVERED);
        return 0;
}

static int stop(void **state) {
        return served_stop(simulator);
}

static int open_log(int flags) {
        int fd = open(COVERED, O_RDONLY | O_CLOEXEC | flags);

        assert_true(fd >= 0);
        return fd;
}

/* One read(2): the text behind ';', or the negative errno as text. Good until the next call. */
static const char *record(int fd, size_t size) {
        static char buffer[8192 + 1];
        ssize_t n = read(fd, buffer, size);
        char *text;

        if (n < 0) {
                snprintf(buffer, sizeof(buffer), "-%d", errno);
                return buffer;
        }
        buffer[n] = 0;
        assert_true(n > 0 && buffer[n - 1] == '\n');
        buffer[n - 1] = 0;
        text = strchr(buffer, ';');
        assert_non_null(text);
        return text + 1;
}

static void assert_error(int fd, int error) {
        g_autofree char *expected = g_strdup_printf("-%d", error);

        assert_string_equal(record(fd, 8192), expected);
}

static void it_is_in_the_root_and_not_listed(void **state) {
        g_autoptr(GDir) folder = g_dir_open(SYS, 0, NULL);
        struct stat status, covered;
        const char *name;

        assert_int_equal(stat(LOG, &status), 0);
        assert_int_equal(status.st_mode, S_IFREG | 0644);
        assert_int_equal(stat(COVERED, &covered), 0);
        assert_int_equal(covered.st_ino, status.st_ino);
        while ((name = g_dir_read_name(folder)))
                assert_string_not_equal(name, ".kmsg");
}

static void one_read_gives_one_record_and_the_end_is_eagain(void **state) {
        _cleanup_close_ int fd = open_log(O_NONBLOCK);
        char whole[8192];
        ssize_t n = read(fd, whole, sizeof(whole) - 1);
        int priority, seq;
        unsigned long long usec;

        assert_true(n > 0);
        whole[n] = 0;
        assert_int_equal(sscanf(whole, "%d,%d,%llu,-;", &priority, &seq, &usec), 3);
        assert_int_equal(priority, 6);
        assert_int_equal(seq, 0);
        assert_true(usec > 0);
        assert_true(g_str_has_suffix(whole, ";Arm LFA: Live Firmware Activation: detected v1.0\n"));
        assert_string_equal(record(fd, 8192), "Arm LFA: registered LFA ACPI notification");
        assert_error(fd, EAGAIN);
        assert_error(fd, EAGAIN);
        ctl_ok("log-line one");
        assert_string_equal(record(fd, 8192), "one");
        assert_error(fd, EAGAIN);
}

static void seeking_finds_the_end_and_the_oldest_record(void **state) {
        _cleanup_close_ int fd = open_log(O_NONBLOCK);

        for (int i = 0; i < 3; i++) {
                assert_true(lseek(fd, 0, SEEK_END) >= 0);
                assert_error(fd, EAGAIN);
                ctl_ok("log-line two");
                ctl_ok("log-line three");
                assert_string_equal(record(fd, 8192), "two");
        }
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_string_equal(record(fd, 8192), "Arm LFA: Live Firmware Activation: detected v1.0");
        assert_int_equal(lseek(fd, 0, SEEK_DATA), 0);
        assert_string_equal(record(fd, 8192), "Arm LFA: Live Firmware Activation: detected v1.0");
}

static void each_open_file_is_a_reader_of_its_own(void **state) {
        _cleanup_close_ int a = open_log(O_NONBLOCK), b = open_log(O_NONBLOCK);

        assert_true(lseek(a, 0, SEEK_END) >= 0);
        assert_error(a, EAGAIN);
        assert_string_equal(record(b, 8192), "Arm LFA: Live Firmware Activation: detected v1.0");
}

static void a_buffer_that_is_too_small_is_refused_and_the_record_passed_over(void **state) {
        _cleanup_close_ int fd = open_log(O_NONBLOCK);

        assert_string_equal(record(fd, 10), "-22");
        assert_string_equal(record(fd, 8192), "Arm LFA: registered LFA ACPI notification");
}

static void a_reader_that_was_overtaken_is_told_once(void **state) {
        _cleanup_close_ int fd = open_log(O_NONBLOCK), writer = open(COVERED, O_WRONLY | O_CLOEXEC);

        assert_true(lseek(fd, 0, SEEK_END) >= 0);
        for (int i = 0; i < 600; i++)
                assert_int_equal(write(writer, "flood", 5), 5);
        assert_error(fd, EPIPE);
        assert_string_equal(record(fd, 8192), "flood");
        for (int i = 0; i < 511; i++)
                assert_string_equal(record(fd, 8192), "flood");
        assert_error(fd, EAGAIN);
}

static void what_a_user_writes_never_has_the_kernels_facility(void **state) {
        static const struct {
                const char *written, *start;
        } cases[] = {
                { "forged", "12," },
                { "<3>forged\n", "11," },
                { "<0>forged", "8," },
                { "<30>forged", "30," },
        };
        _cleanup_close_ int fd = open_log(O_NONBLOCK), writer = open(COVERED, O_WRONLY | O_CLOEXEC);
        char whole[8192];

        assert_true(lseek(fd, 0, SEEK_END) >= 0);
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                size_t length = strlen(cases[i].written);
                ssize_t n;

                assert_int_equal(write(writer, cases[i].written, length), length);
                n = read(fd, whole, sizeof(whole) - 1);
                assert_true(n > 0);
                whole[n] = 0;
                assert_true(g_str_has_prefix(whole, cases[i].start));
                assert_true(g_str_has_suffix(whole, ";forged\n"));
        }
}

static void lines_of_any_kind_can_be_added(void **state) {
        _cleanup_close_ int fd = open_log(O_NONBLOCK);
        g_autofree char *log = NULL;
        char whole[8192];

        assert_true(lseek(fd, 0, SEEK_END) >= 0);
        ctl_ok("log-line --facility=3 --level=6 'a daemon'");
        assert_true(read(fd, whole, sizeof(whole)) > 0);
        assert_true(g_str_has_prefix(whole, "30,"));
        ctl_ok("log-line '\\xff\\n\\\\'");
        assert_string_equal(record(fd, 8192), "\\xff\\x0a\\x5c");
        assert_int_equal(ctl("log", &log), 0);
        assert_non_null(strstr(log, "<30>a daemon\n"));
        assert_int_equal(ctl("log-line --level=8 x", NULL), 2);
        assert_int_equal(ctl("log-line --facility=256 x", NULL), 2);
}

static void *read_main(void *userdata) {
        return g_strdup(record(*(int *) userdata, 8192));
}

static void a_reader_without_o_nonblock_waits(void **state) {
        _cleanup_close_ int fd = open_log(0);
        g_autofree char *text = NULL;
        pthread_t thread;
        void *read_text;

        assert_true(lseek(fd, 0, SEEK_END) >= 0);
        assert_int_equal(pthread_create(&thread, NULL, read_main, &fd), 0);
        ctl_ok("log-line late");
        assert_int_equal(pthread_join(thread, &read_text), 0);
        text = read_text;
        assert_string_equal(text, "late");
}

static void the_drivers_lines_are_there_when_its_write_returns(void **state) {
        _cleanup_close_ int fd = open_log(O_NONBLOCK);

        ctl_ok("stage rmm 2.0");
        ctl_ok("fail prime AUTH_ERROR --times=1");
        assert_true(lseek(fd, 0, SEEK_END) >= 0);
        assert_int_equal(store(RMM, "activate", "1", 1), -ECANCELED);
        assert_string_equal(record(fd, 8192), "Arm LFA: LFA_PRIME for image TF-RMM failed: LFA_AUTH_ERROR");
        assert_error(fd, EAGAIN);
}

static void the_end_leaves_nothing_behind(void **state) {
        pid_t pid;
        struct stat status;

        assert_true(g_file_set_contents(COVERED, "covered", -1, NULL));
        pid = served_start("rfc1", "versioned", "--kernel-log=" COVERED);
        assert_int_equal(stat(COVERED, &status), 0);
        assert_int_not_equal(status.st_size, strlen("covered"));
        assert_int_equal(served_stop(pid), 0);
        assert_int_equal(stat(COVERED, &status), 0);
        assert_int_equal(status.st_size, strlen("covered"));
}

static void what_is_not_there_cannot_be_covered(void **state) {
        const char *const command[] = {
                getenv("LFA_SIM"),           "mount", "--no-uevents", "--kernel-log=/run/nothing",
                "--control=/run/other.sock", NULL
        };
        g_autofree char *error = NULL;

        assert_int_equal(served_refused(command, &error), 1);
        assert_non_null(strstr(error, "/run/nothing"));
        assert_int_equal(try_open(LOG, O_RDONLY), -ENOENT);
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(it_is_in_the_root_and_not_listed, start, stop),
                cmocka_unit_test_setup_teardown(one_read_gives_one_record_and_the_end_is_eagain, start,
                                                stop),
                cmocka_unit_test_setup_teardown(seeking_finds_the_end_and_the_oldest_record, start, stop),
                cmocka_unit_test_setup_teardown(each_open_file_is_a_reader_of_its_own, start, stop),
                cmocka_unit_test_setup_teardown(
                                a_buffer_that_is_too_small_is_refused_and_the_record_passed_over, start,
                                stop),
                cmocka_unit_test_setup_teardown(a_reader_that_was_overtaken_is_told_once, start, stop),
                cmocka_unit_test_setup_teardown(what_a_user_writes_never_has_the_kernels_facility, start,
                                                stop),
                cmocka_unit_test_setup_teardown(lines_of_any_kind_can_be_added, start, stop),
                cmocka_unit_test_setup_teardown(a_reader_without_o_nonblock_waits, start, stop),
                cmocka_unit_test_setup_teardown(the_drivers_lines_are_there_when_its_write_returns, start,
                                                stop),
                cmocka_unit_test(the_end_leaves_nothing_behind),
                cmocka_unit_test(what_is_not_there_cannot_be_covered),
        };

        served_enter(argv);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
