/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading JobNew, JobRemoved, PrepareForActivation, PropertiesChanged, InterfacesAdded and InterfacesRemoved. */

#include "ctl/monitor-event.h"

#include "ctl/bus-value.h"
#include "ctl/output.h"
#include "ctl/property-text.h"
#include "lfa/bus-names.h"
#include "util/macros.h"

#include <string.h>

void monitor_event_clear(MonitorEvent *event) {
        json_object_put(event->object);
        g_free(event->text);
        *event = (MonitorEvent){ NULL };
}

static json_object *event_new(const char *name) {
        json_object *event = json_object_new_object();

        json_object_object_add(event, "event", json_object_new_string(name));
        return event;
}

void monitor_event_presence(bool present, MonitorEvent *ret) {
        ret->object = event_new(present ? "lfad-joined" : "lfad-left");
        ret->text = g_strdup(present ? "lfad is on the bus" : "lfad left the bus");
}

/* All arguments of the signal, as an array. */
static int read_arguments(sd_bus_message *m, json_object **ret) {
        _cleanup_(json_object_unrefp) json_object *arguments = json_object_new_array();

        for (;;) {
                json_object *value = NULL;
                int r = bus_value_read(m, &value);

                if (r < 0)
                        return r;
                if (r == 0)
                        break;
                json_object_array_add(arguments, value);
        }
        *ret = g_steal_pointer(&arguments);
        return 0;
}

/* "rmm", "job 12" or "lfad" for an object's path; the caller frees it. */
static char *subject(GHashTable *labels, const char *path) {
        const char *label = g_hash_table_lookup(labels, path);

        if (label)
                return g_strdup(label);
        if (g_str_has_prefix(path, LFA_IMAGE_PATH "/"))
                return g_strdelimit(g_strdup(path + strlen(LFA_IMAGE_PATH "/")), "_", '-');
        if (g_str_has_prefix(path, LFA_JOB_PATH "/"))
                return g_strdup_printf("job %s", path + strlen(LFA_JOB_PATH "/"));
        return g_strdup("lfad");
}

static char *label_of_guid(GHashTable *labels, const char *guid) {
        g_autofree char *name = g_strdelimit(g_strdup(guid), "-", '_');
        g_autofree char *path = g_strconcat(LFA_IMAGE_PATH "/", name, NULL);

        return subject(labels, path);
}

static void read_job_signal(json_object *arguments, GHashTable *labels, bool removed, MonitorEvent *ret) {
        static const char *const names[] = { "Id", "Path", "Guid", "Result" };
        uint64_t id;
        g_autofree char *label = NULL;

        ret->object = event_new(removed ? "job-removed" : "job-new");
        for (size_t i = 0; i < json_object_array_length(arguments) && i < G_N_ELEMENTS(names); i++)
                json_object_object_add(ret->object, names[i],
                                       json_object_get(json_object_array_get_idx(arguments, i)));
        id = bus_value_uint(ret->object, "Id");
        label = label_of_guid(labels, bus_value_string(ret->object, "Guid"));
        ret->text = removed ? g_strdup_printf("%s: job %" G_GUINT64_FORMAT " ended: %s", label, id,
                                              bus_value_string(ret->object, "Result"))
                            : g_strdup_printf("%s: job %" G_GUINT64_FORMAT " is new", label, id);
}

static void read_prepare(json_object *arguments, GHashTable *labels, MonitorEvent *ret) {
        static const char *const names[] = { "Start", "Path", "Guid" };
        g_autofree char *label = NULL;
        bool start;

        ret->object = event_new("prepare-for-activation");
        for (size_t i = 0; i < json_object_array_length(arguments) && i < G_N_ELEMENTS(names); i++)
                json_object_object_add(ret->object, names[i],
                                       json_object_get(json_object_array_get_idx(arguments, i)));
        start = json_object_get_boolean(json_object_object_get(ret->object, "Start"));
        label = label_of_guid(labels, bus_value_string(ret->object, "Guid"));
        ret->text = g_strdup_printf("%s: %s", label,
                                    start ? "an activation is about to begin" : "no activation any more");
}

/* What is no single value is named only: --json has it. */
static void append_property(GString *text, GTimeZone *zone, const char *name, json_object *value) {
        g_autofree char *shown = NULL;

        if (json_object_is_type(value, json_type_object)) {
                g_string_append_printf(text, " %s (changed)", name);
                return;
        }
        shown = property_text(zone, name, value);
        g_string_append_printf(text, " %s=%s", name, output_or_dash(shown));
}

static void read_properties_changed(json_object *arguments, GHashTable *labels, GTimeZone *zone,
                                    const char *path, MonitorEvent *ret) {
        g_autofree char *who = subject(labels, path);
        GString *text = g_string_new(NULL);
        json_object *changed = json_object_array_get_idx(arguments, 1);
        json_object *invalidated = json_object_array_get_idx(arguments, 2);

        ret->object = event_new("properties-changed");
        json_object_object_add(ret->object, "Path", json_object_new_string(path));
        json_object_object_add(ret->object, "Interface",
                               json_object_get(json_object_array_get_idx(arguments, 0)));
        json_object_object_add(ret->object, "Changed", json_object_get(changed));
        json_object_object_add(ret->object, "Invalidated", json_object_get(invalidated));
        g_string_append_printf(text, "%s:", who);
        json_object_object_foreach(changed, name, value) {
                append_property(text, zone, name, value);
        }
        for (size_t i = 0; i < json_object_array_length(invalidated); i++)
                g_string_append_printf(text, " %s (changed)",
                                       json_object_get_string(json_object_array_get_idx(invalidated, i)));
        ret->text = g_string_free(text, FALSE);
}

static void learn_label(GHashTable *labels, const char *path, json_object *interfaces) {
        json_object *image = json_object_object_get(interfaces, LFA_IMAGE_INTERFACE);
        const char *alias = bus_value_string(image, "Alias");

        if (*alias)
                g_hash_table_insert(labels, g_strdup(path), g_strdup(alias));
}

static void read_interfaces(json_object *arguments, GHashTable *labels, bool added, MonitorEvent *ret) {
        json_object *path = json_object_array_get_idx(arguments, 0);
        json_object *interfaces = json_object_array_get_idx(arguments, 1);
        g_autofree char *who = NULL;

        if (added)
                learn_label(labels, json_object_get_string(path), interfaces);
        who = subject(labels, json_object_get_string(path));
        ret->object = event_new(added ? "interfaces-added" : "interfaces-removed");
        json_object_object_add(ret->object, "Path", json_object_get(path));
        json_object_object_add(ret->object, "Interfaces", json_object_get(interfaces));
        ret->text = g_strdup_printf("%s %s", who, added ? "appeared" : "is gone");
}

int monitor_event_read(sd_bus_message *m, GHashTable *labels, GTimeZone *zone, MonitorEvent *ret) {
        _cleanup_(json_object_unrefp) json_object *arguments = NULL;
        const char *path = sd_bus_message_get_path(m);
        int r;

        r = read_arguments(m, &arguments);
        if (r < 0)
                return r;
        if (sd_bus_message_is_signal(m, LFA_MANAGER_INTERFACE, "JobNew") &&
            sd_bus_message_has_signature(m, "uos"))
                read_job_signal(arguments, labels, false, ret);
        else if (sd_bus_message_is_signal(m, LFA_MANAGER_INTERFACE, "JobRemoved") &&
                 sd_bus_message_has_signature(m, "uoss"))
                read_job_signal(arguments, labels, true, ret);
        else if (sd_bus_message_is_signal(m, LFA_MANAGER_INTERFACE, "PrepareForActivation") &&
                 sd_bus_message_has_signature(m, "bos"))
                read_prepare(arguments, labels, ret);
        else if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.Properties", "PropertiesChanged") &&
                 sd_bus_message_has_signature(m, "sa{sv}as"))
                read_properties_changed(arguments, labels, zone, path, ret);
        else if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded") &&
                 sd_bus_message_has_signature(m, "oa{sa{sv}}"))
                read_interfaces(arguments, labels, true, ret);
        else if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved") &&
                 sd_bus_message_has_signature(m, "oas"))
                read_interfaces(arguments, labels, false, ret);
        else
                return 0;
        return 1;
}
