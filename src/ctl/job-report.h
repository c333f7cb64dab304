/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Saying how a job stands, and how it ended. */

#include "ctl/managed-objects.h"

/* Prints one line with versions, result, error, message and blackout, and on standard error a hint; or adds the job to
 * the document. Returns the exit code of that result. */
ExitCode job_report_outcome(Client *client, const Job *job, const char *label);

/* How one that has not ended stands: "waiting until ..., asked for 3 min ago: ...". zone is the policy's. The
 * caller frees it. */
char *job_report_state(GTimeZone *zone, const Job *job);

/* Adds the job's properties and its "Path" to the document's "jobs". */
void job_report_to_document(Client *client, const Job *job);
