/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the history may begin a new file: never between the records "started" and "finished" of a job, for which room
 * was reserved behind the first; nor while its guard is taken, which may last: its first record stays. */

#include "daemon/manager.h"
#include "util/log.h"

void manager_rotate_history(Manager *manager) {
        int r;

        if (!manager->history || manager->current || manager->foreign_activation ||
            manager->unwritten.length > 0)
                return;
        r = history_rotate(manager->history, manager->config->history_max_bytes);
        if (r > 0)
                log_debug("The history begins a new file.");
        if (r < 0 && ratelimit_pass(&manager->rotation_limit, clock_monotonic(manager->clock)))
                log_warning_errno(r, "The history cannot begin a new file; going on with the old one");
}
