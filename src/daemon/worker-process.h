/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One running lfad-worker: started, its answers read line by line, its end noticed. Never killed: a pending
 * SIGKILL makes the driver spin, and its write cannot be taken back. */

#include "worker/answer.h"

#include <systemd/sd-event.h>

typedef struct WorkerProcess WorkerProcess;

/* Both are called from the event loop. */
typedef struct WorkerCallbacks {
        /* One valid answer; borrowed. May be NULL. */
        void (*answer)(const Answer *answer, void *userdata);
        /* The process has ended and all of its answers were delivered: the last call. clean: it exited with
         * 0 and said nothing that was no valid answer. The process object may be freed in it. */
        void (*ended)(bool clean, void *userdata);
} WorkerCallbacks;

typedef struct WorkerSettings {
        const char *path;       /* of the lfad-worker program */
        const char *sysfs;      /* the sysfs root */
        const char *procfs;     /* of procfs, where the kernel's settings are */
        const char *kernel_log; /* "/dev/kmsg" */
} WorkerSettings;

/* arguments: strings without the program's name and without --sysfs. inherited_fd: a descriptor that the
 * worker gets as its descriptor 3, or negative. callbacks must outlive the object. Does not block beyond the
 * exec itself. Returns 0, or a negative errno when the program could not be started: then nothing was done.
 */
int worker_process_start(sd_event *event, const WorkerSettings *settings, const GPtrArray *arguments,
                         int inherited_fd, const WorkerCallbacks *callbacks, void *userdata,
                         WorkerProcess **ret);

pid_t worker_process_pid(const WorkerProcess *worker);

/* Lets go of the object; the process, if it still runs, runs on. */
void *worker_process_free(WorkerProcess *worker);

#define WORKER_INHERITED_FD 3
