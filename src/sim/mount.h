/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Puts the simulated tree over a folder, with the folder's own entries bound back into it, and takes it
 * away. */

#include <glib.h>
#include <stdbool.h>

typedef struct Mount {
        char *mountpoint;   /* resolved */
        char *hold;         /* a bind mount of what is covered, while it is needed; else NULL */
        GPtrArray *entries; /* FrontEntry, owned: what the folder held */
        int fuse_fd;        /* until somebody serves it */
        bool mounted;
        char *kernel_log; /* what the kernel's log is bound over; NULL: nothing */
} Mount;

/* Mounts. The /sys/firmware of PID 1's mount namespace is refused, and so is one from which the mount would
 * spread to other namespaces. Nobody serves the file system yet: touching it blocks. On failure ret_error
 * gets a sentence for the user. Returns 0 or a negative errno. */
int mount_new(const char *mountpoint, Mount **ret_mount, char **ret_error);

/* With the file system served: binds the covered entries into it. Returns 0 or a negative errno, with
 * ret_error. */
int mount_bind_entries(Mount *mount, char **ret_error);

/* With the file system served: binds its kernel log over path, which must exist; one in /dev only in a mount
 * namespace of one's own. Returns 0 or a negative errno, with ret_error. */
int mount_bind_kernel_log(Mount *mount, const char *path, char **ret_error);

/* Takes everything down, also after a failure half-way. Does not wait for users of the file system: theirs
 * become detached. */
void mount_undo(Mount *mount);
Mount *mount_free(Mount *mount);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Mount, mount_free)
