/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a job that was asked for to its outcome on the screen. */

#include "ctl/job-wait.h"

/* Waits for the end of the job at path and says how it ended, or why waiting for it did: interrupted, or
 * lfad is gone. label names its image. Returns the exit code. */
ExitCode job_follow(Client *client, JobWait *wait, const char *path, const char *guid, const char *label);

/* Says so when, before this job was asked for, another one for the image waited: lfad takes both. */
void job_follow_tell_other(const Inventory *before, const char *path, const char *guid, const char *label);

/* Instead of waiting: tells its number and how to go on, or adds its path to the document. */
void job_follow_not(Client *client, const char *path, const char *guid, const char *label);
