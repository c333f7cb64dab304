/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the host's tz database has. */

#include <stdbool.h>

/* Whether this relative path below /usr/share/zoneinfo, which the caller has checked for "..", is a file that describes a
 * time zone. Blocks on the disk, if ever. */
bool zone_file_exists(const char *name);
