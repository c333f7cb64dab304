/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounting by hand: refusing what would harm the host, holding the covered tree, binding it back. */

#include "sim/mount.h"

#include "sim/fuse-front.h"
#include "util/macros.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define ENTRIES_MAX 256

/* True when the path is /sys/firmware, lies below it or would hide it. */
static bool touches_sys_firmware(const char *path) {
        static const char *const parents[] = { "/", "/sys", "/sys/firmware" };

        for (size_t i = 0; i < G_N_ELEMENTS(parents); i++)
                if (strcmp(path, parents[i]) == 0)
                        return true;
        return g_str_has_prefix(path, "/sys/firmware/");
}

/* Mount ids are unique on the whole machine: one in common means the same namespace. */
static bool mounts_are_in_common(void) {
        g_autofree char *own = NULL, *first = NULL;
        g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_auto(GStrv) own_lines = NULL, first_lines = NULL;

        if (!g_file_get_contents("/proc/self/mountinfo", &own, NULL, NULL) ||
            !g_file_get_contents("/proc/1/mountinfo", &first, NULL, NULL) || !*own || !*first)
                return true;
        own_lines = g_strsplit(own, "\n", -1);
        first_lines = g_strsplit(first, "\n", -1);
        for (char **line = first_lines; *line && **line; line++)
                g_hash_table_add(ids, g_strndup(*line, strcspn(*line, " ")));
        for (char **line = own_lines; *line && **line; line++) {
                g_autofree char *id = g_strndup(*line, strcspn(*line, " "));

                if (g_hash_table_contains(ids, id))
                        return true;
        }
        return false;
}

/* True also when it cannot be told. The links need all capabilities PID 1 has, which root may lack. */
static bool namespace_is_that_of_pid1(void) {
        struct stat own, first;

        if (stat("/proc/self/ns/mnt", &own) < 0 || stat("/proc/1/ns/mnt", &first) < 0)
                return mounts_are_in_common();
        return own.st_dev == first.st_dev && own.st_ino == first.st_ino;
}

/* proc(5), mountinfo: ID parent major:minor root mountpoint options [shared:N ...] - type source options.
 * True when a mount at path would appear in other namespaces, too, or when that cannot be told. */
static bool mount_would_spread(const char *path) {
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;
        size_t longest = 0;
        bool shared = true;

        if (!g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL))
                return true;
        lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line; line++) {
                g_auto(GStrv) fields = g_strsplit(*line, " ", -1);
                size_t length;

                if (g_strv_length(fields) < 7)
                        continue;
                length = strcmp(fields[4], "/") == 0 ? 0 : strlen(fields[4]);
                if (strncmp(path, fields[4], length) != 0 || (path[length] != '/' && path[length] != '\0') ||
                    length < longest)
                        continue;
                longest = length;
                shared = false;
                for (char **option = fields + 6; *option && strcmp(*option, "-") != 0; option++)
                        shared = shared || g_str_has_prefix(*option, "shared:");
        }
        return shared;
}

/* option: how the user chooses another path. */
static int mount_check(const char *mountpoint, const char *option, char **ret_error) {
        if (namespace_is_that_of_pid1()) {
                *ret_error = g_strdup_printf(
                                "will not cover %s of the mount namespace that PID 1 lives in; use "
                                "'lfa-sim run -- COMMAND', or 'unshare --mount', or another %s",
                                mountpoint, option);
                return -EPERM;
        }
        if (mount_would_spread(mountpoint)) {
                *ret_error = g_strdup_printf("a mount on %s would spread to other mount namespaces; use "
                                             "'unshare --mount --propagation private'",
                                             mountpoint);
                return -EPERM;
        }
        return 0;
}

static int entries_list(Mount *self) {
        DIR *directory = opendir(self->mountpoint);
        const struct dirent *found;

        if (!directory)
                return -errno;
        while ((found = readdir(directory)) && self->entries->len < ENTRIES_MAX) {
                FrontEntry *entry;

                if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0 ||
                    strcmp(found->d_name, "lfa") == 0 ||
                    (found->d_type != DT_DIR && found->d_type != DT_REG))
                        continue;
                entry = g_new0(FrontEntry, 1);
                entry->name = g_strdup(found->d_name);
                entry->is_directory = found->d_type == DT_DIR;
                g_ptr_array_add(self->entries, entry);
        }
        closedir(directory);
        return 0;
}

static void hold_release(Mount *self) {
        if (!self->hold)
                return;
        (void) umount2(self->hold, MNT_DETACH);
        (void) rmdir(self->hold);
        g_clear_pointer(&self->hold, g_free);
}

/* Once covered, the entries could not be reached any more. */
static int hold_take(Mount *self) {
        static const char *const templates[] = { "/run/lfa-sim.XXXXXX", "/tmp/lfa-sim.XXXXXX" };

        if (self->entries->len == 0)
                return 0;
        for (size_t i = 0; i < G_N_ELEMENTS(templates) && !self->hold; i++) {
                g_autofree char *hold = g_strdup(templates[i]);

                if (mkdtemp(hold))
                        self->hold = g_steal_pointer(&hold);
        }
        if (!self->hold || mount(self->mountpoint, self->hold, NULL, MS_BIND | MS_REC, NULL) < 0)
                return -errno;
        if (mount(NULL, self->hold, NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno;
        return 0;
}

static int fuse_mount(Mount *self) {
        g_autofree char *options = NULL;
        _cleanup_close_ int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        options = g_strdup_printf(
                        "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions", fd);
        if (mount("lfa-sim", self->mountpoint, "fuse.lfa-sim", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) <
            0)
                return -errno;
        self->mounted = true;
        self->fuse_fd = steal_fd(&fd);
        return 0;
}

int mount_new(const char *mountpoint, Mount **ret_mount, char **ret_error) {
        g_autoptr(Mount) self = g_new0(Mount, 1);
        int r;

        self->fuse_fd = -EBADF;
        self->entries = g_ptr_array_new_with_free_func((GDestroyNotify) front_entry_free);
        self->mountpoint = realpath(mountpoint, NULL);
        if (!self->mountpoint) {
                r = -errno;
                *ret_error = g_strdup_printf("cannot use %s: %s", mountpoint, g_strerror(-r));
                return r;
        }
        r = touches_sys_firmware(self->mountpoint)
                            ? mount_check(self->mountpoint, "--mountpoint=", ret_error)
                            : 0;
        if (r < 0)
                return r;
        r = entries_list(self);
        if (r >= 0)
                r = hold_take(self);
        if (r >= 0)
                r = fuse_mount(self);
        if (r < 0) {
                mount_undo(self);
                *ret_error = g_strdup_printf("cannot mount on %s: %s", self->mountpoint, g_strerror(-r));
                return r;
        }
        *ret_mount = g_steal_pointer(&self);
        return 0;
}

int mount_bind_entries(Mount *self, char **ret_error) {
        for (guint i = 0; i < self->entries->len; i++) {
                const FrontEntry *entry = self->entries->pdata[i];
                g_autofree char *from = g_build_filename(self->hold, entry->name, NULL);
                g_autofree char *to = g_build_filename(self->mountpoint, entry->name, NULL);

                if (mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0) {
                        int r = -errno;

                        *ret_error = g_strdup_printf("cannot show %s: %s", to, g_strerror(-r));
                        return r;
                }
        }
        hold_release(self);
        return 0;
}

int mount_bind_kernel_log(Mount *self, const char *path, char **ret_error) {
        g_autofree char *from = g_build_filename(self->mountpoint, KERNEL_LOG_NAME, NULL);
        g_autofree char *covered = realpath(path, NULL);
        int r = covered ? 0 : -errno;

        if (covered && g_str_has_prefix(covered, "/dev/")) {
                r = mount_check(covered, "--kernel-log=", ret_error);
                if (r < 0)
                        return r;
        }
        if (r >= 0 && mount(from, covered, NULL, MS_BIND, NULL) < 0)
                r = -errno;
        if (r < 0) {
                *ret_error = g_strdup_printf("cannot show the kernel's log as %s: %s", path, g_strerror(-r));
                return r;
        }
        self->kernel_log = g_steal_pointer(&covered);
        return 0;
}

void mount_undo(Mount *self) {
        if (self->kernel_log)
                (void) umount2(self->kernel_log, MNT_DETACH);
        g_clear_pointer(&self->kernel_log, g_free);
        if (self->mounted)
                (void) umount2(self->mountpoint, MNT_DETACH);
        self->mounted = false;
        hold_release(self);
}

Mount *mount_free(Mount *self) {
        if (!self)
                return NULL;
        mount_undo(self);
        self->fuse_fd = safe_close(self->fuse_fd);
        g_ptr_array_unref(self->entries);
        free(self->mountpoint);
        g_free(self);
        return NULL;
}
