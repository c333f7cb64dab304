/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text from wherever, made safe to show. */

#include "util/printable.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#define DOTS "..."

/* GLib has the two that end a line among the printable ones. */
static bool is_safe(gunichar character) {
        GUnicodeType type = g_unichar_type(character);

        return g_unichar_isprint(character) && type != G_UNICODE_LINE_SEPARATOR &&
               type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

bool is_printable(const char *text) {
        if (!g_utf8_validate(text, -1, NULL))
                return false;
        for (; *text; text = g_utf8_next_char(text))
                if (!is_safe(g_utf8_get_char(text)))
                        return false;
        return true;
}

/* One character, or one byte that belongs to none. Returns its length. */
static size_t append_next(GString *line, const char *text) {
        gunichar character = g_utf8_get_char_validated(text, -1);
        bool is_valid = character < (gunichar) -2;
        size_t length = is_valid ? (size_t) (g_utf8_next_char(text) - text) : 1;

        if (character == '\\')
                g_string_append_c(line, '\\'); /* doubled: else text could look like what is escaped here */
        if (is_valid && is_safe(character)) {
                g_string_append_len(line, text, (gssize) length);
                return length;
        }
        for (size_t i = 0; i < length; i++)
                g_string_append_printf(line, "\\x%02x", (unsigned char) text[i]);
        return length;
}

char *printable(const char *text, size_t max) {
        GString *line = g_string_new(NULL);
        size_t fits = 0; /* with the dots behind it */

        while (*text && line->len <= max) {
                if (line->len + strlen(DOTS) <= max)
                        fits = line->len;
                text += append_next(line, text);
        }
        if (*text || line->len > max) {
                g_string_truncate(line, fits);
                g_string_append(line, DOTS);
        }
        return g_string_free(line, FALSE);
}

char *printable_once(const char *text, size_t max) {
        return strlen(text) <= max && is_printable(text) ? g_strdup(text) : printable(text, max);
}
