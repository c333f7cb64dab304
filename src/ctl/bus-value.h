/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Any D-Bus value as JSON, so that properties and history records of a newer lfad need no code here. */

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

/* Reads one complete value at the message's position. Dictionaries with string keys become objects, other
 * containers arrays, variants their content, file descriptors and numbers that JSON lacks null (a NULL
 * pointer). Returns 1, 0 at the end of the container, or a negative errno; the caller owns *ret. */
int bus_value_read(sd_bus_message *m, json_object **ret);

/* Members of such an object; one that is missing or of another type gives "", 0 or false. The string belongs
 * to the object. */
const char *bus_value_string(json_object *object, const char *key);
uint64_t bus_value_uint(json_object *object, const char *key);
bool bus_value_bool(json_object *object, const char *key);

static inline void json_object_unrefp(json_object **object) {
        json_object_put(*object);
        *object = NULL;
}
