/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What /proc says of a caller. These reads are allowed on the loop: procfs answers from memory, for these two files
 * without waiting for anything the process does; no disk, no sysfs and no other process is asked. */

#include "bus/requester.h"
#include "util/file-io.h"

#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <systemd/sd-login.h>

/* "4294967295" is nobody: the process descends from no login. */
static void read_login_uid(Requester *requester) {
        g_autofree char *path = g_strdup_printf("/proc/%u/loginuid", requester->pid);
        char text[32];
        uint64_t uid;

        if (file_read(AT_FDCWD, path, text, sizeof(text)) < 0 ||
            !g_ascii_string_to_unsigned(g_strchomp(text), 10, 0, UINT32_MAX - 1, &uid, NULL))
                return;
        requester->logged_in = true;
        requester->login_uid = (uint32_t) uid;
}

void requester_read_hints(Requester *requester) {
        char *unit = NULL; /* malloc, not GLib's */

        if (requester->pid == 0 || requester->pid > INT32_MAX)
                return;
        if (sd_pid_get_unit((pid_t) requester->pid, &unit) >= 0)
                requester_set_unit(requester, unit);
        free(unit);
        read_login_uid(requester);
}
