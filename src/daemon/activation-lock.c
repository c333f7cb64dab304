/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* activation.lock and the reports in the runtime folder. */

#include "daemon/activation-lock.h"
#include "util/file-io.h"
#include "util/macros.h"
#include "worker/answer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LOCK_FILE "activation.lock"

int activation_lock_take(const char *runtime_folder) {
        g_autofree char *path = g_build_filename(runtime_folder, LOCK_FILE, NULL);
        _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0)
                return -errno;
        /* Whoever can open the file can hold the lock, and nobody else may. */
        if (fchmod(fd, 0600) < 0)
                return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        /* What an earlier holder wrote is no longer true. */
        if (ftruncate(fd, 0) < 0)
                return -errno;
        return steal_fd(&fd);
}

pid_t activation_lock_holder(const char *runtime_folder, uint32_t *ret_job) {
        g_autofree char *path = g_build_filename(runtime_folder, LOCK_FILE, NULL);
        char text[32], *end;
        unsigned long job;
        long pid;

        *ret_job = 0;
        if (file_read(AT_FDCWD, path, text, sizeof(text)) <= 0)
                return 0;
        pid = strtol(text, &end, 10);
        job = strtoul(end, NULL, 10);
        if (pid <= 0 || pid > INT32_MAX)
                return 0;
        *ret_job = job <= UINT32_MAX ? (uint32_t) job : 0;
        return (pid_t) pid;
}

char *activation_report_path(const char *runtime_folder, uint32_t job) {
        return g_strdup_printf("%s/job-%u.report", runtime_folder, job);
}

int activation_report_read(const char *runtime_folder, uint32_t job, const char *boot_id,
                           ActivationReport *ret) {
        g_autofree char *path = activation_report_path(runtime_folder, job);
        char text[ANSWER_LINE_MAX + 1];
        ssize_t length = file_read(AT_FDCWD, path, text, sizeof(text));
        Answer answer;

        if (length < 0)
                return length == -EFBIG ? -EBADMSG : (int) length;
        if (answer_parse(text, (size_t) length, &answer) < 0 || answer.type != ANSWER_RESULT)
                return -EBADMSG;
        if (answer.report.job != job || strcmp(answer.report.boot_id, boot_id) != 0)
                return -EBADMSG;
        *ret = answer.report;
        return 0;
}

void activation_report_remove(const char *runtime_folder, uint32_t job) {
        g_autofree char *path = activation_report_path(runtime_folder, job);

        (void) unlink(path);
}
