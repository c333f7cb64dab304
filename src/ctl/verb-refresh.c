/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl refresh: have lfad look at the driver now. */

#include "ctl/attention.h"
#include "ctl/call-asking.h"
#include "ctl/doubt.h"
#include "ctl/image-table.h"
#include "ctl/output.h"
#include "ctl/verbs.h"
#include "lfa/bus-names.h"

ExitCode verb_refresh(Client *client, int argc, char **argv) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        g_autofree char *images = NULL;
        ExitCode code;
        int r;

        r = call_asking_with_reason(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "Refresh", &error);
        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot refresh");
        code = inventory_load(client, &inventory);
        if (code != EXIT_DONE)
                return code;
        if (client_json(client)) {
                inventory_to_document(client, inventory);
                return EXIT_DONE;
        }
        images = output_count(inventory->images->len, "image");
        output_line("Read again: driver %s, %s.", output_or_dash(inventory->driver_state), images);
        doubt_settle(client, inventory);
        attention_print(inventory);
        return EXIT_DONE;
}
