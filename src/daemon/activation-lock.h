/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* activation.lock and the reports in the runtime folder: what tells a restarted lfad that a worker of an
 * earlier one still writes, and what it did. The lock is a flock(2) on a file that the worker inherits:
 * whoever holds it, the kernel driver is busy. The folder is a tmpfs, so these calls do not block. */

#include "core/activation-report.h"

#include <sys/types.h>

/* Takes the lock without waiting. Returns a descriptor that holds it, -EBUSY when a worker has it, another
 * negative errno. Closing the descriptor lets go of this copy only: a worker that inherited one still holds
 * the lock. */
int activation_lock_take(const char *runtime_folder);

/* The pid and the job that the holder wrote into the lock, 0 when they cannot be read. A hint. */
pid_t activation_lock_holder(const char *runtime_folder, uint32_t *ret_job);

/* Where the worker of a job leaves its report. */
char *activation_report_path(const char *runtime_folder, uint32_t job);

/* Reads it. Returns 0; -ENOENT; -EBADMSG when it is no report of this job in this boot. */
int activation_report_read(const char *runtime_folder, uint32_t job, const char *boot_id,
                           ActivationReport *ret);

void activation_report_remove(const char *runtime_folder, uint32_t job);
