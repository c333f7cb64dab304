/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Holds: who pauses activations, of which image and until when. A person's is one for each image and one for all of
 * them, and a later one takes its place; lfad's own ends with another pending version, or with a person's Unhold of all.
 * They are kept in the history and in state.json (core/state.h). */

#include "daemon/state.h"

/* Tells everybody which are in force now. */
void holds_publish(Manager *manager);

/* Ends lfad's own ones that the image's last reading ends. Returns 0, or a negative errno when that could not be
 * recorded. */
int holds_review_image(Manager *manager, const Image *image);
