/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* JSON on standard output. Every document is an object with "schema": 1. What comes from the bus keeps the
 * name that it has there (properties in CamelCase, history keys as recorded); lfactl's own members are in
 * lower case. */

#include <json-c/json.h>

#define JSON_SCHEMA 1

typedef enum JsonMode {
        JSON_OFF,
        JSON_SHORT, /* one line a document */
        JSON_PRETTY,
        _JSON_MODE_MAX,
        _JSON_MODE_INVALID = -22,
} JsonMode;

/* "off", "short", "pretty"; anything else is _JSON_MODE_INVALID. */
JsonMode json_mode_from_string(const char *text);

/* An empty document: {"schema": 1}. */
json_object *json_document_new(void);

/* Appends value to the array that is the document's member key, made when it is not there. Takes value. */
void json_document_append(json_object *document, const char *key, json_object *value);

/* Prints the document and a newline. Nothing in it reaches a terminal as a control character: what JSON
 * itself does not ask to be escaped (DEL, C1, bidirectional marks) is escaped too, invalid UTF-8 becomes
 * U+FFFD. */
void json_document_print(json_object *document, JsonMode mode);
