/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call with a reason, perhaps with a password. */

#include "ctl/call-reason.h"
#include "ctl/agent.h"
#include "ctl/call-options.h"

int call_with_reason(Client *client, const char *path, const char *interface, const char *member,
                     sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        PasswordAgent agent = { 0 };
        int r;

        r = client_new_call(client, path, interface, member, &call);
        if (r >= 0)
                r = sd_bus_message_open_container(call, 'a', "{sv}");
        if (r >= 0)
                r = call_option_string(call, "reason", client->options->reason);
        if (r >= 0)
                r = sd_bus_message_close_container(call);
        if (r < 0)
                return r;
        if (client->options->ask_password)
                agent_start(&agent);
        r = client_call(client, call, CLIENT_PATIENT_USEC, error, NULL);
        agent_stop(&agent);
        return r;
}
