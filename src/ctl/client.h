/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* lfactl's side of the bus, and how it says that something went wrong. Calls are synchronous: lfactl has
 * nothing else to do. */

#include "ctl/exit-codes.h"
#include "ctl/options.h"
#include "util/macros.h"

#include <json-c/json.h>
#include <systemd/sd-bus.h>

/* How long a call may take that asks a person for a password, or stands behind a running activation. */
#define CLIENT_PATIENT_USEC (10 * 60 * USEC_PER_SEC)
/* sd-bus's own default, 25 s. */
#define CLIENT_PROMPT_USEC 0

typedef struct Client {
        sd_bus *bus; /* NULL until client_connect() */
        const Options *options;
        json_object *document; /* what --json prints in the end; monitor prints its own */
} Client;

/* Connects to the system bus (or DBUS_SYSTEM_BUS_ADDRESS). A failure is reported. */
ExitCode client_connect(Client *client);

/* A call to lfad that may ask the user for authorisation unless --no-ask-password. Returns 0 or a negative
 * errno; the caller appends arguments and unrefs *ret. */
int client_new_call(Client *client, const char *path, const char *interface, const char *member,
                    sd_bus_message **ret);

/* Sends it and waits up to timeout_usec for the answer. Returns 0 or a negative errno with error filled. */
int client_call(Client *client, sd_bus_message *call, uint64_t timeout_usec, sd_bus_error *error,
                sd_bus_message **ret_reply);

/* Calls a method of the manager that takes options alone, without any, and waits for its answer. Returns 0 or a
 * negative errno with error filled. */
int client_call_manager(Client *client, const char *member, sd_bus_error *error);

/* All properties of one interface as an object with their names. Returns 0 or a negative errno with error.
 */
int client_get_properties(Client *client, const char *path, const char *interface, sd_bus_error *error,
                          json_object **ret);

/* Whether standard output is for JSON. */
static inline bool client_json(const Client *client) {
        return client->options->json != JSON_OFF;
}

/* Each of these says on standard error what went wrong and the hint (may be NULL), adds both to the
 * document, and returns the exit code. The texts may hold strings from the bus. */
ExitCode client_fail(Client *client, ExitCode code, const char *error_name, const char *hint,
                     const char *format, ...) _printf_(5, 6);

/* For a call: error if it is set, else r, a negative errno, is the cause; format says what could not be
 * done. */
ExitCode client_fail_call(Client *client, const sd_bus_error *error, int r, const char *format, ...)
                _printf_(4, 5);
