/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading the driver's whole tree. */

#include "core/tree.h"

/* The tree's place below a sysfs root. */
#define TREE_SUBPATH "firmware/lfa"

/* Opens <sysfs>/firmware/lfa. Returns a descriptor; -ENOENT when there is no driver; another negative errno.
 */
int tree_open(const char *sysfs);

/* Enumerates and reads all images. ret has the driver's state, its profile, and the images sorted by GUID;
 * an image that vanishes while it is read is left out. Returns 0, or a negative errno when the tree could
 * not be listed. */
int tree_read(const char *sysfs, Tree **ret);
