/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl unhold: let activations go on that were paused. */

#include "ctl/call-reason.h"
#include "ctl/output.h"
#include "ctl/verbs.h"
#include "lfa/bus-names.h"

ExitCode verb_unhold(Client *client, int argc, char **argv) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = call_with_reason(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "Unhold", &error);

        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot release the hold");
        if (!client_json(client))
                output_line("Activations are not paused any more.");
        return EXIT_DONE;
}
