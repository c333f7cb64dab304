/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options about an activation's terms. */

#include "ctl/call-terms.h"

#include "ctl/call-options.h"
#include "ctl/policy-time.h"

#include <glib.h>
#include <string.h>

/* "a,b" and several of these are one list. */
static int append_overrides(sd_bus_message *call, const Options *options) {
        g_autoptr(GPtrArray) gates = g_ptr_array_new_with_free_func(g_free);

        for (unsigned i = 0; i < options->overrides.count; i++) {
                g_auto(GStrv) names = g_strsplit(options->overrides.items[i], ",", -1);

                for (char **name = names; *name; name++)
                        g_ptr_array_add(gates, g_strdup(g_strstrip(*name)));
        }
        g_ptr_array_add(gates, NULL);
        return call_option_strings(call, "override", (char **) gates->pdata);
}

int call_terms(Client *client, sd_bus_message *call) {
        const Options *options = client->options;
        uint64_t deadline;
        int r;

        if (policy_moment_read(client, options->deadline, &deadline) != EXIT_DONE)
                return -EINVAL;
        r = call_option_string(call, "reason", options->reason);
        if (r >= 0)
                r = append_overrides(call, options);
        if (r >= 0)
                r = call_option_bool(call, "unattended", options->unattended);
        if (r >= 0)
                r = call_option_bool(call, "when-allowed", options->when_allowed);
        return r < 0 ? r : call_option_u64(call, "deadline", deadline);
}
