/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl reload: have lfad read its configuration again. */

#include "ctl/call-asking.h"
#include "ctl/output.h"
#include "ctl/verbs.h"
#include "lfa/bus-names.h"

ExitCode verb_reload(Client *client, int argc, char **argv) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = call_asking_with_reason(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "Reload", &error);

        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot load the configuration");
        if (!client_json(client))
                output_line("The configuration was loaded.");
        return EXIT_DONE;
}
