/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl explain: would it be activated, and if not, why not. */

#include "ctl/explain.h"
#include "ctl/resolve.h"
#include "ctl/verbs.h"

ExitCode verb_explain(Client *client, int argc, char **argv) {
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        Image *image;
        ExitCode code = inventory_load(client, &inventory);

        if (code == EXIT_DONE)
                code = resolve_image(client, inventory, argv[0], &image);
        return code == EXIT_DONE ? explain_image(client, image) : code;
}
