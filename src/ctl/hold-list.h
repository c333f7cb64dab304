/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who pauses activations, of what, until when and why. */

#include "ctl/managed-objects.h"

bool hold_list_has_any(const Inventory *inventory);

/* Whether lfad itself pauses all images: the host restarted during an activation. */
bool hold_list_has_own(const Inventory *inventory);

/* A line for each that is in force; nothing when there is none. */
void hold_list_print(const Client *client, const Inventory *inventory);

/* The same of those that keep this image from being activated. */
void hold_list_print_of_image(const Client *client, const Inventory *inventory, const Image *image);
