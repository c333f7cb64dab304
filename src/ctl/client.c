/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls to lfad, and reports of failures. */

#include "ctl/client.h"

#include "ctl/advice.h"
#include "ctl/bus-value.h"
#include "ctl/output.h"
#include "lfa/bus-names.h"

#include <stdarg.h>
#include <string.h>

/* sd-bus runs ssh or enters the container, and only the first answer shows whether that went well. */
static int connect_elsewhere(Client *client) {
        const Options *options = client->options;
        const char *name;
        int r = options->host ? sd_bus_open_system_remote(&client->bus, options->host)
                              : sd_bus_open_system_machine(&client->bus, options->machine);

        return r < 0 ? r : sd_bus_get_unique_name(client->bus, &name);
}

/* What ssh gets of [USER@]HOST[:PORT][/CONTAINER]; the caller frees it. Brackets, which an IPv6 address has, are not for it. */
static char *ssh_destination(const char *host) {
        const char *end = host[0] == '[' ? strchr(host, ']') : NULL;

        return end ? g_strndup(host + 1, (gsize) (end - host - 1)) : g_strndup(host, strcspn(host, ":/"));
}

static ExitCode fail_host(Client *client, int r) {
        const char *host = client->options->host;
        g_autofree char *destination = ssh_destination(host);
        g_autofree char *hint = g_strdup_printf(
                        "See what ssh says: 'ssh %s true' must work, and systemd-stdio-bridge must be there.",
                        destination);

        if (r == -EINVAL)
                return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS,
                                   "Write [USER@]HOST[:PORT][/CONTAINER].", "'%s' is no host.", host);
        return client_fail(client, EXIT_FAILED, SD_BUS_ERROR_NO_SERVER, hint,
                           "Cannot reach the system bus of '%s': %s.", host, g_strerror(-r));
}

static ExitCode fail_machine(Client *client, int r) {
        return client_fail(
                        client, EXIT_FAILED, SD_BUS_ERROR_NO_SERVER,
                        "'machinectl list' shows the containers; this one must run a system bus, and be entered as root.",
                        "Cannot reach the system bus of container '%s': %s.", client->options->machine,
                        g_strerror(-r));
}

int client_open(Client *client) {
        int r = client_is_remote(client) ? connect_elsewhere(client) : sd_bus_open_system(&client->bus);

        return r < 0 ? r : 0;
}

ExitCode client_connect(Client *client) {
        int r = client_open(client);

        if (r >= 0)
                return EXIT_DONE;
        if (client->options->host)
                return fail_host(client, r);
        if (client->options->machine)
                return fail_machine(client, r);
        return client_fail(client, EXIT_FAILED, SD_BUS_ERROR_NO_SERVER,
                           "Is D-Bus running? 'systemctl status dbus' tells.",
                           "Cannot reach the system bus: %s.", g_strerror(-r));
}

void client_release(Client *client) {
        client->bus = sd_bus_flush_close_unref(client->bus);
        g_clear_pointer(&client->zone, g_time_zone_unref);
        g_clear_pointer(&client->zone_name, g_free);
}

bool client_is_remote(const Client *client) {
        return client->options->host || client->options->machine;
}

int client_new_call(Client *client, const char *path, const char *interface, const char *member,
                    sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = sd_bus_message_new_method_call(client->bus, &call, LFA_BUS_NAME, path, interface, member);
        if (r < 0)
                return r;
        r = sd_bus_message_set_auto_start(call, !client->passive);
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

int client_call_list(Client *client, sd_bus_message *call, sd_bus_error *error, json_object **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = client_call(client, call, CLIENT_PROMPT_USEC, error, &reply);

        if (r < 0)
                return r;
        if (!sd_bus_message_has_signature(reply, "aa{sv}"))
                return -EBADMSG;
        r = bus_value_read(reply, ret);
        return r < 0 ? r : 0;
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

/* What can be done about it; NULL when nothing is known. Some of it is to be done on the host that lfad runs on. */
static char *advise(const Client *client, const char *error_name) {
        bool asks = strcmp(error_name, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED) == 0 ||
                    strcmp(error_name, SD_BUS_ERROR_ACCESS_DENIED) == 0;
        const char *advice = advice_for_error(error_name);
        const char *host = client->options->host ? client->options->host : client->options->machine;

        if (asks && host)
                return g_strdup_printf("On %s: ask as root, or have polkit allow the action to you.", host);
        if (asks && client->lacks_agent)
                return g_strdup("No password can be asked for without pkttyagent, which polkit's package has. Install it, or "
                                "ask as root.");
        return advice && host ? g_strdup_printf("On %s: %s", host, advice) : g_strdup(advice);
}

ExitCode client_fail_call(Client *client, const sd_bus_error *error, int r, const char *format, ...) {
        bool named = error && sd_bus_error_is_set(error);
        const char *name = named ? error->name : SD_BUS_ERROR_FAILED;
        const char *cause = named && error->message && *error->message ? error->message : NULL;
        g_autofree char *hint = named ? advise(client, name) : NULL;
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
