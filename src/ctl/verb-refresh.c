/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl refresh: have lfad look at the driver now. */

#include "ctl/advice.h"
#include "ctl/image-table.h"
#include "ctl/output.h"
#include "ctl/verbs.h"

ExitCode verb_refresh(Client *client, int argc, char **argv) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        ExitCode code;
        int r;

        r = client_call_manager(client, "Refresh", &error);
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
