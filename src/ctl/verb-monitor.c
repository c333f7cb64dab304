/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl monitor: what lfad says on the bus, a line each as it comes. */

#include "ctl/bus-value.h"
#include "ctl/json-output.h"
#include "ctl/managed-objects.h"
#include "ctl/monitor-event.h"
#include "ctl/output.h"
#include "ctl/policy-time.h"
#include "ctl/verbs.h"
#include "lfa/bus-names.h"

#include <signal.h>
#include <systemd/sd-event.h>

typedef struct Monitor {
        Client *client;
        sd_event *event;
        sd_bus_slot *signals, *presence;
        GHashTable *labels;  /* image path -> label */
        GTimeZone *zone;     /* of the policy */
        bool labels_are_old; /* lfad joined: ask it again, outside of a callback */
} Monitor;

static void print_event(Monitor *monitor, MonitorEvent *event) {
        g_autoptr(GDateTime) now = g_date_time_new_now_local();
        g_autofree char *time = g_date_time_format(now, "%H:%M:%S");
        json_object *line;

        if (!client_json(monitor->client)) {
                output_line("%s.%03d %s", time, g_date_time_get_microsecond(now) / 1000, event->text);
                return;
        }
        line = json_document_new();
        json_object_object_add(line, "timestamp", json_object_new_int64(g_get_real_time()));
        json_object_object_foreach(event->object, key, value) {
                json_object_object_add(line, key, json_object_get(value));
        }
        json_document_print(line, JSON_SHORT); /* one object a line, pretty or not */
        json_object_put(line);
}

/* The document, in which they stand, is not printed: each event is one of its own. */
static void print_warnings(Monitor *monitor) {
        json_object *warnings = json_object_object_get(monitor->client->document, "warnings");
        _cleanup_(monitor_event_clear) MonitorEvent event = { NULL };

        if (!warnings)
                return;
        event.object = json_object_new_object();
        json_object_object_add(event.object, "event", json_object_new_string("warnings"));
        json_object_object_add(event.object, "warnings", json_object_get(warnings));
        print_event(monitor, &event);
}

static int on_lfad_signal(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(monitor_event_clear) MonitorEvent event = { NULL };
        Monitor *monitor = userdata;

        if (monitor_event_read(m, monitor->labels, monitor->zone, &event) > 0)
                print_event(monitor, &event);
        return 0;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(monitor_event_clear) MonitorEvent left = { NULL }, joined = { NULL };
        const char *name, *old_owner, *new_owner;
        Monitor *monitor = userdata;

        if (sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner) < 0)
                return 0;
        if (*old_owner) {
                monitor_event_presence(false, &left);
                print_event(monitor, &left);
        }
        if (*new_owner) {
                monitor_event_presence(true, &joined);
                print_event(monitor, &joined);
                monitor->labels_are_old = true;
        }
        return 0;
}

static int subscribe(Monitor *monitor) {
        sd_bus *bus = monitor->client->bus;
        int r;

        r = sd_bus_add_match(bus, &monitor->signals,
                             "type='signal',sender='" LFA_BUS_NAME "',path_namespace='" LFA_MANAGER_PATH "'",
                             on_lfad_signal, monitor);
        if (r < 0)
                return r;
        return sd_bus_add_match(bus, &monitor->presence,
                                "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                                "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                "arg0='" LFA_BUS_NAME "'",
                                on_owner_changed, monitor);
}

/* Returns 0, or a negative errno when lfad does not answer; it is then shown by GUID what changes, with times in UTC. */
static int load_labels(Monitor *monitor) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        int r;

        monitor->labels_are_old = false;
        r = inventory_query(monitor->client, &error, &inventory);
        if (r < 0)
                return r;
        g_time_zone_unref(monitor->zone);
        monitor->zone = policy_zone_load(bus_value_string(inventory->manager, "TimeZone"));
        for (guint i = 0; i < inventory->images->len; i++) {
                const Image *image = inventory->images->pdata[i];

                g_hash_table_insert(monitor->labels, g_strdup(image->path), g_strdup(image->label));
        }
        return 0;
}

static int prepare(Monitor *monitor) {
        sigset_t mask;
        int r;

        sigemptyset(&mask);
        sigaddset(&mask, SIGINT);
        sigaddset(&mask, SIGTERM);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        r = sd_event_new(&monitor->event);
        if (r < 0)
                return r;
        /* without a handler such a signal ends the loop */
        r = sd_event_add_signal(monitor->event, NULL, SIGINT, NULL, NULL);
        if (r < 0)
                return r;
        r = sd_event_add_signal(monitor->event, NULL, SIGTERM, NULL, NULL);
        if (r < 0)
                return r;
        r = subscribe(monitor);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(monitor->client->bus, monitor->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;
        return sd_bus_set_exit_on_disconnect(monitor->client->bus, true);
}

static int watch(Monitor *monitor) {
        int r, code;

        r = prepare(monitor);
        if (r < 0)
                return r;
        output_note(load_labels(monitor) < 0 ? "watching; lfad is not on the bus yet ..." : "watching ...");
        while (sd_event_get_state(monitor->event) != SD_EVENT_FINISHED) {
                if (monitor->labels_are_old)
                        (void) load_labels(monitor);
                r = sd_event_run(monitor->event, UINT64_MAX);
                if (r < 0)
                        return r;
        }
        /* 0 after a signal; sd-bus sets another when the bus went away */
        return sd_event_get_exit_code(monitor->event, &code) >= 0 && code == 0 ? 0 : -ECONNRESET;
}

static void monitor_clear(Monitor *monitor) {
        sd_bus_slot_unref(monitor->signals);
        sd_bus_slot_unref(monitor->presence);
        (void) sd_bus_detach_event(monitor->client->bus);
        sd_event_unref(monitor->event);
        g_hash_table_unref(monitor->labels);
        g_time_zone_unref(monitor->zone);
}

ExitCode verb_monitor(Client *client, int argc, char **argv) {
        _cleanup_(monitor_clear) Monitor monitor = {
                .client = client,
                .labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
                .zone = g_time_zone_new_utc(),
        };
        int r;

        print_warnings(&monitor);
        json_object_put(client->document); /* each event is a document of its own */
        client->document = NULL;
        r = watch(&monitor);
        if (r < 0)
                return client_fail_call(client, NULL, r, "Cannot watch any longer");
        return EXIT_DONE;
}
