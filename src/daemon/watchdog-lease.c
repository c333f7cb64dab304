/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file that says what systemd's watchdog time-out was before. */

#include "daemon/watchdog-lease.h"
#include "util/boot-id.h"
#include "util/file-io.h"
#include "util/json.h"
#include "util/macros.h"

#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

#define FILE_NAME "watchdog.lease"
#define FILE_SIZE_MAX 1024

static int open_folder(const char *runtime_folder) {
        int fd = open(runtime_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int watchdog_lease_write(const char *runtime_folder, const WatchdogLease *lease) {
        _cleanup_json_ json_object *object = json_object_new_object();
        _cleanup_close_ int folder_fd = open_folder(runtime_folder);
        char boot_id[BOOT_ID_SIZE];
        const char *text;
        int r = folder_fd < 0 ? folder_fd : boot_id_read(boot_id);

        if (r < 0)
                return r;
        json_add_string(object, "boot-id", boot_id);
        /* No number of JSON's can be UINT64_MAX. */
        if (lease->old_usec == UINT64_MAX)
                json_object_object_add(object, "old-is-default", json_object_new_boolean(true));
        else
                json_add_u64(object, "old-usec", lease->old_usec);
        json_add_u64(object, "hardware-usec", lease->hardware_usec);
        json_add_u64(object, "set-usec", lease->set_usec);
        json_add_u64(object, "job", lease->job);
        text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
        return file_replace(folder_fd, FILE_NAME, text, strlen(text), 0644);
}

static int parse_old(json_object *object, uint64_t *ret) {
        bool is_default = false;

        if (json_get_bool(object, "old-is-default", &is_default) == 0 && is_default) {
                *ret = UINT64_MAX;
                return json_get_u64(object, "old-usec", &(uint64_t){ 0 }) == -ENOENT ? 0 : -EBADMSG;
        }
        return json_get_u64(object, "old-usec", ret) < 0 || *ret == 0 ? -EBADMSG : 0;
}

int watchdog_lease_read(const char *runtime_folder, WatchdogLease *ret) {
        _cleanup_json_ json_object *object = NULL;
        _cleanup_close_ int folder_fd = open_folder(runtime_folder);
        char text[FILE_SIZE_MAX], boot_id[BOOT_ID_SIZE];
        WatchdogLease lease = { .old_known = true };
        const char *boot;
        uint64_t job = 0;
        ssize_t size = folder_fd < 0 ? folder_fd : file_read(folder_fd, FILE_NAME, text, sizeof(text));
        int r;

        if (size == -EFBIG)
                return -EBADMSG;
        if (size < 0)
                return (int) size;
        r = boot_id_read(boot_id);
        if (r < 0)
                return r;
        object = json_parse_line(text, (size_t) size);
        if (!object || json_get_string(object, "boot-id", &boot) < 0)
                return -EBADMSG;
        if (strcmp(boot, boot_id) != 0)
                return -ESTALE;
        if (parse_old(object, &lease.old_usec) < 0 ||
            json_get_u64(object, "hardware-usec", &lease.hardware_usec) < 0 ||
            json_get_u64(object, "set-usec", &lease.set_usec) < 0 || json_get_u64(object, "job", &job) < 0 ||
            job > UINT32_MAX)
                return -EBADMSG;
        lease.job = (uint32_t) job;
        *ret = lease;
        return 0;
}

int watchdog_lease_remove(const char *runtime_folder) {
        _cleanup_close_ int folder_fd = open_folder(runtime_folder);

        if (folder_fd < 0)
                return folder_fd;
        return unlinkat(folder_fd, FILE_NAME, 0) < 0 && errno != ENOENT ? -errno : 0;
}
