/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl hold: pause activations. */

#include "ctl/call-asking.h"
#include "ctl/call-options.h"
#include "ctl/output.h"
#include "ctl/policy-time.h"
#include "ctl/resolve.h"
#include "ctl/verbs.h"
#include "lfa/bus-names.h"

static int call_hold(Client *client, char **guids, uint64_t until, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = client_new_call(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "Hold", &call);
        if (r >= 0)
                r = sd_bus_message_append(call, "s", client->options->reason);
        if (r >= 0)
                r = sd_bus_message_open_container(call, 'a', "{sv}");
        if (r >= 0)
                r = call_option_strings(call, "images", guids);
        if (r >= 0)
                r = call_option_u64(call, "until", until);
        if (r >= 0)
                r = sd_bus_message_close_container(call);
        return r < 0 ? r : call_asking(client, call, error, NULL);
}

static void print_done(Client *client, uint64_t until_usec, const GPtrArray *labels) {
        g_autofree char *until = until_usec > 0 ? policy_time_in_both(policy_zone(client), until_usec)
                                                : g_strdup("'lfactl unhold'");
        g_autofree char *names =
                        labels->len > 1 ? g_strjoinv(", ", (char **) labels->pdata) : g_strdup("all images");

        output_line("Activations are paused until %s: %s.", until, names);
}

ExitCode verb_hold_check(Client *client, int argc, char **argv) {
        if (client->options->reason && *client->options->reason)
                return EXIT_DONE;
        return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS,
                           "Write --reason=TEXT: others want to know.", "'hold' needs a reason.");
}

ExitCode verb_hold(Client *client, int argc, char **argv) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        g_autoptr(GPtrArray) guids = g_ptr_array_new(), labels = g_ptr_array_new();
        uint64_t until = 0;
        ExitCode code;
        int r;

        code = policy_moment_read(client, client->options->until, &until);
        if (code == EXIT_DONE && argc > 0)
                code = inventory_load(client, &inventory);
        for (int i = 0; code == EXIT_DONE && i < argc; i++) {
                Image *image;

                code = resolve_image(client, inventory, argv[i], &image);
                if (code != EXIT_DONE)
                        break;
                g_ptr_array_add(guids, (char *) image->guid);
                g_ptr_array_add(labels, image->label);
        }
        if (code != EXIT_DONE)
                return code;
        g_ptr_array_add(guids, NULL);
        g_ptr_array_add(labels, NULL);
        r = call_hold(client, (char **) guids->pdata, until, &error);
        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot pause activations");
        if (!client_json(client))
                print_done(client, until, labels);
        return EXIT_DONE;
}
