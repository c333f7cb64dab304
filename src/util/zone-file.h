/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the host's tz database has. */

#include <stdbool.h>
#include <stddef.h>

/* Whether this is what tzfile(5) describes, whole, and nothing in it leads out of it. */
bool zone_data_is_sound(const void *data, size_t size);

/* Whether there is such a file. Blocks on the disk, if ever. */
bool zone_file_is_sound(const char *path);

/* Whether there is any file. */
bool zone_file_is_there(const char *path);

/* Whether it is sound, of this relative path below /usr/share/zoneinfo, which the caller has checked for "..". */
bool zone_file_exists(const char *name);
