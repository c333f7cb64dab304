/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs of lfad-worker. Each does one thing, says its answer on standard output and returns the
 * program's exit status: 0 when an answer was given (also that of a failure), 1 when none could be. */

#include "core/activation-report.h"
#include "core/gates.h"
#include "util/json.h"

typedef struct WorkerRequest {
        const char *sysfs;  /* the sysfs root, "/sys" */
        const char *procfs; /* of procfs, "/proc" */
        char guid[GUID_STRING_SIZE];

        /* activate */
        uint32_t job;
        const char *kernel_log;   /* where firmware's reason is found; NULL = nowhere */
        const char *report_path;  /* where the report is left for an lfad that restarted meanwhile */
        int lock_fd;              /* the inherited lock: held until this process ends; -EBADF = none */
        DriverProfile profile;    /* as the last scan found it */
        ExpectedVersion from, to; /* what was authorised */

        /* set */
        const char *attribute;
        char value;
} WorkerRequest;

int worker_scan(const WorkerRequest *request);
int worker_activate(const WorkerRequest *request);
int worker_cancel(const WorkerRequest *request);
int worker_set(const WorkerRequest *request);
int worker_watchdogs(const WorkerRequest *request);

/* Writes one answer as a line and drops the reference. A reader that is gone is no error: the report file is
 * what counts then. */
int worker_say(json_object *answer);
