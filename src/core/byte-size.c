/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading sizes. */

#include "core/byte-size.h"
#include "util/macros.h"

#include <glib.h>
#include <string.h>

int byte_size_parse(const char *text, uint64_t *ret_bytes) {
        static const char units[] = "KMG";
        const char *p = text, *unit;
        uint64_t bytes = 0;
        unsigned shift = 0;

        for (; g_ascii_isdigit(*p); p++)
                if (__builtin_mul_overflow(bytes, 10, &bytes) ||
                    __builtin_add_overflow(bytes, (uint64_t) (*p - '0'), &bytes))
                        return -ERANGE;
        if (p == text)
                return -EINVAL;
        if (*p) {
                unit = strchr(units, *p++);
                if (!unit || *p)
                        return -EINVAL;
                shift = 10 * (unsigned) (unit - units + 1);
        }
        if (bytes > UINT64_MAX >> shift)
                return -ERANGE;
        *ret_bytes = bytes << shift;
        return 0;
}
