/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the inhibitors and printing them. */

#include "ctl/inhibitor-list.h"

#include "ctl/bus-value.h"
#include "ctl/managed-objects.h"
#include "ctl/output-table.h"
#include "ctl/policy-time.h"
#include "lfa/bus-names.h"

int inhibitors_load(Client *client, sd_bus_error *error, json_object **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r = client_new_call(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "ListInhibitors", &call);

        return r < 0 ? r : client_call_list(client, call, error, ret);
}

/* "rmm, bl31", or "all" */
static char *images_cell(const Inventory *inventory, json_object *inhibitor) {
        json_object *images = json_object_object_get(inhibitor, "images");
        GString *list = g_string_new(NULL);

        if (!json_object_is_type(images, json_type_array) || json_object_array_length(images) == 0)
                g_string_append(list, "all");
        else
                for (size_t i = 0; i < json_object_array_length(images); i++) {
                        const char *guid = json_object_get_string(json_object_array_get_idx(images, i));

                        g_string_append_printf(list, "%s%s", i > 0 ? ", " : "",
                                               guid ? inventory_label(inventory, guid) : "");
                }
        return g_string_free(list, FALSE);
}

static void add_row(OutputTable *table, const Inventory *inventory, GTimeZone *zone,
                    json_object *inhibitor) {
        g_autofree char *uid = g_strdup_printf("%" G_GUINT64_FORMAT, bus_value_uint(inhibitor, "uid")),
                        *pid = g_strdup_printf("%" G_GUINT64_FORMAT, bus_value_uint(inhibitor, "pid")),
                        *images = images_cell(inventory, inhibitor),
                        *since = policy_time_and_age(zone, bus_value_uint(inhibitor, "since"));
        const char *cells[] = {
                bus_value_string(inhibitor, "who"),  uid,    pid,
                bus_value_string(inhibitor, "mode"), images, since,
                bus_value_string(inhibitor, "why"),  NULL,
        };

        output_table_row(table, cells, 3, COLOUR_YELLOW);
}

static void print_inhibitors(Client *client, const Inventory *inventory, json_object *inhibitors) {
        static const OutputColumn columns[] = { { "WHO", 8 },  { "UID", 0 },    { "PID", 0 },
                                                { "MODE", 0 }, { "IMAGES", 8 }, { "SINCE", 14 },
                                                { "WHY", 16 }, { NULL } };
        _cleanup_(output_table_freep) OutputTable *table =
                        output_table_new(client->options->legend, columns);
        size_t count = json_object_array_length(inhibitors);

        if (count == 0) {
                output_line("Nobody holds activations back.");
                return;
        }
        for (size_t i = 0; i < count; i++)
                add_row(table, inventory, policy_zone(client), json_object_array_get_idx(inhibitors, i));
        output_table_print(table);
}

ExitCode inhibitor_list_show(Client *client) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_unrefp) json_object *inhibitors = NULL;
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        ExitCode code;
        int r = inhibitors_load(client, &error, &inhibitors);

        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot read who holds activations back");
        if (client_json(client)) {
                json_object_object_add(client->document, "inhibitors", g_steal_pointer(&inhibitors));
                return EXIT_DONE;
        }
        code = inventory_load(client, &inventory);
        if (code == EXIT_DONE)
                print_inhibitors(client, inventory, inhibitors);
        return code;
}
