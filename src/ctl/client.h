/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* lfactl's side of the bus, and how it says that something went wrong. Calls are synchronous: lfactl has
 * nothing else to do. */

#include "ctl/exit-codes.h"
#include "ctl/options.h"
#include "util/macros.h"

#include <glib.h>
#include <json-c/json.h>
#include <systemd/sd-bus.h>

/* How long a call may take that asks a person for a password, or stands behind a running activation. */
#define CLIENT_PATIENT_USEC (10 * 60 * USEC_PER_SEC)
/* sd-bus's own default, 25 s. */
#define CLIENT_PROMPT_USEC 0

typedef struct Client {
        sd_bus *bus;     /* NULL until client_connect() */
        char *zone_name; /* policy-time.h; NULL until asked for */
        GTimeZone *zone;
        bool passive;     /* no call starts lfad: who only looks on must not undo 'systemctl stop lfad' */
        bool lacks_agent; /* a password might have been asked for, had there been a program for that */
        const Options *options;
        json_object *document; /* what --json prints in the end; monitor prints its own */
} Client;

/* Connects to the system bus (or DBUS_SYSTEM_BUS_ADDRESS) of this host, or of --host= or --machine=, where it waits for the
 * connection. Returns 0 or a negative errno. */
int client_open(Client *client);

/* The same; a failure is reported. */
ExitCode client_connect(Client *client);

/* Disconnects, and frees what the client owns but the document. */
void client_release(Client *client);

/* Whether lfad is asked on another host or in a container: names of users and agents for passwords are then none of this
 * host's. */
bool client_is_remote(const Client *client);

/* A call to lfad that may ask the user for authorisation unless --no-ask-password. Returns 0 or a negative
 * errno; the caller appends arguments and unrefs *ret. */
int client_new_call(Client *client, const char *path, const char *interface, const char *member,
                    sd_bus_message **ret);

/* Sends it and waits up to timeout_usec for the answer. Returns 0 or a negative errno with error filled. */
int client_call(Client *client, sd_bus_message *call, uint64_t timeout_usec, sd_bus_error *error,
                sd_bus_message **ret_reply);

/* The same for a call that is answered with dictionaries, aa{sv}. Takes no longer than any call. The caller owns *ret. */
int client_call_list(Client *client, sd_bus_message *call, sd_bus_error *error, json_object **ret);

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
