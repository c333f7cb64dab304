/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text from the kernel made safe to show. */

#include "kernel/clean-text.h"

#include <glib.h>
#include <string.h>

void clean_text(const char *text, char *ret, size_t size) {
        size_t length = strlen(text);

        ret[0] = 0;
        if (length == 0 || length >= size || !g_utf8_validate(text, (gssize) length, NULL))
                return;
        for (const char *p = text; *p; p = g_utf8_next_char(p))
                if (!g_unichar_isprint(g_utf8_get_char(p)))
                        return;
        memcpy(ret, text, length + 1);
}
