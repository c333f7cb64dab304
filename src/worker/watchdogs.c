/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfad-worker watchdogs: one reading of what sysfs shows of the host's watchdogs, and of the kernel's own detectors of
 * standstill. */

#include "kernel/lockup-reader.h"
#include "kernel/watchdog-reader.h"
#include "worker/answer.h"
#include "worker/worker.h"

int worker_watchdogs(const WorkerRequest *request) {
        g_autoptr(GArray) watchdogs = NULL;
        Lockups lockups;
        int r = watchdogs_read(request->sysfs, &watchdogs);

        if (r < 0)
                return worker_say(answer_from_error(-r)) < 0 ? 1 : 0;
        for (unsigned i = 0; i < watchdogs->len; i++)
                if (worker_say(answer_from_watchdog(&g_array_index(watchdogs, Watchdog, i))) < 0)
                        return 1;
        lockups_read(request->sysfs, request->procfs, &lockups);
        if (worker_say(answer_from_lockups(&lockups)) < 0)
                return 1;
        return worker_say(answer_from_error(0)) < 0 ? 1 : 0;
}
