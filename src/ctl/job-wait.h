/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Waiting for a job's end. Signals only say when to look: what is reported was read from the job's object,
 * or from the history when the object is gone, as it is after a restart of lfad. */

#include "ctl/managed-objects.h"

typedef enum WaitEnd {
        WAIT_ENDED,       /* the job ended, and how is known */
        WAIT_INTERRUPTED, /* SIGINT or SIGTERM; the job goes on */
        WAIT_LOST,        /* lfad left the bus, and did not come back or could not tell */
        _WAIT_END_MAX,
        _WAIT_END_INVALID = -EINVAL,
} WaitEnd;

typedef struct JobWait JobWait;

/* Subscribes; to be called before the job is asked for, so that no signal of it is missed. client must
 * outlive the answer. Returns 0 or a negative errno. */
int job_wait_new(Client *client, JobWait **ret);

JobWait *job_wait_free(JobWait *wait);

/* Blocks until the job at path has ended. When lfad vanishes it is given LFACTL_RETURN_SEC (an environment
 * variable; 60) seconds to come back, and as long again to settle the job. With a terminal on standard error
 * one line there shows the state; label names the image in it. Returns a WaitEnd or a negative errno; with
 * WAIT_ENDED the caller owns *ret_job. */
int job_wait_run(JobWait *wait, const char *path, const char *label, Job **ret_job);

static inline void job_wait_freep(JobWait **wait) {
        *wait = job_wait_free(*wait);
}
