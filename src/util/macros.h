/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Cleanup attributes and small helpers that GLib and libsystemd do not have.
 * For memory use g_autofree / g_autoptr / g_steal_pointer; for sd_* objects _cleanup_(sd_..._unrefp). */

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _printf_(format_index, first_argument) __attribute__((format(printf, format_index, first_argument)))

#define USEC_PER_SEC 1000000ULL
#define USEC_PER_MSEC 1000ULL
#define NSEC_PER_USEC 1000ULL

/* Closes fd unless it is negative, keeps errno, returns -EBADF: fd = safe_close(fd). */
static inline int safe_close(int fd) {
        if (fd >= 0) {
                int saved = errno;
                close(fd);
                errno = saved;
        }
        return -EBADF;
}

static inline void closep(int *fd) {
        *fd = safe_close(*fd);
}

#define _cleanup_close_ _cleanup_(closep)

/* Hands a descriptor on: the variable becomes -EBADF and its cleanup does nothing. */
static inline int steal_fd(int *fd) {
        int stolen = *fd;
        *fd = -EBADF;
        return stolen;
}
