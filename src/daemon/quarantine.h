/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What follows from what is kept in mind: who is told, and what the driver shows that ends a quarantine, or a hold of
 * lfad's own (holds.h). */

#include "daemon/state.h"

/* Publishes what differs; changed: a mask of StateChange. */
void state_has_changed(Manager *manager, unsigned changed);

/* Says in the journal what this record has changed, and what to do. */
void state_tell(Manager *manager, unsigned changed, json_object *record);

/* Ends what the image's last reading ends. */
void quarantine_review(Manager *manager, const Image *image);

/* What keeps the version that is pending now from being activated, or NULL. */
const Quarantine *image_find_quarantine(const Image *image);
