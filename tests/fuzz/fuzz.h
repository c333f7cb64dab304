/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What fuzz targets have in common. A target is this one function, called by libFuzzer (./dev fuzz) or by replay.c. It
 * ends the program where what must hold does not. */

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stays in optimised builds. */
#define MUST(condition)                                                                                     \
        do {                                                                                                \
                if (!(condition)) {                                                                         \
                        fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);             \
                        abort();                                                                            \
                }                                                                                           \
        } while (0)

/* Text for people or programs: something, not longer than max bytes, in UTF-8 that every bus takes, on one line and
 * without what changes how a terminal shows the rest. */
static inline bool is_text(const char *text, size_t max) {
        if (!*text || strlen(text) > max || !g_utf8_validate(text, -1, NULL))
                return false;
        for (const char *p = text; *p; p = g_utf8_next_char(p))
                if (!g_unichar_isprint(g_utf8_get_char(p)) ||
                    g_unichar_break_type(g_utf8_get_char(p)) == G_UNICODE_BREAK_MANDATORY)
                        return false;
        return true;
}

static inline void must_be_text(const char *text, size_t max) {
        g_autofree char *escaped = g_strescape(text, NULL);

        if (!is_text(text, max))
                fprintf(stderr, "no text of at most %zu bytes: \"%s\"\n", max, escaped);
        MUST(is_text(text, max));
}

/* The input's next part, up to the separator or its end, as a string of its own; NULL when there is none left. A NUL
 * inside ends the string, and size tells more. */
static inline char *take_part(const uint8_t **data, size_t *size, char separator, size_t *ret_size) {
        const uint8_t *start = *data, *end;
        char *part;

        if (!start)
                return NULL;
        end = *size > 0 ? memchr(start, separator, *size) : NULL;
        *ret_size = end ? (size_t) (end - start) : *size;
        part = g_strndup("", *ret_size);
        if (*ret_size > 0)
                memcpy(part, start, *ret_size);
        *data = end ? end + 1 : NULL;
        *size -= *ret_size + (end ? 1 : 0);
        return part;
}
