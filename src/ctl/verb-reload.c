/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl reload: have lfad read its configuration again. */

#include "ctl/output.h"
#include "ctl/verbs.h"
#include "lfa/bus-names.h"

static int call_reload(Client *client, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = client_new_call(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "Reload", &call);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "a{sv}", 0);
        if (r < 0)
                return r;
        return client_call(client, call, CLIENT_PATIENT_USEC, error, NULL);
}

ExitCode verb_reload(Client *client, int argc, char **argv) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = call_reload(client, &error);

        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot load the configuration");
        if (!client_json(client))
                output_line("The configuration was loaded.");
        return EXIT_DONE;
}
