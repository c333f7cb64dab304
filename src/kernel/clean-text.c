/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text from the kernel made safe to show. */

#include "kernel/clean-text.h"
#include "util/printable.h"

#include <string.h>

void clean_text(const char *text, char *ret, size_t size) {
        size_t length = strlen(text);

        ret[0] = 0;
        if (length > 0 && length < size && is_printable(text))
                memcpy(ret, text, length + 1);
}
