/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a job that ended unknown has been settled since. LastResult does not tell: it stays what it was. */

#include "ctl/managed-objects.h"

/* Asks the history about each image that is in doubt, and corrects that. What cannot be read leaves it. */
void doubt_settle(Client *client, Inventory *inventory);
