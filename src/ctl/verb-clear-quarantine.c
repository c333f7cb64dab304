/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl clear-quarantine: a version that went wrong may be tried again. */

#include "ctl/call-asking.h"
#include "ctl/output.h"
#include "ctl/resolve.h"
#include "ctl/verbs.h"
#include "lfa/bus-names.h"

static void print_done(const Image *image) {
        if (image->pending)
                output_line("%s: what went wrong does not count any more; 'lfactl activate %s' tries it again.",
                            image->label, image->label);
        else
                output_line("%s: what went wrong does not count any more. No new firmware is staged.",
                            image->label);
}

ExitCode verb_clear_quarantine(Client *client, int argc, char **argv) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        Image *image;
        ExitCode code;
        int r;

        code = inventory_load(client, &inventory);
        if (code == EXIT_DONE)
                code = resolve_image(client, inventory, argv[0], &image);
        if (code != EXIT_DONE)
                return code;
        r = call_asking_with_reason(client, image->path, LFA_IMAGE_INTERFACE, "ClearQuarantine", &error);
        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot clear the quarantine of '%s'",
                                        image->label);
        if (!client_json(client))
                print_done(image);
        return EXIT_DONE;
}
