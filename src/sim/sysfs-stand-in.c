/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A folder that stands in for /sys. */

#include "sim/sysfs-stand-in.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

int sysfs_stand_in_make(const char *folder, const DriverTraits *traits, const char *mountpoint) {
        g_autofree char *firmware = g_build_filename(folder, "firmware", NULL);
        g_autofree char *evidence =
                        g_build_filename(folder, traits->sysfs_evidence ? traits->sysfs_evidence : "", NULL);

        if (g_mkdir_with_parents(evidence, 0755) < 0)
                return -errno;
        (void) unlink(firmware); /* of a simulator that was killed */
        return symlink(mountpoint, firmware) < 0 ? -errno : 0;
}

void sysfs_stand_in_remove(const char *folder, const DriverTraits *traits) {
        g_autofree char *firmware = g_build_filename(folder, "firmware", NULL);
        g_autofree char *path =
                        g_build_filename(folder, traits->sysfs_evidence ? traits->sysfs_evidence : "", NULL);

        (void) unlink(firmware);
        while (strlen(path) >= strlen(folder) && rmdir(path) == 0) {
                char *slash = strrchr(path, '/');

                if (!slash)
                        break;
                *slash = 0;
        }
}
