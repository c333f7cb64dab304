/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Parts that the verbs which show images share. */

#include "ctl/managed-objects.h"

/* IMAGE NAME CURRENT PENDING STATE LAST */
void image_table_print(const Inventory *inventory, bool legend);

/* A line for each image that needs attention, with what to do. Returns how many there are. */
size_t image_attention_print(const Inventory *inventory);

/* Adds manager, images and jobs with all their properties to the document. */
void inventory_to_document(Client *client, const Inventory *inventory);
