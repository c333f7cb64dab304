/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl refresh: have lfad look at the driver now. */

#include "ctl/advice.h"
#include "ctl/image-table.h"
#include "ctl/output.h"
#include "ctl/verbs.h"
#include "lfa/bus-names.h"

static int call_refresh(Client *client, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = client_new_call(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "Refresh", &call);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "a{sv}", 0);
        if (r < 0)
                return r;
        return client_call(client, call, CLIENT_PATIENT_USEC, error, NULL);
}

ExitCode verb_refresh(Client *client, int argc, char **argv) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        ExitCode code;
        int r;

        r = call_refresh(client, &error);
        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot refresh");
        code = inventory_load(client, &inventory);
        if (code != EXIT_DONE)
                return code;
        if (client_json(client)) {
                inventory_to_document(client, inventory);
                return EXIT_DONE;
        }
        output_line("Read again: driver %s, %u images.", output_or_dash(inventory->driver_state),
                    inventory->images->len);
        image_attention_print(inventory);
        return EXIT_DONE;
}
