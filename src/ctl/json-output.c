/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Building and printing JSON documents. */

#include "ctl/json-output.h"

#include "ctl/output.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

static const char *const json_mode_names[_JSON_MODE_MAX] = {
        [JSON_OFF] = "off",
        [JSON_SHORT] = "short",
        [JSON_PRETTY] = "pretty",
};

JsonMode json_mode_from_string(const char *text) {
        for (int mode = 0; mode < _JSON_MODE_MAX; mode++)
                if (strcmp(json_mode_names[mode], text) == 0)
                        return (JsonMode) mode;
        return _JSON_MODE_INVALID;
}

json_object *json_document_new(void) {
        json_object *document = json_object_new_object();

        json_object_object_add(document, "schema", json_object_new_int(JSON_SCHEMA));
        return document;
}

void json_document_append(json_object *document, const char *key, json_object *value) {
        json_object *array = json_object_object_get(document, key);

        if (!array) {
                array = json_object_new_array();
                json_object_object_add(document, key, array);
        }
        json_object_array_add(array, value);
}

static void append_escaped(GString *out, gunichar c) {
        if (c < 0x10000)
                g_string_append_printf(out, "\\u%04x", c);
        else
                g_string_append_printf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                                       0xdc00 + ((c - 0x10000) & 0x3ff));
}

/* JSON's own syntax is plain ASCII and newlines, so whatever else needs care stands inside a string. */
static char *make_safe(const char *text) {
        GString *out = g_string_new(NULL);

        while (*text) {
                gunichar c = g_utf8_get_char_validated(text, -1);

                if (c == (gunichar) -1 || c == (gunichar) -2) {
                        g_string_append(out, "\\ufffd");
                        text++;
                        continue;
                }
                if (c == '\n' || output_is_printable(c))
                        g_string_append_unichar(out, c);
                else
                        append_escaped(out, c);
                text = g_utf8_next_char(text);
        }
        return g_string_free(out, FALSE);
}

void json_document_print(json_object *document, JsonMode mode) {
        int flags = mode == JSON_PRETTY ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
                                        : JSON_C_TO_STRING_PLAIN;
        g_autofree char *safe = make_safe(
                        json_object_to_json_string_ext(document, flags | JSON_C_TO_STRING_NOSLASHESCAPE));

        puts(safe);
        (void) fflush(stdout);
}
