/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is ahead of this host. */

#include "core/plan.h"
#include "daemon/manager.h"

/* The images that are pending: GUIDs, borrowed from the images, in the order in which they go. The caller unrefs. */
GPtrArray *manager_list_pending(const Manager *manager);

/* A ForesightJudge, as automatic mode asks; userdata is the Manager. */
void manager_judge_automatic(const ForesightQuestion *question, GateVerdict verdicts[static _GATE_MAX],
                             void *userdata);

/* As plan_new, up to that moment (CLOCK_REALTIME in µs). The caller unrefs; it borrows from the configuration. */
GPtrArray *manager_plan(Manager *manager, uint64_t until_usec);
