/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/job.h"

/* Judges the evidence of an activation, records the verdict, publishes what the worker saw, and lets scans
 * go on. report: NULL when the worker left none. other_boot: the host restarted meanwhile. */
void job_conclude(Job *job, const ActivationReport *report, bool other_boot);
