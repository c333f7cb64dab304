/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From D-Bus messages to JSON objects, for every type that the protocol has. */

#include "ctl/bus-value.h"

#include "util/macros.h"

#include <glib.h>
#include <math.h>
#include <string.h>

typedef union BasicValue {
        uint8_t y;
        int b;
        int16_t n;
        uint16_t q;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        double d;
        const char *s;
        int h;
} BasicValue;

static json_object *basic_to_json(char type, const BasicValue *value) {
        switch (type) {
        case SD_BUS_TYPE_BYTE:
                return json_object_new_int(value->y);
        case SD_BUS_TYPE_BOOLEAN:
                return json_object_new_boolean(value->b);
        case SD_BUS_TYPE_INT16:
                return json_object_new_int(value->n);
        case SD_BUS_TYPE_UINT16:
                return json_object_new_int(value->q);
        case SD_BUS_TYPE_INT32:
                return json_object_new_int(value->i);
        case SD_BUS_TYPE_UINT32:
                return json_object_new_int64(value->u);
        case SD_BUS_TYPE_INT64:
                return json_object_new_int64(value->x);
        case SD_BUS_TYPE_UINT64:
                return json_object_new_uint64(value->t);
        case SD_BUS_TYPE_DOUBLE:
                return isfinite(value->d) ? json_object_new_double(value->d) : NULL;
        case SD_BUS_TYPE_STRING:
        case SD_BUS_TYPE_OBJECT_PATH:
        case SD_BUS_TYPE_SIGNATURE:
                return json_object_new_string(value->s);
        default:
                return NULL; /* a file descriptor: it belongs to the message */
        }
}

static int read_basic(sd_bus_message *m, char type, json_object **ret) {
        BasicValue value;
        int r = sd_bus_message_read_basic(m, type, &value);

        if (r > 0)
                *ret = basic_to_json(type, &value);
        return r;
}

/* One {key, value} with a string key, added to map. */
static int read_member(sd_bus_message *m, const char *entry, json_object *map) {
        json_object *value = NULL;
        const char *key;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, entry);
        if (r <= 0)
                return r;
        r = sd_bus_message_read_basic(m, entry[0], &key);
        if (r < 0)
                return r;
        r = bus_value_read(m, &value);
        if (r < 0)
                return r;
        json_object_object_add(map, key, value);
        r = sd_bus_message_exit_container(m);
        return r < 0 ? r : 1;
}

static int read_map(sd_bus_message *m, const char *contents, json_object *map) {
        /* "{sv}" -> "sv" */
        g_autofree char *entry = g_strndup(contents + 1, strlen(contents) - 2);
        int r;

        do
                r = read_member(m, entry, map);
        while (r > 0);
        return r;
}

static int read_elements(sd_bus_message *m, json_object *array) {
        for (;;) {
                json_object *element = NULL;
                int r = bus_value_read(m, &element);

                if (r <= 0)
                        return r;
                json_object_array_add(array, element);
        }
}

static int read_container(sd_bus_message *m, char type, const char *contents, json_object **ret) {
        bool map = type == SD_BUS_TYPE_ARRAY && contents[0] == '{' && strchr("sog", contents[1]);
        _cleanup_(json_object_unrefp) json_object *object =
                        map ? json_object_new_object() : json_object_new_array();
        int r;

        r = sd_bus_message_enter_container(m, type, contents);
        if (r < 0)
                return r;
        r = map ? read_map(m, contents, object) : read_elements(m, object);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        *ret = g_steal_pointer(&object);
        return 1;
}

static int read_variant(sd_bus_message *m, const char *contents, json_object **ret) {
        _cleanup_(json_object_unrefp) json_object *value = NULL;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, contents);
        if (r < 0)
                return r;
        r = bus_value_read(m, &value);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        *ret = g_steal_pointer(&value);
        return 1;
}

int bus_value_read(sd_bus_message *m, json_object **ret) {
        g_autofree char *signature = NULL;
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r <= 0)
                return r;
        signature = g_strdup(contents); /* the message reuses its buffer */
        switch (type) {
        case SD_BUS_TYPE_VARIANT:
                return read_variant(m, signature, ret);
        case SD_BUS_TYPE_ARRAY:
        case SD_BUS_TYPE_STRUCT:
        case SD_BUS_TYPE_DICT_ENTRY:
                return read_container(m, type, signature, ret);
        default:
                return read_basic(m, type, ret);
        }
}

const char *bus_value_string(json_object *object, const char *key) {
        json_object *value = json_object_object_get(object, key);

        return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

uint64_t bus_value_uint(json_object *object, const char *key) {
        json_object *value = json_object_object_get(object, key);

        return json_object_is_type(value, json_type_int) ? json_object_get_uint64(value) : 0;
}

bool bus_value_bool(json_object *object, const char *key) {
        json_object *value = json_object_object_get(object, key);

        return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}
