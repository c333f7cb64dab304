/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telling the versions of the kernel driver apart. Evidence, strongest first:
 * - no current_version: rfc1 (no force_cpu_rendezvous), else rfc2 or nvrfc (the same to us);
 * - current_version, no auto_activate: v1nv when the platform driver ARM_LFA exists; else v1 when an unknown image's
 *   name is "(unknown)", v2s when it is empty; with known names only, v2s when some pending_version is "N/A", which v1
 *   never prints;
 * - auto_activate, and the device faux/arm-lfa: v2 (v2bos looks the same);
 * - auto_activate, and the driver lfa_fw on bus arm_smccc: v3 when an unknown image's name is empty, nv3 when it is the
 *   GUID; nvnew differs from nv3 by what it does only. */

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

static bool read_attribute(int tree_fd, const char *guid, const char *attribute, char *buffer, size_t size) {
        _cleanup_close_ int image_fd = openat(tree_fd, guid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return image_fd >= 0 && attr_read(image_fd, attribute, buffer, size) >= 0;
}

/* How the driver names an image that it does not know; a known name tells nothing. */
typedef enum NamesOfUnknown {
        NAMES_NOT_SEEN,
        NAMES_EMPTY,
        NAMES_PLACEHOLDER, /* "(unknown)" */
        NAMES_GUID,
} NamesOfUnknown;

static NamesOfUnknown look_at_names(int tree_fd, const GPtrArray *guids) {
        for (unsigned i = 0; i < guids->len; i++) {
                const char *guid = guids->pdata[i];
                char name[256];

                if (!read_attribute(tree_fd, guid, "name", name, sizeof(name)))
                        continue;
                if (strcmp(name, guid) == 0)
                        return NAMES_GUID;
                if (strcmp(name, "(unknown)") == 0)
                        return NAMES_PLACEHOLDER;
                if (name[0] == 0)
                        return NAMES_EMPTY;
        }
        return NAMES_NOT_SEEN;
}

static bool any_pending_version_is_left_out(int tree_fd, const GPtrArray *guids) {
        for (unsigned i = 0; i < guids->len; i++) {
                char version[VERSION_SIZE * 2];

                if (read_attribute(tree_fd, guids->pdata[i], "pending_version", version, sizeof(version)) &&
                    strcmp(version, "N/A") == 0)
                        return true;
        }
        return false;
}

static DriverProfile detect_v1_or_v2s(int tree_fd, const GPtrArray *guids) {
        switch (look_at_names(tree_fd, guids)) {
        case NAMES_EMPTY:
                return PROFILE_V2S;
        case NAMES_NOT_SEEN:
                return any_pending_version_is_left_out(tree_fd, guids) ? PROFILE_V2S : PROFILE_V1;
        default:
                return PROFILE_V1;
        }
}

/* By whom it is driven: on no other bus was a driver with these attributes ever seen. */
static DriverProfile detect_with_auto_activate(const char *sysfs, int tree_fd, const GPtrArray *guids) {
        if (path_exists(sysfs, "devices/faux/arm-lfa"))
                return PROFILE_V2;
        if (!path_exists(sysfs, "bus/arm_smccc/drivers/lfa_fw"))
                return PROFILE_UNKNOWN;
        return look_at_names(tree_fd, guids) == NAMES_GUID ? PROFILE_NV3 : PROFILE_V3; /* less to rely on */
}

static DriverProfile detect_by_image(const char *sysfs, int tree_fd, int image_fd, const GPtrArray *guids) {
        if (!has_attribute(image_fd, "activate") || !has_attribute(image_fd, "activation_pending"))
                return PROFILE_UNKNOWN;
        if (!has_attribute(image_fd, "current_version"))
                return has_attribute(image_fd, "force_cpu_rendezvous") ? PROFILE_RFC2 : PROFILE_RFC1;
        if (has_attribute(image_fd, "auto_activate"))
                return detect_with_auto_activate(sysfs, tree_fd, guids);
        return path_exists(sysfs, "bus/platform/drivers/ARM_LFA") ? PROFILE_V1NV
                                                                  : detect_v1_or_v2s(tree_fd, guids);
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
