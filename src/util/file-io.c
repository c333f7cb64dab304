/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bounded reads and atomic replacement of small files. */

#include "util/file-io.h"
#include "util/macros.h"

#include <fcntl.h>
#include <glib.h>
#include <stdio.h>

static ssize_t read_until_end(int fd, char *buffer, size_t size) {
        size_t length = 0;

        while (length < size) {
                ssize_t n = read(fd, buffer + length, size - length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return (ssize_t) length;
                length += (size_t) n;
        }
        return -EFBIG;
}

ssize_t file_read(int dir_fd, const char *path, char *buffer, size_t size) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        ssize_t length;

        if (fd < 0)
                return -errno;
        length = read_until_end(fd, buffer, size);
        if (length >= 0)
                buffer[length] = 0;
        return length;
}

int write_all(int fd, const void *data, size_t size) {
        const char *position = data;

        while (size > 0) {
                ssize_t n = write(fd, position, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EIO;
                position += n;
                size -= (size_t) n;
        }
        return 0;
}

static int write_beside(int dir_fd, const char *temporary, const void *data, size_t size, mode_t mode) {
        _cleanup_close_ int fd = openat(dir_fd, temporary,
                                        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
        int r;

        if (fd < 0)
                return -errno;
        r = write_all(fd, data, size);
        if (r < 0)
                return r;
        return fsync(fd) < 0 ? -errno : 0;
}

int file_replace(int dir_fd, const char *name, const void *data, size_t size, mode_t mode) {
        g_autofree char *temporary = g_strdup_printf(".%s.new", name);
        int r;

        r = write_beside(dir_fd, temporary, data, size, mode);
        if (r >= 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlinkat(dir_fd, temporary, 0);
                return r;
        }
        return fsync(dir_fd) < 0 ? -errno : 0;
}
