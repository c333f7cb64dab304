/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the watchdogs, and counting those that an activation must mind. */

#include "ctl/watchdog-list.h"

#include "ctl/bus-value.h"
#include "lfa/bus-names.h"

#include <glib.h>
#include <string.h>

int watchdogs_load(Client *client, sd_bus_error *error, json_object **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r = client_new_call(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "GetWatchdogs", &call);

        if (r >= 0)
                r = sd_bus_message_append(call, "a{sv}", 0);
        return r < 0 ? r : client_call_list(client, call, error, ret);
}

bool watchdog_is_hardware(json_object *watchdog) {
        const char *kind = bus_value_string(watchdog, "kind");

        return !*kind || strcmp(kind, "hardware") == 0;
}

static bool is_made_safe(json_object *watchdog) {
        static const char *const done[] = { "raise", "measure", NULL };

        return g_strv_contains(done, bus_value_string(watchdog, "remedy"));
}

bool watchdog_looks_safe(json_object *watchdog) {
        static const char *const safe[] = { "sufficient", "inactive", "ignored", "learned", NULL };

        return g_strv_contains(safe, bus_value_string(watchdog, "verdict"));
}

WatchdogCount watchdogs_count(json_object *watchdogs) {
        WatchdogCount n = { 0 };

        for (size_t i = 0; i < json_object_array_length(watchdogs); i++) {
                json_object *watchdog = json_object_array_get_idx(watchdogs, i);

                if (!watchdog_is_hardware(watchdog))
                        continue;
                n.hardware++;
                if (is_made_safe(watchdog))
                        n.made_safe++;
                else if (!watchdog_looks_safe(watchdog))
                        n.unsafe++;
        }
        return n;
}
