/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading what sysfs shows of the host's watchdogs. */

#include "kernel/watchdog-reader.h"
#include "kernel/clean-text.h"
#include "util/attr-io.h"
#include "util/macros.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define CLASS_SUBPATH "class/watchdog"
#define MISC_SUBPATH "class/misc/" WATCHDOG_MISC_DEVICE

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

static int open_folder(int at_fd, const char *path) {
        int fd = openat(at_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

/* Digits and nothing else. Returns -EBADMSG for what is no number, or one that no attribute can have. */
static int read_number(int device_fd, const char *attribute, int64_t *ret) {
        char text[16];
        int64_t number = 0;
        int r = attr_read(device_fd, attribute, text, sizeof(text));

        if (r < 0)
                return r;
        if (r == 0 || text[strspn(text, G_CSET_DIGITS)])
                return -EBADMSG;
        number = g_ascii_strtoll(text, NULL, 10);
        if (number > WATCHDOG_VALUE_MAXIMUM)
                return -EBADMSG;
        *ret = number;
        return 0;
}

/* Numbers whose lack makes more of a device than it is, when they are there and not understood. */
static bool shortens(WatchdogNumber number) {
        return number == WATCHDOG_PRETIMEOUT || number == WATCHDOG_TIMELEFT;
}

static void read_identity(int device_fd, char ret[static WATCHDOG_IDENTITY_SIZE]) {
        char text[WATCHDOG_IDENTITY_SIZE];

        if (attr_read(device_fd, "identity", text, sizeof(text)) > 0)
                clean_text(g_strstrip(text), ret, WATCHDOG_IDENTITY_SIZE);
}

static WatchdogState read_state(int device_fd) {
        char text[16];
        WatchdogState state;

        if (attr_read(device_fd, "state", text, sizeof(text)) < 0)
                return WATCHDOG_STATE_UNKNOWN;
        state = watchdog_state_from_string(text);
        return (int) state < 0 ? WATCHDOG_STATE_UNKNOWN : state;
}

static void read_device(int device_fd, Watchdog *watchdog) {
        read_identity(device_fd, watchdog->identity);
        watchdog->state = read_state(device_fd);
        for (int i = 0; i < _WATCHDOG_NUMBER_MAX; i++) {
                const char *attribute = watchdog_number_to_string((WatchdogNumber) i);
                int r = read_number(device_fd, attribute, &watchdog->numbers[i]);

                if (r < 0 && r != -ENOENT && shortens((WatchdogNumber) i))
                        watchdog->garbled = true;
        }
}

/* A device whose folder cannot be opened is there all the same: nothing is known of it then. */
static int read_class(int class_fd, GArray *watchdogs) {
        _cleanup_(closedirp) DIR *dir = NULL;
        int fd = open_folder(class_fd, ".");

        if (fd < 0)
                return fd;
        dir = fdopendir(fd);
        if (!dir) {
                int error = -errno;

                close(fd);
                return error;
        }
        for (;;) {
                _cleanup_close_ int device_fd = -EBADF;
                struct dirent *entry;
                Watchdog watchdog;

                errno = 0;
                entry = readdir(dir);
                if (!entry)
                        return -errno;
                if (!watchdog_is_class_device(entry->d_name))
                        continue;
                if (watchdogs->len >= WATCHDOGS_MAX)
                        return -E2BIG;
                watchdog_init(&watchdog, entry->d_name);
                device_fd = open_folder(class_fd, entry->d_name);
                if (device_fd >= 0)
                        read_device(device_fd, &watchdog);
                g_array_append_val(watchdogs, watchdog);
        }
}

static int by_number(gconstpointer a, gconstpointer b) {
        const Watchdog *left = a, *right = b;
        size_t lengths[] = { strlen(left->device), strlen(right->device) };

        if (lengths[0] != lengths[1])
                return lengths[0] < lengths[1] ? -1 : 1;
        return strcmp(left->device, right->device);
}

/* The class's first device registers the misc device as well, below the same parent; another driver's has another
 * parent, or there is no first device. */
static bool misc_stands_alone(int sysfs_fd) {
        struct stat class_parent = { 0 }, misc_parent = { 0 }, status;

        if (fstatat(sysfs_fd, MISC_SUBPATH, &status, 0) < 0)
                return false;
        if (fstatat(sysfs_fd, CLASS_SUBPATH "/watchdog0", &status, 0) < 0)
                return true;
        (void) fstatat(sysfs_fd, CLASS_SUBPATH "/watchdog0/device", &class_parent, 0);
        (void) fstatat(sysfs_fd, MISC_SUBPATH "/device", &misc_parent, 0);
        return class_parent.st_dev != misc_parent.st_dev || class_parent.st_ino != misc_parent.st_ino;
}

int watchdogs_read(const char *sysfs, GArray **ret) {
        g_autoptr(GArray) watchdogs = g_array_new(FALSE, FALSE, sizeof(Watchdog));
        _cleanup_close_ int sysfs_fd = open_folder(AT_FDCWD, sysfs), class_fd = -EBADF;
        int r = 0;

        if (sysfs_fd < 0)
                return sysfs_fd;
        class_fd = open_folder(sysfs_fd, CLASS_SUBPATH);
        if (class_fd >= 0)
                r = read_class(class_fd, watchdogs);
        else if (class_fd != -ENOENT)
                r = class_fd;
        if (r < 0)
                return r;
        g_array_sort(watchdogs, by_number);
        if (misc_stands_alone(sysfs_fd)) {
                Watchdog watchdog;

                watchdog_init(&watchdog, WATCHDOG_MISC_DEVICE);
                g_array_append_val(watchdogs, watchdog);
        }
        *ret = g_steal_pointer(&watchdogs);
        return 0;
}
