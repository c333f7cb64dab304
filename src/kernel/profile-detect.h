/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which version of the kernel driver runs. No version says so itself: all of this is a heuristic over the
 * attributes that exist and over what the drivers register elsewhere in sysfs. */

#include "lfa/enums.h"

#include <glib.h>

/* guids: the names of the image directories below tree_fd. Never writes; reads
 * pending_version (a firmware call) only where nothing else can tell v2s from v1. */
DriverProfile profile_detect(const char *sysfs, int tree_fd, const GPtrArray *guids);
