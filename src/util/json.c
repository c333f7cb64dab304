/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strict reading of JSON objects, over json-c. */

#include "util/json.h"
#include "util/macros.h"

#include <glib.h>
#include <json-c/json_tokener.h>
#include <string.h>

#define JSON_DEPTH_MAX 8

json_object *json_parse_line(const char *text, size_t length) {
        json_tokener *tokener;
        json_object *object;

        if (length == 0 || length > INT32_MAX)
                return NULL;
        /* json-c's own check lets surrogates and overlong forms pass, which D-Bus does not take. */
        if (!g_utf8_validate(text, (gssize) length, NULL))
                return NULL;
        tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
        if (!tokener)
                return NULL;
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        object = json_tokener_parse_ex(tokener, text, (int) length);
        if (object && (json_tokener_get_parse_end(tokener) != length ||
                       !json_object_is_type(object, json_type_object))) {
                json_object_put(object);
                object = NULL;
        }
        json_tokener_free(tokener);
        return object;
}

static int get_typed(json_object *object, const char *key, json_type type, json_object **ret) {
        json_object *value;

        if (!json_object_object_get_ex(object, key, &value))
                return -ENOENT;
        if (!json_object_is_type(value, type))
                return -EBADMSG;
        *ret = value;
        return 0;
}

int json_get_string(json_object *object, const char *key, const char **ret) {
        json_object *value;
        const char *text;
        int r = get_typed(object, key, json_type_string, &value);

        if (r < 0)
                return r;
        text = json_object_get_string(value);
        if (strlen(text) != (size_t) json_object_get_string_len(value))
                return -EBADMSG;
        *ret = text;
        return 0;
}

int json_get_u64(json_object *object, const char *key, uint64_t *ret) {
        json_object *value;
        int r = get_typed(object, key, json_type_int, &value);

        if (r < 0)
                return r;
        /* json-c keeps values above INT64_MAX as unsigned and clamps negative ones to 0 on this call. */
        if (json_object_get_int64(value) < 0)
                return -EBADMSG;
        /* ... and makes UINT64_MAX of every number that is larger. */
        if (json_object_get_uint64(value) == UINT64_MAX)
                return -EBADMSG;
        *ret = json_object_get_uint64(value);
        return 0;
}

int json_get_int(json_object *object, const char *key, int minimum, int maximum, int *ret) {
        json_object *value;
        int64_t number;
        int r = get_typed(object, key, json_type_int, &value);

        if (r < 0)
                return r;
        number = json_object_get_int64(value);
        if (number < minimum || number > maximum)
                return -EBADMSG;
        *ret = (int) number;
        return 0;
}

int json_get_bool(json_object *object, const char *key, bool *ret) {
        json_object *value;
        int r = get_typed(object, key, json_type_boolean, &value);

        if (r < 0)
                return r;
        *ret = json_object_get_boolean(value);
        return 0;
}

int json_get_object(json_object *object, const char *key, json_object **ret) {
        return get_typed(object, key, json_type_object, ret);
}

void json_add_string(json_object *object, const char *key, const char *value) {
        if (value && *value)
                json_object_object_add(object, key, json_object_new_string(value));
}

void json_add_u64(json_object *object, const char *key, uint64_t value) {
        json_object_object_add(object, key, json_object_new_uint64(value));
}
