/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks into the tz database. GLib complains aloud about a file of it that is no zone, so its first bytes are read. */

#include "util/zone-file.h"
#include "util/macros.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>

#define ZONE_FOLDER "/usr/share/zoneinfo"

/* tzfile(5) */
static const char magic[] = { 'T', 'Z', 'i', 'f' };

bool zone_file_exists(const char *name) {
        g_autofree char *path = g_build_filename(ZONE_FOLDER, name, NULL);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        char found[sizeof(magic)];
        struct stat st;

        return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
               read(fd, found, sizeof(found)) == sizeof(found) && memcmp(found, magic, sizeof(magic)) == 0;
}
