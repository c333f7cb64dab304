/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A folder that stands in for /sys: `firmware` leads to where the simulation is mounted, and beside it is what the
 * simulated driver version registers elsewhere, by which userspace tells the versions apart. */

#include "sim/traits.h"

/* folder is made if it is missing; what is in it stays. Returns 0 or a negative errno. */
int sysfs_stand_in_make(const char *folder, const DriverTraits *traits, const char *mountpoint);

/* Takes away what was made, and whatever of it is empty. */
void sysfs_stand_in_remove(const char *folder, const DriverTraits *traits);
