/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel driver as it is now: which version, in what state, and whether it has lost images. */

#include "daemon/manager.h"

/* Takes in what a reading says of the driver; before its images are. */
void driver_update(Manager *manager, const Tree *tree);

/* The image, still present in the reading before, is not in the tree with this id any more (0: there is no tree). Before
 * driver_update. */
void driver_note_vanished(Manager *manager, Image *image, uint64_t tree_id);

/* Something was seen (a mask of ProfileEvidence) that tells versions apart whose attributes are the same. */
void driver_note_evidence(Manager *manager, unsigned evidence);

/* The driver goes; the next one may be of another version. */
void driver_forget_evidence(Manager *manager);
