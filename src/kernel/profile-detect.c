/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telling the versions of the kernel driver apart. Evidence, strongest first:
 * - no current_version: rfc1 (no force_cpu_rendezvous), else rfc2 or nvrfc (the same to us);
 * - current_version, no auto_activate: v1nv when the platform driver ARM_LFA exists; else v2s or v1, told apart by
 *   pending_version, which v2s knows how to leave out;
 * - auto_activate, and the device faux/arm-lfa: v2 (v2bos looks the same);
 * - auto_activate otherwise: v3 when an unknown image's name is empty, nv3 when it is the GUID; nvnew differs from nv3
 *   by its `change` uevent only. */

#include "kernel/profile-detect.h"
#include "core/version.h"
#include "util/attr-io.h"
#include "util/macros.h"

#include <fcntl.h>
#include <string.h>

static bool path_exists(const char *sysfs, const char *subpath) {
        g_autofree char *path = g_build_filename(sysfs, subpath, NULL);

        return access(path, F_OK) == 0;
}

static bool has_attribute(int image_fd, const char *name) {
        return faccessat(image_fd, name, F_OK, 0) == 0;
}

/* v3 prints an empty line as the name of an unknown image, nv3 its GUID; a known name tells nothing. */
static DriverProfile detect_by_names(int tree_fd, const GPtrArray *guids) {
        for (unsigned i = 0; i < guids->len; i++) {
                const char *guid = guids->pdata[i];
                _cleanup_close_ int image_fd = openat(tree_fd, guid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                char name[256];

                if (image_fd < 0 || attr_read(image_fd, "name", name, sizeof(name)) < 0)
                        continue;
                if (strcmp(name, guid) == 0)
                        return PROFILE_NV3;
                if (name[0] == 0)
                        return PROFILE_V3;
        }
        return PROFILE_V3; /* the one with less to rely on */
}

static DriverProfile detect_by_image(const char *sysfs, int tree_fd, int image_fd, const GPtrArray *guids) {
        char pending_version[VERSION_SIZE * 2];

        if (!has_attribute(image_fd, "activate") || !has_attribute(image_fd, "activation_pending"))
                return PROFILE_UNKNOWN;
        if (!has_attribute(image_fd, "current_version"))
                return has_attribute(image_fd, "force_cpu_rendezvous") ? PROFILE_RFC2 : PROFILE_RFC1;
        if (has_attribute(image_fd, "auto_activate"))
                return path_exists(sysfs, "devices/faux/arm-lfa") ? PROFILE_V2
                                                                  : detect_by_names(tree_fd, guids);
        if (path_exists(sysfs, "bus/platform/drivers/ARM_LFA"))
                return PROFILE_V1NV;
        if (attr_read(image_fd, "pending_version", pending_version, sizeof(pending_version)) >= 0 &&
            strcmp(pending_version, "N/A") == 0)
                return PROFILE_V2S;
        return PROFILE_V1;
}

DriverProfile profile_detect(const char *sysfs, int tree_fd, const GPtrArray *guids) {
        for (unsigned i = 0; i < guids->len; i++) {
                _cleanup_close_ int image_fd =
                                openat(tree_fd, guids->pdata[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                /* A directory that is being removed has lost its files already. */
                if (image_fd >= 0 && has_attribute(image_fd, "name"))
                        return detect_by_image(sysfs, tree_fd, image_fd, guids);
        }
        return PROFILE_UNKNOWN;
}
