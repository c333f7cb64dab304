/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl list: the images, a line each. */

#include "ctl/advice.h"
#include "ctl/image-table.h"
#include "ctl/output.h"
#include "ctl/verbs.h"

ExitCode verb_list(Client *client, int argc, char **argv) {
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        ExitCode code = inventory_load(client, &inventory);

        if (code != EXIT_DONE)
                return code;
        if (client_json(client))
                inventory_to_document(client, inventory);
        else
                image_table_print(inventory, client->options->legend);
        if (inventory->images->len == 0 && client->options->legend)
                output_note("No images: %s.", advice_for_driver(inventory->driver_state));
        return EXIT_DONE;
}
