/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl unhold: let activations go on that were paused. */

#include "ctl/bus-value.h"
#include "ctl/call-asking.h"
#include "ctl/call-options.h"
#include "ctl/hold-list.h"
#include "ctl/output.h"
#include "ctl/resolve.h"
#include "ctl/verbs.h"
#include "lfa/bus-names.h"

#include <strings.h>

static int call_unhold(Client *client, char **guids, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = client_new_call(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "Unhold", &call);
        if (r >= 0)
                r = sd_bus_message_open_container(call, 'a', "{sv}");
        if (r >= 0)
                r = call_option_strings(call, "images", guids);
        if (r >= 0)
                r = call_option_string(call, "reason", client->options->reason);
        if (r >= 0)
                r = sd_bus_message_close_container(call);
        return r < 0 ? r : call_asking(client, call, error, NULL);
}

/* The GUID of an image that is held, as typed, or NULL: the driver may show that image no more. */
static const char *find_held(const Inventory *inventory, const char *text) {
        json_object *holds = json_object_object_get(inventory->manager, "Holds");

        for (size_t i = 0;
             json_object_is_type(holds, json_type_array) && i < json_object_array_length(holds); i++) {
                const char *guid = bus_value_string(json_object_array_get_idx(holds, i), "guid");

                if (*guid && strcasecmp(guid, text) == 0)
                        return guid;
        }
        return NULL;
}

static ExitCode find_images(Client *client, const Inventory *inventory, int argc, char **argv,
                            GPtrArray *guids) {
        for (int i = 0; i < argc; i++) {
                const char *held = find_held(inventory, argv[i]);
                Image *image;
                ExitCode code = held ? EXIT_DONE : resolve_image(client, inventory, argv[i], &image);

                if (code != EXIT_DONE)
                        return code;
                g_ptr_array_add(guids, (char *) (held ? held : image->guid));
        }
        g_ptr_array_add(guids, NULL);
        return EXIT_DONE;
}

/* What is held still, by name or all together, keeps what was asked about from being activated: say so. */
static void print_done(Client *client) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(inventory_freep) Inventory *inventory = NULL;

        if (inventory_query(client, &error, &inventory) < 0 || !hold_list_has_any(inventory)) {
                output_line("Activations are not paused any more.");
                return;
        }
        output_line("Released. These are still in force:");
        hold_list_print(client, inventory);
}

ExitCode verb_unhold(Client *client, int argc, char **argv) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        g_autoptr(GPtrArray) guids = g_ptr_array_new();
        ExitCode code = argc > 0 ? inventory_load(client, &inventory) : EXIT_DONE;
        int r;

        if (code == EXIT_DONE)
                code = find_images(client, inventory, argc, argv, guids);
        if (code != EXIT_DONE)
                return code;
        r = call_unhold(client, (char **) guids->pdata, &error);
        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot release the hold");
        if (!client_json(client))
                print_done(client);
        return EXIT_DONE;
}
