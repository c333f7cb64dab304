/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The socket on which journald takes entries with fields: systemd.io/JOURNAL_NATIVE_PROTOCOL. */

#include <stdbool.h>
#include <stddef.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Returns a descriptor to send with, or a negative errno. */
int journal_socket_open(void);

/* Sends one entry. patient: wait for up to 100 ms when journald has not yet taken what was sent before; else not at all.
 * Returns 0; -EAGAIN when it still has not; -ENOENT, -ECONNREFUSED or another negative errno when nobody is there. */
int journal_socket_send(int fd, const char *path, const char *entry, size_t size, bool patient);
