/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the calendar says of an image at one moment, as the gates judge it. Pure. */

#include "core/gates.h"
#include "core/schedule.h"

/* Fills in what has to do with freezes, windows and slots; at_usec and need_usec must be there. guid: the image's
 * directory. host_id: NULL = the host has none. tried_usec: the opening around it is used up (schedule_find_slot), 0 =
 * none. What only those are asked for who speak for nobody is filled in for them only. */
void schedule_fill_facts(const Config *config, const char *guid, const ActivationTerms *terms,
                         const uint8_t *host_id, uint64_t tried_usec, ScheduleFacts *facts);
