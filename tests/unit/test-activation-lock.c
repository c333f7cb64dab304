/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lock that a worker inherits, and the report that it leaves. */

#include "daemon/activation-lock.h"
#include "unit.h"
#include "util/json.h"
#include "util/macros.h"
#include "worker/answer.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define GUID "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define BOOT_ID "0123456789abcdef0123456789abcdef"
#define OTHER_BOOT_ID "fedcba9876543210fedcba9876543210"

static void a_second_taker_is_told_that_it_is_busy(void **state) {
        const TempFolder *folder = *state;
        int first = activation_lock_take(folder->path);

        assert_true(first >= 0);
        assert_int_equal(fcntl(first, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        assert_int_equal(activation_lock_take(folder->path), -EBUSY);
        assert_int_equal(activation_lock_take(folder->path), -EBUSY);
        safe_close(first);
        first = activation_lock_take(folder->path);
        assert_true(first >= 0);
        safe_close(first);
}

/* A worker: it has a copy of the lock, and lives until the pipe is closed. */
static pid_t start_holder(int *ret_pipe) {
        int ends[2];
        pid_t pid;
        char byte;

        assert_int_equal(pipe(ends), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                close(ends[1]);
                while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
                        ;
                _exit(0);
        }
        close(ends[0]);
        *ret_pipe = ends[1];
        return pid;
}

static void a_child_with_a_copy_holds_the_lock_after_the_parent_closed_its_own(void **state) {
        const TempFolder *folder = *state;
        int lock = activation_lock_take(folder->path), pipe_fd;
        pid_t pid;

        assert_true(lock >= 0);
        pid = start_holder(&pipe_fd);
        safe_close(lock);
        assert_int_equal(activation_lock_take(folder->path), -EBUSY);
        safe_close(pipe_fd);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        lock = activation_lock_take(folder->path);
        assert_true(lock >= 0);
        safe_close(lock);
}

static pid_t holder(const TempFolder *folder, uint32_t *ret_job) {
        uint32_t job = 77;
        pid_t pid = activation_lock_holder(folder->path, &job);

        if (ret_job)
                *ret_job = job;
        else
                assert_int_equal(job, 0);
        return pid;
}

static void nobody_else_may_open_the_lock(void **state) {
        const TempFolder *folder = *state;
        struct stat st;
        int lock;

        temp_write_text(folder, "activation.lock", ""); /* readable for all */
        lock = activation_lock_take(folder->path);
        assert_true(lock >= 0);
        assert_int_equal(fstat(lock, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        safe_close(lock);
}

static void whoever_is_refused_leaves_the_holders_name(void **state) {
        const TempFolder *folder = *state;
        int lock = activation_lock_take(folder->path);

        assert_true(lock >= 0);
        assert_int_equal(holder(folder, NULL), 0);
        assert_true(dprintf(lock, "%d\n", (int) getpid()) > 0);
        assert_int_equal(activation_lock_take(folder->path), -EBUSY);
        assert_int_equal(holder(folder, NULL), getpid());
        safe_close(lock);
        /* the next one begins with an empty file */
        lock = activation_lock_take(folder->path);
        assert_int_equal(holder(folder, NULL), 0);
        safe_close(lock);
}

static void a_holder_that_is_no_process_id_is_none(void **state) {
        static const struct {
                const char *text;
                pid_t pid;
                uint32_t job;
        } rows[] = {
                { "123 45\n", 123, 45 },
                { "123 4294967295\n", 123, UINT32_MAX },
                { "2147483647 1\n", INT32_MAX, 1 },
                { "123\n", 123, 0 },
                { "123", 123, 0 },
                { "123 x\n", 123, 0 },
                { "123 4294967296\n", 123, 0 },
                { "", 0, 0 },
                { "\n", 0, 0 },
                { "0 5\n", 0, 0 },
                { "-5 5\n", 0, 0 },
                { "garbage\n", 0, 0 },
                { "2147483648 5\n", 0, 0 },
                { "99999999999999 5\n", 0, 0 },
                { "1234567890123456789012345678901234567890\n", 0, 0 },
        };
        const TempFolder *folder = *state;

        assert_int_equal(holder(folder, NULL), 0); /* no file */
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                uint32_t job;

                temp_write_text(folder, "activation.lock", rows[i].text);
                assert_int_equal(holder(folder, &job), rows[i].pid);
                assert_int_equal(job, rows[i].job);
        }
}

static void a_lock_that_cannot_be_made_is_an_error(void **state) {
        const TempFolder *folder = *state;
        g_autofree char *missing = temp_path(folder, "missing");

        assert_int_equal(activation_lock_take(missing), -ENOENT);
        assert_int_equal(symlinkat("elsewhere", folder->fd, "activation.lock"), 0);
        assert_int_equal(activation_lock_take(folder->path), -ELOOP);
}

static char *report_text(uint32_t job) {
        ActivationReport report = {
                .job = job, .guid = GUID, .boot_id = BOOT_ID, .stage = STAGE_WRITE, .error = EIO
        };
        _cleanup_json_ json_object *object = NULL;

        image_values_init(&report.before, GUID);
        image_values_init(&report.after, GUID);
        object = answer_from_report(&report);
        return g_strdup(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
}

static void assert_report_refused(const TempFolder *folder, uint32_t job, const char *boot_id, int error) {
        ActivationReport report;

        fill_untouched(&report, sizeof(report));
        assert_int_equal(activation_report_read(folder->path, job, boot_id, &report), error);
        assert_true(is_untouched(&report, sizeof(report)));
}

static void the_report_of_a_job_is_read_and_removed(void **state) {
        const TempFolder *folder = *state;
        g_autofree char *path = activation_report_path(folder->path, 7),
                        *expected = temp_path(folder, "job-7.report");
        g_autofree char *text = report_text(7);
        ActivationReport report;

        assert_string_equal(path, expected);
        assert_report_refused(folder, 7, BOOT_ID, -ENOENT);
        temp_write_text(folder, "job-7.report", text);
        assert_int_equal(activation_report_read(folder->path, 7, BOOT_ID, &report), 0);
        assert_int_equal(report.job, 7);
        assert_int_equal(report.error, EIO);
        assert_string_equal(report.guid, GUID);
        activation_report_remove(folder->path, 7);
        assert_report_refused(folder, 7, BOOT_ID, -ENOENT);
        activation_report_remove(folder->path, 7); /* nothing to do is no error */
}

static void the_report_of_another_job_or_boot_is_refused(void **state) {
        const TempFolder *folder = *state;
        g_autofree char *text = report_text(8);

        temp_write_text(folder, "job-7.report", text);
        assert_report_refused(folder, 7, BOOT_ID, -EBADMSG);
        temp_write_text(folder, "job-8.report", text);
        assert_report_refused(folder, 8, OTHER_BOOT_ID, -EBADMSG);
        assert_report_refused(folder, 8, "", -EBADMSG);
}

static void a_report_that_is_none_is_refused(void **state) {
        const TempFolder *folder = *state;
        g_autofree char *text = report_text(7), *huge = g_strnfill(1024 * 1024, ' ');
        static const char *const rows[] = { "", "{}", "garbage", "{\"type\":\"writing\"}",
                                            "{\"type\":\"end\",\"error\":0}" };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                temp_write_text(folder, "job-7.report", rows[i]);
                assert_report_refused(folder, 7, BOOT_ID, -EBADMSG);
        }
        for (size_t length = 0; length < strlen(text); length++) {
                temp_write(folder, "job-7.report", text, length);
                assert_report_refused(folder, 7, BOOT_ID, -EBADMSG);
        }
        temp_write_text(folder, "job-7.report", huge);
        assert_report_refused(folder, 7, BOOT_ID, -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_folder(a_second_taker_is_told_that_it_is_busy),
                unit_test_with_folder(a_child_with_a_copy_holds_the_lock_after_the_parent_closed_its_own),
                unit_test_with_folder(nobody_else_may_open_the_lock),
                unit_test_with_folder(whoever_is_refused_leaves_the_holders_name),
                unit_test_with_folder(a_holder_that_is_no_process_id_is_none),
                unit_test_with_folder(a_lock_that_cannot_be_made_is_an_error),
                unit_test_with_folder(the_report_of_a_job_is_read_and_removed),
                unit_test_with_folder(the_report_of_another_job_or_boot_is_refused),
                unit_test_with_folder(a_report_that_is_none_is_refused),
        };

        return cmocka_run_group_tests_name("activation-lock", tests, NULL, NULL);
}
