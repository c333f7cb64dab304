/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Method calls made of bytes: of what the objects themselves say they have, with values that mean something or nothing,
 * and with everything that they do not have. */

#include "dbus-world.h"

/* The input, which ends in zeros. */
typedef struct Bytes {
        const uint8_t *next;
        size_t left;
} Bytes;

uint8_t bytes_take(Bytes *bytes);

/* One method that an object offers. */
typedef struct Method {
        char *path, *interface, *member;
        char *in, *out; /* signatures */
} Method;

/* Adds the methods of the object, the names of its properties being words for arguments. */
void calls_learn(GPtrArray *methods, const char *path, const char *introspection);
void calls_free_method(void *method);

/* A call to be sent, and what is known of it. */
typedef struct Call {
        sd_bus_message *message;
        const Method *method; /* NULL = there may be no such method, or its arguments are others */
        bool wrong_arguments; /* the method is lfad's own, and takes others */
        uint32_t uid;
} Call;

/* Returns false, and no message, when the bytes make no call that D-Bus can carry. */
bool calls_compose(World *world, const GPtrArray *methods, Bytes *bytes, Call *ret);
