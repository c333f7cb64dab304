/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls to lfad, and reports of failures. */

#include "ctl/client.h"

#include "ctl/advice.h"
#include "ctl/bus-value.h"
#include "ctl/output.h"
#include "lfa/bus-names.h"

#include <stdarg.h>
#include <string.h>

ExitCode client_connect(Client *client) {
        int r = sd_bus_open_system(&client->bus);

        if (r < 0)
                return client_fail(client, EXIT_FAILED, SD_BUS_ERROR_NO_SERVER,
                                   "Is D-Bus running? 'systemctl status dbus' tells.",
                                   "Cannot reach the system bus: %s.", g_strerror(-r));
        return EXIT_DONE;
}

int client_new_call(Client *client, const char *path, const char *interface, const char *member,
                    sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = sd_bus_message_new_method_call(client->bus, &call, LFA_BUS_NAME, path, interface, member);
        if (r < 0)
                return r;
        r = sd_bus_message_set_allow_interactive_authorization(call, client->options->ask_password);
        if (r < 0)
                return r;
        *ret = g_steal_pointer(&call);
        return 0;
}

int client_call(Client *client, sd_bus_message *call, uint64_t timeout_usec, sd_bus_error *error,
                sd_bus_message **ret_reply) {
        int r = sd_bus_call(client->bus, call, timeout_usec, error, ret_reply);

        return r < 0 ? r : 0;
}

int client_call_manager(Client *client, const char *member, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r = client_new_call(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, member, &call);

        if (r >= 0)
                r = sd_bus_message_append(call, "a{sv}", 0);
        return r < 0 ? r : client_call(client, call, CLIENT_PATIENT_USEC, error, NULL);
}

int client_get_properties(Client *client, const char *path, const char *interface, sd_bus_error *error,
                          json_object **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        int r;

        r = client_new_call(client, path, "org.freedesktop.DBus.Properties", "GetAll", &call);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "s", interface);
        if (r < 0)
                return r;
        r = client_call(client, call, CLIENT_PROMPT_USEC, error, &reply);
        if (r < 0)
                return r;
        if (!sd_bus_message_has_signature(reply, "a{sv}"))
                return -EBADMSG;
        r = bus_value_read(reply, ret);
        return r < 0 ? r : 0;
}

static void add_to_document(Client *client, const char *error_name, const char *message, const char *hint) {
        json_object *entry;

        if (!client->document)
                return;
        entry = json_object_new_object();
        json_object_object_add(entry, "error", json_object_new_string(error_name));
        json_object_object_add(entry, "message", json_object_new_string(message));
        if (hint)
                json_object_object_add(entry, "hint", json_object_new_string(hint));
        json_document_append(client->document, "errors", entry);
}

static void report(Client *client, const char *error_name, const char *message, const char *hint) {
        output_note("lfactl: %s", message);
        if (hint && *hint)
                output_note("Hint: %s", hint);
        add_to_document(client, error_name, message, hint);
}

ExitCode client_fail(Client *client, ExitCode code, const char *error_name, const char *hint,
                     const char *format, ...) {
        g_autofree char *message = NULL;
        va_list arguments;

        va_start(arguments, format);
        message = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        report(client, error_name, message, hint);
        return code;
}

ExitCode client_fail_call(Client *client, const sd_bus_error *error, int r, const char *format, ...) {
        bool named = error && sd_bus_error_is_set(error);
        const char *name = named ? error->name : SD_BUS_ERROR_FAILED;
        const char *cause = named && error->message && *error->message ? error->message : NULL;
        const char *hint = named ? advice_for_error(name) : NULL;
        g_autofree char *what = NULL, *message = NULL;
        va_list arguments;

        va_start(arguments, format);
        what = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        if (!cause)
                cause = named ? advice_short_error(name) : g_strerror(-r);
        message = g_strdup_printf("%s: %s", what, cause);
        report(client, name, message, hint && strstr(cause, hint) ? NULL : hint);
        return named ? exit_code_from_error(name) : EXIT_FAILED;
}
