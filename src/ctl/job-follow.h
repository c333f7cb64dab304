/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a job that was asked for to its outcome on the screen. */

#include "ctl/job-wait.h"

/* Waits for the end of the job at path and says how it ended, or why waiting for it did: interrupted, or
 * lfad is gone. label names its image. Returns the exit code. */
ExitCode job_follow(Client *client, JobWait *wait, const char *path, const char *guid, const char *label);

/* Instead of waiting: prints the path, or adds it to the document. */
void job_follow_not(Client *client, const char *path, const char *guid);
