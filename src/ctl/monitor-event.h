/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One signal of lfad as a line for people and as an object for programs. */

#include <glib.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef struct MonitorEvent {
        json_object *object; /* "event" and what the signal carried, by its name on the bus */
        char *text;          /* one line, not escaped */
} MonitorEvent;

/* labels: image path -> what to call it; an InterfacesAdded adds to it. zone: that of times in the text. Returns 1, 0 for
 * a signal that means nothing here, or a negative errno; the caller clears *ret. */
int monitor_event_read(sd_bus_message *m, GHashTable *labels, GTimeZone *zone, MonitorEvent *ret);

/* lfad joined or left the bus. */
void monitor_event_presence(bool present, MonitorEvent *ret);

void monitor_event_clear(MonitorEvent *event);
