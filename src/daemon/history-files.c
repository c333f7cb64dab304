/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of the history's files, and how a new one is begun. */

#include "daemon/history-files.h"
#include "util/macros.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#define NEW_FILE ".history.jsonl.new"

static const char *const names[HISTORY_FILES] = { "history.jsonl", "history.jsonl.1", "history.jsonl.2",
                                                  "history.jsonl.3" };

static int open_for_appending(int folder_fd, const char *name, int flags) {
        int fd = openat(folder_fd, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags, 0644);

        return fd < 0 ? -errno : fd;
}

int history_files_open_newest(int folder_fd) {
        _cleanup_close_ int fd = open_for_appending(folder_fd, names[0], 0);

        if (fd < 0)
                return fd;
        (void) unlinkat(folder_fd, NEW_FILE, 0); /* records are written under the other name only */
        return fsync(folder_fd) < 0 ? -errno : steal_fd(&fd);
}

int history_files_open_older(int folder_fd, unsigned age) {
        /* O_NONBLOCK: something that is no file must not be waited for */
        _cleanup_close_ int fd = openat(folder_fd, names[age],
                                        O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        return S_ISREG(st.st_mode) ? steal_fd(&fd) : -ENOENT;
}

/* The first name that is not taken, or the oldest. Returns its age or a negative errno. */
static int find_gap(int folder_fd) {
        struct stat st;
        int age;

        for (age = 0; age < HISTORY_FILES - 1; age++)
                if (fstatat(folder_fd, names[age], &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return errno == ENOENT ? age : -errno;
        return age;
}

/* Only up to the first gap: what was moved before a crash is not moved again, and nothing is dropped without need.
 * Returns whether the newest was moved, too, or a negative errno. */
static int make_room(int folder_fd) {
        int gap = find_gap(folder_fd);

        for (int age = gap; age > 0; age--)
                if (renameat(folder_fd, names[age - 1], folder_fd, names[age]) < 0)
                        return -errno;
        return gap < 0 ? gap : gap > 0;
}

static int put_in_place(int folder_fd) {
        int moved = make_room(folder_fd), r = 0;

        if (moved < 0)
                return moved;
        if (renameat(folder_fd, NEW_FILE, folder_fd, names[0]) < 0 || fsync(folder_fd) < 0)
                r = -errno;
        /* A file whose name may not be on disk must not get records. */
        if (r < 0 && moved)
                (void) renameat(folder_fd, names[1], folder_fd, names[0]);
        return r;
}

int history_files_begin(int folder_fd) {
        _cleanup_close_ int fd = open_for_appending(folder_fd, NEW_FILE, O_TRUNC);
        int r;

        if (fd < 0)
                return fd;
        r = fsync(fd) < 0 ? -errno : put_in_place(folder_fd);
        if (r >= 0)
                return steal_fd(&fd);
        (void) unlinkat(folder_fd, NEW_FILE, 0);
        return r;
}
