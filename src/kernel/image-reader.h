/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading one image's directory. Every call may sleep behind an activation (two of the reads are firmware
 * calls). */

#include "core/image-values.h"
#include "lfa/enums.h"

/* tree_fd is the tree's directory, guid one that guid_is_valid accepts. activation_pending is read before
 * pending_version, which shows a version only when the driver's stored pending bit is set and does not renew
 * that bit itself, and once more afterwards; when the two differ all is read again. An attribute that is
 * missing or unreadable is -1 or "" in the values. Returns 0; -ENOENT when the image is gone; another
 * negative errno when its directory cannot be opened. */
int image_read(int tree_fd, const char *guid, DriverProfile profile, ImageValues *ret);

/* The same, but reads again for up to a second while the values look like those of a dropped image: a
 * healthy one shows them for milliseconds during a refresh. What is returned may still look stale. */
int image_read_settled(int tree_fd, const char *guid, DriverProfile profile, ImageValues *ret);
