/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bounded reads and atomic replacement of small files. All of it may block on the disk. */

#include <stddef.h>
#include <sys/types.h>

/* Reads at most size - 1 bytes of a file from its start and terminates them with NUL.
 * Returns the number of bytes, -EFBIG when the file has more, or a negative errno. */
ssize_t file_read(int dir_fd, const char *path, char *buffer, size_t size);

/* Replaces a file as a whole: written beside it, fsynced, renamed, the folder fsynced. After a crash either
 * the old or the new content is there, never a part. Returns 0 or a negative errno; on failure the old file
 * is untouched. */
int file_replace(int dir_fd, const char *name, const void *data, size_t size, mode_t mode);

/* The same in a folder that others may write to: the file beside has a name that nobody can foresee, no link is followed,
 * what is there and is no regular file is refused (-EISDIR, or -ENOTSUP: /dev/stdout shall stay what it is), and mode
 * holds whatever the umask. Killed in between, it leaves a file with a dot before its name, which a later call removes, ten
 * minutes or more afterwards. */
int file_publish(int dir_fd, const char *name, const void *data, size_t size, mode_t mode);

/* Writes everything, across short writes and EINTR. Never for sysfs attributes: one write there is one
 * action. */
int write_all(int fd, const void *data, size_t size);
