/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading /dev/kmsg. A record is "PRIORITY,SEQUENCE,USEC,FLAGS[,MORE];TEXT\n", perhaps with lines
 * " KEY=value" behind it; one read(2) gives one record. */

#include "kernel/kernel-log.h"
#include "util/macros.h"

#include <fcntl.h>
#include <string.h>

/* The kernel's own limit for a record, with everything escaped. */
#define RECORD_SIZE_MAX 8192
/* More than the largest log that a kernel keeps by default has; somebody may write to it as fast as we read.
 */
#define RECORDS_MAX 100000
#define FACILITY_SHIFT 3
#define LEVEL_MASK 7
#define FACILITY_KERNEL 0

int kernel_log_open(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        int r;

        if (fd < 0)
                return -errno;
        r = kernel_log_mark(fd); /* what cannot do that is no kernel log */
        return r < 0 ? r : steal_fd(&fd);
}

int kernel_log_mark(int fd) {
        return lseek(fd, 0, SEEK_END) < 0 ? -errno : 0;
}

/* "PRIORITY," at the start: the digits only, and not more of them than any facility has. */
static int parse_priority(const char *record, size_t size) {
        int priority = 0;

        for (size_t i = 0; i < size && i < 6; i++) {
                if (record[i] == ',' && i > 0)
                        return priority;
                if (record[i] < '0' || record[i] > '9')
                        break;
                priority = priority * 10 + (record[i] - '0');
        }
        return -EBADMSG;
}

bool kernel_log_parse(char *record, size_t size, int *ret_level, const char **ret_text) {
        int priority = parse_priority(record, size);
        char *text = size > 0 ? memchr(record, ';', size) : NULL, *end;

        if (priority < 0 || priority >> FACILITY_SHIFT != FACILITY_KERNEL || !text)
                return false;
        text++;
        end = memchr(text, '\n', size - (size_t) (text - record));
        if (!end)
                return false;
        *end = 0;
        for (const char *p = text; p < end; p++)
                if (*p < ' ' || *p > '~')
                        return false;
        *ret_level = priority & LEVEL_MASK;
        *ret_text = text;
        return true;
}

int kernel_log_read(int fd, KernelLogTake take, void *userdata) {
        char record[RECORD_SIZE_MAX];
        bool lost = false;

        for (unsigned i = 0; i < RECORDS_MAX; i++) {
                ssize_t n = read(fd, record, sizeof(record));
                const char *text;
                int level;

                if (n > 0 && kernel_log_parse(record, (size_t) n, &level, &text))
                        take(level, text, userdata);
                else if (n == 0 || (n < 0 && errno == EAGAIN))
                        return lost;
                else if (n < 0 && (errno == EPIPE || errno == EINVAL))
                        lost = true; /* overwritten, or larger than any record; the next read goes on behind */
                else if (n < 0 && errno != EINTR)
                        return -errno;
        }
        return 1;
}
