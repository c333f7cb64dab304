/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Parts that the verbs which show images share. */

#include "ctl/managed-objects.h"

/* IMAGE NAME CURRENT PENDING STATE LAST */
void image_table_print(const Inventory *inventory, bool legend);

/* Adds manager, images and jobs with all their properties to the document. */
void inventory_to_document(Client *client, const Inventory *inventory);
