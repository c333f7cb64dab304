/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Printing the property Holds. */

#include "ctl/hold-list.h"

#include "ctl/bus-value.h"
#include "ctl/output.h"
#include "ctl/policy-time.h"
#include "ctl/record-text.h"

#include <string.h>

/* Who paused, by name where that is known here. */
static char *holder(const Client *client, json_object *hold) {
        char *name;

        if (bus_value_bool(hold, "by-lfad"))
                return g_strdup("lfad");
        name = record_user_name(client, json_object_object_get(hold, "uid"));
        return name ? name : g_strdup_printf("uid %" G_GUINT64_FORMAT, bus_value_uint(hold, "uid"));
}

/* "by root until ...: reason. 'lfactl unhold' ends that.", the whole as one line. */
static char *hold_to_text(const Client *client, const Inventory *inventory, json_object *hold) {
        const char *guid = bus_value_string(hold, "guid"), *reason = bus_value_string(hold, "reason");
        uint64_t until_usec = bus_value_uint(hold, "until");
        const char *label = *guid ? inventory_label(inventory, guid) : "";
        g_autoptr(GTimeZone) zone = policy_zone_load(bus_value_string(inventory->manager, "TimeZone"));
        g_autofree char *who = NULL, *until = policy_time_in_both(zone, until_usec);

        who = holder(client, hold);
        return g_strdup_printf("%s, by %s%s%s: %s%s 'lfactl unhold%s%s' ends that.",
                               *guid ? label : "all images", who, until_usec > 0 ? " until " : "",
                               until_usec > 0 ? until : "", reason, g_str_has_suffix(reason, ".") ? "" : ".",
                               *guid ? " " : "", label);
}

static void print(const Client *client, const Inventory *inventory, const Image *image, int width) {
        json_object *holds = json_object_object_get(inventory->manager, "Holds");

        for (size_t i = 0;
             json_object_is_type(holds, json_type_array) && i < json_object_array_length(holds); i++) {
                json_object *hold = json_object_array_get_idx(holds, i);
                const char *guid = bus_value_string(hold, "guid");
                g_autofree char *text = NULL;

                if (image && *guid && strcmp(guid, image->guid) != 0)
                        continue;
                text = hold_to_text(client, inventory, hold);
                output_field(width, "Held", COLOUR_RED, text);
        }
}

bool hold_list_has_any(const Inventory *inventory) {
        json_object *holds = json_object_object_get(inventory->manager, "Holds");

        return json_object_is_type(holds, json_type_array) && json_object_array_length(holds) > 0;
}

bool hold_list_has_own(const Inventory *inventory) {
        json_object *holds = json_object_object_get(inventory->manager, "Holds");

        for (size_t i = 0;
             json_object_is_type(holds, json_type_array) && i < json_object_array_length(holds); i++)
                if (bus_value_bool(json_object_array_get_idx(holds, i), "by-lfad"))
                        return true;
        return false;
}

void hold_list_print(const Client *client, const Inventory *inventory) {
        print(client, inventory, NULL, FIELD_NARROW);
}

void hold_list_print_of_image(const Client *client, const Inventory *inventory, const Image *image) {
        print(client, inventory, image, FIELD_WIDE);
}
