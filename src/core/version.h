/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Firmware versions as the driver prints them: two unsigned 32-bit decimals, "2.10". No version at all is
 * "". */

#include <stdbool.h>

#define VERSION_SIZE 24 /* "4294967295.4294967295" and its NUL need 22 */

/* Reads what an attribute shows. "0.0" and "N/A" mean that firmware gives no version and become "" (the
 * register 0 cannot be told from version 0.0). Returns 0, or -EINVAL with ret untouched. */
int version_parse(const char *text, char ret[static VERSION_SIZE]);

/* Less than, equal to or greater than 0, by number. Both must come from version_parse and not be empty. */
int version_compare(const char *a, const char *b);

static inline bool version_known(const char *version) {
        return version[0] != 0;
}
