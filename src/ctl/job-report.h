/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Saying how a job ended. */

#include "ctl/managed-objects.h"

/* Prints one line with versions, result, error, message and blackout, and on standard error a hint; or adds the job to
 * the document. Returns the exit code of that result. */
ExitCode job_report_outcome(Client *client, const Job *job, const char *label);

/* Adds the job's properties and its "Path" to the document's "jobs". */
void job_report_to_document(Client *client, const Job *job);
