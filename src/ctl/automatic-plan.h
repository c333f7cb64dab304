/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* lfad's plan, and what it says of one image. */

#include "ctl/client.h"

/* What GetPlan gives, until that moment (CLOCK_REALTIME in µs, 0 = as far as lfad looks by itself). Returns 0 with the
 * events, which the caller owns, or a negative errno with error filled. */
int automatic_plan_load(Client *client, uint64_t until, sd_bus_error *error, json_object **ret);

/* The event that tells what automatic mode is going to do about the image; NULL: it has nothing to do with it, since
 * nothing is pending, a job is about it already, or its mode is manual; or lfad cannot tell. It belongs to events. */
json_object *automatic_plan_find(json_object *events, const char *guid);

/* The same as a sentence, by the clocks of the policy. The caller frees it. */
char *automatic_plan_describe(Client *client, json_object *event);
