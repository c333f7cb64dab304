/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel driver as it is now: which version, in what state, and whether it has lost images. */

#include "daemon/manager.h"

/* Takes in what a reading says of the driver; before its images are. */
void driver_update(Manager *manager, const Tree *tree);

/* The image, still present in the reading before, is not in the tree with this id any more (0: there is no tree). Before
 * driver_update. */
void driver_note_vanished(Manager *manager, Image *image, uint64_t tree_id);

/* Puts on disk which driver shows which images, if that has changed: an lfad that starts again knows what it must find.
 * After the images were taken in. */
void driver_record_inventory(Manager *manager);

/* What an earlier lfad of this boot has put there. guids: separated by blanks. */
void driver_recover_inventory(Manager *manager, uint64_t tree_id, DriverProfile profile, const char *guids);

/* Something was seen (a mask of ProfileEvidence) that tells versions apart whose attributes are the same. */
void driver_note_evidence(Manager *manager, unsigned evidence);

/* The driver goes; the next one may be of another version. */
void driver_forget_evidence(Manager *manager);
