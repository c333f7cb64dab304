/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the driver shows, kept for an lfad that is started again: what is missing then was lost meanwhile. */

#include "daemon/manager.h"

/* Writes it where it has changed: which version of the driver shows which images. After a reading was taken in. */
void inventory_save(Manager *manager);

/* Takes in what an earlier lfad of this boot has left, before the first reading. Nothing there, or nothing that can be
 * read: nothing is expected. */
void inventory_load(Manager *manager);
