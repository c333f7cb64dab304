/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the limits of the kernel's own detectors of standstill. */

#include "kernel/lockup-reader.h"
#include "util/attr-io.h"
#include "util/macros.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>

/* Digits and nothing else. */
static int64_t read_number(int folder_fd, const char *name) {
        char text[16];
        int64_t number;

        if (folder_fd < 0 || attr_read(folder_fd, name, text, sizeof(text)) <= 0 ||
            text[strspn(text, G_CSET_DIGITS)])
                return LOCKUP_ABSENT;
        number = g_ascii_strtoll(text, NULL, 10);
        return number <= LOCKUP_VALUE_MAXIMUM ? number : LOCKUP_ABSENT;
}

static int open_folder(const char *root, const char *path) {
        g_autofree char *full = g_build_filename(root, path, NULL);

        return open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void lockups_read(const char *sysfs, const char *procfs, Lockups *ret) {
        _cleanup_close_ int kernel_fd = open_folder(procfs, "sys/kernel");
        _cleanup_close_ int rcu_fd = open_folder(sysfs, "module/rcupdate/parameters");

        for (int i = 0; i < _LOCKUP_NUMBER_MAX; i++)
                ret->numbers[i] = read_number(i == LOCKUP_RCU_STALL_TIMEOUT ? rcu_fd : kernel_fd,
                                              lockup_number_to_string((LockupNumber) i));
}
