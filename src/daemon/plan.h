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

/* The first moment at which no gate would refuse an activation of this image on these terms, as far as can be foreseen, or
 * one before which it will be refused. at_usec: when it is asked for. All are CLOCK_REALTIME in µs; 0 = not known. */
uint64_t manager_foresee_start(Manager *manager, const Image *image, const ActivationTerms *terms,
                               uint64_t at_usec);

/* As plan_new, up to that moment (CLOCK_REALTIME in µs). The caller unrefs; it borrows from the configuration. */
GPtrArray *manager_plan(Manager *manager, uint64_t until_usec);
