/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Shows a machine as a file system with the habits of sysfs: `lfa` in the root comes and goes with the
 * driver, an image's directory is an inode of its own each time it is made. Built on libfuse's low-level
 * interface, because there an open directory or file stays the thing it was, whatever has its name now. */

#include "sim/machine.h"

/* An entry of the tree the mount covers; something real is bound over it. */
typedef struct FrontEntry {
        char *name;
        bool is_directory;
} FrontEntry;

void front_entry_free(FrontEntry *entry);

/* The kernel's log (sim/kernel-log-file.h) in the root, which no listing shows. */
#define KERNEL_LOG_NAME ".kmsg"

typedef struct Front Front;

/* fuse_fd: an open /dev/fuse that is mounted already, taken over on success. machine and entries
 * (FrontEntry) must outlive it. Starts serving in threads of its own. ended() is called from one of them
 * when serving ends by itself. Returns 0 or a negative errno. */
int front_new(Machine *machine, const GPtrArray *entries, int fuse_fd, void (*ended)(void *userdata),
              void *userdata, Front **ret_front);

/* Ends serving; the machine must have been stopped. Returns NULL. */
Front *front_free(Front *front);
