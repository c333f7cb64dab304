/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Firmware versions: parsing and comparing. */

#include "core/version.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads decimal digits up to the given end character, at most UINT32_MAX. Returns what follows it, or NULL.
 */
static const char *parse_part(const char *text, char end, uint32_t *ret) {
        uint64_t value = 0;
        const char *p = text;

        for (; isdigit((unsigned char) *p); p++) {
                value = value * 10 + (uint64_t) (*p - '0');
                if (value > UINT32_MAX)
                        return NULL;
        }
        if (p == text || *p != end)
                return NULL;
        *ret = (uint32_t) value;
        return end ? p + 1 : p;
}

static int parse_parts(const char *text, uint32_t *ret_major, uint32_t *ret_minor) {
        const char *rest = parse_part(text, '.', ret_major);

        return rest && parse_part(rest, 0, ret_minor) ? 0 : -EINVAL;
}

int version_parse(const char *text, char ret[static VERSION_SIZE]) {
        uint32_t major, minor;

        if (strcmp(text, "N/A") == 0) {
                ret[0] = 0;
                return 0;
        }
        if (parse_parts(text, &major, &minor) < 0)
                return -EINVAL;
        if (major == 0 && minor == 0)
                ret[0] = 0;
        else
                snprintf(ret, VERSION_SIZE, "%u.%u", major, minor);
        return 0;
}

int version_compare(const char *a, const char *b) {
        uint32_t major_a = 0, minor_a = 0, major_b = 0, minor_b = 0;

        (void) parse_parts(a, &major_a, &minor_a);
        (void) parse_parts(b, &major_b, &minor_b);
        if (major_a != major_b)
                return major_a < major_b ? -1 : 1;
        return (minor_a > minor_b) - (minor_a < minor_b);
}
