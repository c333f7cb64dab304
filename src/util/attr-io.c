/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and writing sysfs attributes. */

#include "util/attr-io.h"
#include "util/macros.h"

#include <fcntl.h>
#include <string.h>

int attr_read(int dir_fd, const char *name, char *buffer, size_t size) {
        _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, buffer, size);
        if (n < 0)
                return -errno;
        /* A buffer filled to the brim tells nothing about what follows: longer, or a second line. */
        if ((size_t) n >= size)
                return -EBADMSG;
        if (n > 0 && buffer[n - 1] == '\n')
                n--;
        if (memchr(buffer, 0, (size_t) n) || memchr(buffer, '\n', (size_t) n))
                return -EBADMSG;
        buffer[n] = 0;
        return (int) n;
}

int attr_read_bool(int dir_fd, const char *name) {
        char text[4];
        int r = attr_read(dir_fd, name, text, sizeof(text));

        if (r < 0)
                return r;
        if (strcmp(text, "0") == 0 || strcmp(text, "1") == 0)
                return text[0] - '0';
        return -EBADMSG;
}

int attr_open_write(int dir_fd, const char *name) {
        int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : fd;
}

int attr_write_byte(int fd, char byte) {
        ssize_t n = write(fd, &byte, 1);

        if (n < 0)
                return -errno;
        return n == 1 ? 0 : -EIO;
}
