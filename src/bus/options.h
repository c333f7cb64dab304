/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading the a{sv} options at the end of each acting method: a table says which keys there are; a key that
 * is not in it, one given twice, or a value of another type is refused. */

#include <stddef.h>
#include <systemd/sd-bus.h>

/* What a client may send as text: that many bytes, no control characters. */
#define CLIENT_STRING_MAX 256

typedef struct OptionSpec {
        const char *name;
        /* Reads the value, whose type is always s here, into the target. Returns 0 or a negative errno with
         * error set. */
        int (*parse)(const char *name, const char *value, void *target, sd_bus_error *error);
        size_t offset; /* of the target in the caller's struct */
} OptionSpec;

/* Reads the whole array; specs may be NULL when there are none (n = 0). Returns 0 or a negative errno with
 * error set. */
int options_read(sd_bus_message *message, const OptionSpec *specs, size_t n, void *targets,
                 sd_bus_error *error);

/* Refuses text that is too long or has control characters. */
int client_string_check(const char *name, const char *value, sd_bus_error *error);

/* Parsers: a borrowed string (const char *), an ExpectedVersion. */
int option_parse_string(const char *name, const char *value, void *target, sd_bus_error *error);
int option_parse_version(const char *name, const char *value, void *target, sd_bus_error *error);
