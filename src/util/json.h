/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Strict reading of JSON objects that another process or an earlier version wrote. */

#include "util/macros.h"

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For containers that take a GDestroyNotify. */
static inline void json_put_pointer(void *object) {
        json_object_put(object);
}

static inline void json_putp(json_object **object) {
        if (*object)
                json_object_put(*object);
}

#define _cleanup_json_ _cleanup_(json_putp)

/* Parses one line of length bytes that must be exactly one JSON object, nothing before or behind it.
 * Returns a new reference, or NULL. */
json_object *json_parse_line(const char *text, size_t length);

/* Each getter returns 0, -ENOENT when the key is missing, -EBADMSG when the type or the range is wrong;
 * what it returns through a pointer is untouched then. Numbers: UINT64_MAX is out of range, since json-c makes it of
 * every larger one. Strings are borrowed from the object; a string with a
 * NUL inside counts as of the wrong type. */
int json_get_string(json_object *object, const char *key, const char **ret);
int json_get_u64(json_object *object, const char *key, uint64_t *ret);
int json_get_int(json_object *object, const char *key, int minimum, int maximum, int *ret);
int json_get_bool(json_object *object, const char *key, bool *ret);
int json_get_object(json_object *object, const char *key, json_object **ret);

/* Adders; they do nothing for an empty string, so that an absent value stays absent. */
void json_add_string(json_object *object, const char *key, const char *value);
void json_add_u64(json_object *object, const char *key, uint64_t value);
