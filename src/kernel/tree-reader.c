/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the driver's whole tree: enumeration by readdir, since nothing announces an image. */

#include "kernel/tree-reader.h"
#include "core/profile.h"
#include "kernel/image-reader.h"
#include "kernel/profile-detect.h"
#include "util/macros.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

int tree_open(const char *sysfs) {
        g_autofree char *path = g_build_filename(sysfs, TREE_SUBPATH, NULL);
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

/* Returns the GUIDs in the tree; other names are not the driver's. */
static int list_guids(int tree_fd, GPtrArray **ret) {
        g_autoptr(GPtrArray) guids = g_ptr_array_new_with_free_func(g_free);
        _cleanup_(closedirp) DIR *dir = NULL;
        int fd = openat(tree_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        dir = fdopendir(fd);
        if (!dir) {
                int error = -errno;

                close(fd);
                return error;
        }
        for (;;) {
                struct dirent *entry;

                errno = 0;
                entry = readdir(dir);
                if (!entry)
                        break;
                if (guid_is_valid(entry->d_name) && guids->len < TREE_IMAGES_MAX)
                        g_ptr_array_add(guids, g_strdup(entry->d_name));
        }
        if (errno != 0)
                return -errno;
        *ret = g_steal_pointer(&guids);
        return 0;
}

static DriverState state_of(const Tree *tree) {
        if (profile_is_unenforceable(tree->profile))
                return DRIVER_UNENFORCEABLE;
        return tree->images->len > 0 ? DRIVER_ACTIVE : DRIVER_NO_FIRMWARE;
}

int tree_read(const char *sysfs, Tree **ret) {
        g_autoptr(Tree) tree = tree_new();
        g_autoptr(GPtrArray) guids = NULL;
        _cleanup_close_ int tree_fd = tree_open(sysfs);
        struct stat status;
        int r;

        if (tree_fd == -ENOENT || tree_fd == -ENODEV) {
                tree->driver_state = DRIVER_NO_DRIVER;
                *ret = g_steal_pointer(&tree);
                return 0;
        }
        if (tree_fd < 0)
                return tree_fd;
        r = list_guids(tree_fd, &guids);
        if (r < 0)
                return r;
        if (fstat(tree_fd, &status) < 0)
                return -errno;
        tree->id = status.st_ino;
        tree->profile = profile_detect(sysfs, tree_fd, guids);
        for (unsigned i = 0; i < guids->len; i++) {
                ImageValues values;

                r = image_read(tree_fd, guids->pdata[i], tree->profile, &values);
                if (r >= 0)
                        g_array_append_val(tree->images, values);
        }
        tree_sort(tree);
        tree->driver_state = state_of(tree);
        *ret = g_steal_pointer(&tree);
        return 0;
}
