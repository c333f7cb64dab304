/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking for the plan, and finding in it what automatic mode is going to do about an image. */

#include "ctl/automatic-plan.h"

#include "ctl/bus-value.h"
#include "ctl/call-options.h"
#include "ctl/policy-time.h"
#include "lfa/bus-names.h"

#include <string.h>

static int append_options(sd_bus_message *call, uint64_t until) {
        int r = sd_bus_message_open_container(call, SD_BUS_TYPE_ARRAY, "{sv}");

        if (r >= 0)
                r = call_option_u64(call, "until", until);
        return r < 0 ? r : sd_bus_message_close_container(call);
}

int automatic_plan_load(Client *client, uint64_t until, sd_bus_error *error, json_object **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = client_new_call(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "GetPlan", &call);
        if (r >= 0)
                r = append_options(call, until);
        return r < 0 ? r : client_call_list(client, call, error, ret);
}

static bool is_planned(json_object *event) {
        return strcmp(bus_value_string(event, "type"), "activation") == 0;
}

/* Without a gate it is not automatic mode that is in question, or there is too much to look at to tell. */
static bool is_refused(json_object *event) {
        return strcmp(bus_value_string(event, "type"), "no-activation") == 0 &&
               *bus_value_string(event, "gate");
}

json_object *automatic_plan_find(json_object *events, const char *guid) {
        for (size_t i = 0; i < json_object_array_length(events); i++) {
                json_object *event = json_object_array_get_idx(events, i);

                if (strcmp(bus_value_string(event, "guid"), guid) == 0 &&
                    (is_planned(event) || is_refused(event)))
                        return event;
        }
        return NULL;
}

char *automatic_plan_describe(Client *client, json_object *event) {
        uint64_t start = bus_value_uint(event, "start");
        g_autofree char *when = policy_time_in_both(policy_zone(client), start);
        const char *window = bus_value_string(event, "name");

        if (is_planned(event))
                return g_strdup_printf("Automatic mode activates it %s%s%s.",
                                       start <= (uint64_t) g_get_real_time() ? "now" : when,
                                       *window ? ", window " : "", window);
        if (*when) /* after what the plan covers */
                return g_strdup_printf("Automatic mode does not activate it before %s.", when);
        return g_strdup_printf("Automatic mode does not activate it, gate %s: %s",
                               bus_value_string(event, "gate"), bus_value_string(event, "text"));
}
