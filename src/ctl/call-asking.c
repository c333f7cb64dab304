/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call beside which an agent for passwords runs. */

#include "ctl/call-asking.h"

#include "ctl/agent.h"
#include "ctl/call-options.h"

int call_asking(Client *client, sd_bus_message *call, sd_bus_error *error, sd_bus_message **ret_reply) {
        PasswordAgent agent = { 0 };
        int r;

        agent_start(client, &agent);
        r = client_call(client, call, CLIENT_PATIENT_USEC, error, ret_reply);
        agent_stop(&agent);
        return r;
}

int call_asking_with_reason(Client *client, const char *path, const char *interface, const char *member,
                            sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r = client_new_call(client, path, interface, member, &call);

        if (r >= 0)
                r = sd_bus_message_open_container(call, 'a', "{sv}");
        if (r >= 0)
                r = call_option_string(call, "reason", client->options->reason);
        if (r >= 0)
                r = sd_bus_message_close_container(call);
        return r < 0 ? r : call_asking(client, call, error, NULL);
}
