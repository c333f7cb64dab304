/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading and writing sysfs attributes. Each call opens the file anew: a descriptor that was opened before
 * the kernel re-created an image would answer ENODEV for ever. Any of these may sleep in the kernel (an
 * activation_pending read is a firmware call), so only the worker calls them. */

#include <stddef.h>

/* Reads one attribute's single line without its newline. Returns the length, or a negative errno;
 * -EBADMSG when it is longer than the buffer, has a NUL inside, or is more than one line. */
int attr_read(int dir_fd, const char *name, char *buffer, size_t size);

/* Reads "0" or "1". Returns that, -EBADMSG for anything else, or a negative errno. */
int attr_read_bool(int dir_fd, const char *name);

/* Opens an attribute for one write. Returns a descriptor or a negative errno. */
int attr_open_write(int dir_fd, const char *name);

/* Exactly one write(2) of one byte, never repeated: each write of a byte to `activate` is one activation,
 * whatever the byte (kernel driver, all versions). Returns 0, or a negative errno; -EIO when nothing was
 * taken. */
int attr_write_byte(int fd, char byte);
