/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files of inhibitors in the runtime folder, a tmpfs: inhibit/ID.fifo, whose write end a client holds open, and
 * inhibit/ID.json, which says what it is. Only root may look in there, so that nobody but lfad can open an end. */

#include "daemon/inhibitors.h"

#define INHIBITOR_FOLDER "inhibit"

/* Makes both files, the folder too when need be. The caller owns the two descriptors; neither blocks. Returns 0 or a
 * negative errno; then inhibitor_files_remove cleans up. */
int inhibitor_files_create(const char *runtime_folder, const Inhibitor *inhibitor, int *ret_read_fd,
                           int *ret_write_fd);

/* Appends the ids (uint32_t) for which there is any file, in their order. Whatever else lies there is removed and counted.
 * Returns 0, also when there is no folder, or a negative errno. */
int inhibitor_files_list(const char *runtime_folder, GArray *ids, unsigned *ret_removed);

/* Reads what an earlier lfad has left. The caller clears *ret and closes *ret_read_fd. Returns 0; -EPIPE when nobody has
 * the write end; -ESTALE when it is of another boot; -ENOENT when a file is missing; -EBADMSG when they are not as
 * inhibitor_files_create makes them; another negative errno. */
int inhibitor_files_load(const char *runtime_folder, uint32_t id, Inhibitor *ret, int *ret_read_fd);

/* Removes both files; whoever has the FIFO open notices nothing. */
void inhibitor_files_remove(const char *runtime_folder, uint32_t id);
