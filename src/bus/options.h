/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading the a{sv} options at the end of each acting method: a table says which keys there are and what
 * they take; a key that is not in it, one given twice, or a value of another type is refused. */

#include <glib.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

/* What a client may send as text: that many bytes, no control characters. */
#define CLIENT_STRING_MAX 256
/* ... and so many of them in one list. */
#define CLIENT_STRINGS_MAX 64

typedef enum OptionKind {
        OPTION_STRING,     /* s -> const char *, borrowed from the message */
        OPTION_VERSION,    /* s -> ExpectedVersion; "" = firmware gives no version */
        OPTION_REQUEST_ID, /* s -> const char *; 1 to 64 of A-Z a-z 0-9 . _ - */
        OPTION_BOOL,       /* b -> bool */
        OPTION_U32,        /* u -> uint32_t */
        OPTION_U64,        /* t -> uint64_t */
        OPTION_STRINGS, /* as -> GPtrArray *, made when it is NULL; its strings are borrowed from the message */
        _OPTION_MAX,
} OptionKind;

typedef struct OptionSpec {
        const char *name;
        OptionKind kind;
        size_t offset; /* of the target in the caller's struct */
} OptionSpec;

/* Reads the whole array; specs may be NULL when there are none (n = 0), n is at most 64. Returns 0 or a
 * negative errno with error set. */
int options_read(sd_bus_message *message, const OptionSpec *specs, size_t n, void *targets,
                 sd_bus_error *error);

/* Refuses text that is too long or has control characters. */
int client_string_check(const char *name, const char *value, sd_bus_error *error);

/* Reads an argument (s) that is to be shown to others; an empty one is refused too. The text is borrowed from the
 * message. */
int client_text_read(sd_bus_message *message, const char *name, const char **ret, sd_bus_error *error);

/* Adds what is in the list (as) that comes next; strings are borrowed from the message. Refuses one that is too long,
 * and text as above. */
int client_strings_read(sd_bus_message *message, const char *name, GPtrArray *strings, sd_bus_error *error);
