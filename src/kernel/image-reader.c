/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading one image's directory. */

#include "kernel/image-reader.h"
#include "core/profile.h"
#include "kernel/clean-text.h"
#include "util/attr-io.h"
#include "util/macros.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#define READ_ATTEMPTS 3
#define SETTLE_ATTEMPTS 50
#define SETTLE_PAUSE_MSEC 20

static void read_name(int image_fd, ImageValues *values) {
        char text[256];

        if (attr_read(image_fd, "name", text, sizeof(text)) < 0)
                return;
        clean_text(text, values->name, sizeof(values->name));
        if (strcmp(values->name, values->guid) == 0 || strcmp(values->name, "(unknown)") == 0)
                values->name[0] = 0; /* says no more than the directory does */
}

static void read_version(int image_fd, const char *attribute, char version[static VERSION_SIZE]) {
        char text[VERSION_SIZE * 2];

        version[0] = 0;
        if (attr_read(image_fd, attribute, text, sizeof(text)) >= 0)
                (void) version_parse(text, version);
}

static int8_t read_flag(int image_fd, const char *attribute) {
        int r = attr_read_bool(image_fd, attribute);

        return r < 0 ? -1 : (int8_t) r;
}

/* Returns the second reading of activation_pending, or a negative errno. */
static int read_once(int image_fd, DriverProfile profile, ImageValues *values) {
        values->pending = read_flag(image_fd, "activation_pending");
        read_name(image_fd, values);
        values->capable = read_flag(image_fd, "activation_capable");
        values->may_reset_cpu = read_flag(image_fd, "may_reset_cpu");
        values->cpu_rendezvous = read_flag(image_fd, "cpu_rendezvous");
        values->force_cpu_rendezvous = read_flag(image_fd, "force_cpu_rendezvous");
        values->auto_activate = read_flag(image_fd, "auto_activate");
        read_version(image_fd, "current_version", values->current_version);
        if (!profile_pending_version_usable(profile))
                return values->pending;
        read_version(image_fd, "pending_version", values->pending_version);
        return read_flag(image_fd, "activation_pending");
}

int image_read(int tree_fd, const char *guid, DriverProfile profile, ImageValues *ret) {
        _cleanup_close_ int image_fd =
                        openat(tree_fd, guid, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        ImageValues values;

        if (image_fd < 0)
                return errno == ENODEV ? -ENOENT : -errno;
        for (int i = 0; i < READ_ATTEMPTS; i++) {
                image_values_init(&values, guid);
                if (read_once(image_fd, profile, &values) == values.pending)
                        break;
        }
        /* The driver removes an image's files before its directory. */
        if (faccessat(image_fd, "activation_capable", F_OK, 0) < 0 && (errno == ENOENT || errno == ENODEV))
                return -ENOENT;
        *ret = values;
        return 0;
}

int image_read_settled(int tree_fd, const char *guid, DriverProfile profile, ImageValues *ret) {
        const struct timespec pause = { .tv_nsec = SETTLE_PAUSE_MSEC * 1000 * 1000 };
        int r = image_read(tree_fd, guid, profile, ret);

        for (int i = 0; i < SETTLE_ATTEMPTS && r >= 0 && image_values_look_stale(ret); i++) {
                nanosleep(&pause, NULL);
                r = image_read(tree_fd, guid, profile, ret);
        }
        return r;
}
