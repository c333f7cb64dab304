/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bounded reads and atomic replacement of small files. */

#include "util/file-io.h"
#include "util/macros.h"

#include <dirent.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define RANDOM_DIGITS 16
#define LEFTOVER_SECONDS (10 * 60)

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

/* Takes the descriptor. exact_mode: whatever the umask; 0 = as it was opened. */
static int fill(int owned_fd, const void *data, size_t size, mode_t exact_mode) {
        _cleanup_close_ int fd = owned_fd;
        int r = write_all(fd, data, size);

        if (r < 0)
                return r;
        if (exact_mode != 0 && fchmod(fd, exact_mode) < 0)
                return -errno;
        return fsync(fd) < 0 ? -errno : 0;
}

/* With the result of writing the file beside. */
static int put_in_place(int dir_fd, const char *name, const char *temporary, int r) {
        if (r >= 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlinkat(dir_fd, temporary, 0);
                return r;
        }
        return fsync(dir_fd) < 0 ? -errno : 0;
}

int file_replace(int dir_fd, const char *name, const void *data, size_t size, mode_t mode) {
        g_autofree char *temporary = g_strdup_printf(".%s.new", name);
        int fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);

        return put_in_place(dir_fd, name, temporary, fd < 0 ? -errno : fill(fd, data, size, 0));
}

/* Nothing there is as good as a file. */
static int check_is_file(int dir_fd, const char *name) {
        struct stat st;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        return S_ISREG(st.st_mode) ? 0 : -ENOTSUP;
}

/* .NAME. and what file_publish() adds. */
static bool is_leftover(const char *entry, const char *name) {
        size_t length = strlen(name);

        return entry[0] == '.' && strncmp(entry + 1, name, length) == 0 && entry[1 + length] == '.' &&
               strspn(entry + 2 + length, "0123456789abcdef") == RANDOM_DIGITS &&
               strlen(entry + 2 + length) == RANDOM_DIGITS;
}

/* Somebody may be writing beside: that takes no minutes. */
static void remove_if_old(int dir_fd, const char *entry) {
        struct stat st;

        if (fstatat(dir_fd, entry, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            st.st_mtime < time(NULL) - LEFTOVER_SECONDS)
                (void) unlinkat(dir_fd, entry, 0);
}

/* As far as that goes: what cannot be removed is no obstacle. */
static void remove_leftovers(int dir_fd, const char *name) {
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        if (!folder) {
                safe_close(fd);
                return;
        }
        while ((entry = readdir(folder)))
                if (is_leftover(entry->d_name, name))
                        remove_if_old(dir_fd, entry->d_name);
        closedir(folder);
}

int file_publish(int dir_fd, const char *name, const void *data, size_t size, mode_t mode) {
        g_autofree char *temporary = g_strdup_printf(".%s.%08x%08x", name, g_random_int(), g_random_int());
        int fd, r = check_is_file(dir_fd, name);

        if (r < 0)
                return r;
        remove_leftovers(dir_fd, name);
        fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno; /* what may be there under that name is not ours */
        return put_in_place(dir_fd, name, temporary, fill(fd, data, size, mode));
}
