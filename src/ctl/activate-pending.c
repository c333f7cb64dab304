/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking for all that is pending, and following what comes of it. */

#include "ctl/activate-pending.h"

#include "ctl/bus-value.h"
#include "ctl/call-asking.h"
#include "ctl/call-terms.h"
#include "ctl/job-follow.h"
#include "ctl/output.h"
#include "lfa/bus-names.h"

/* Returns 0 with the jobs' paths, or a negative errno with error. */
static int call_activate_pending(Client *client, sd_bus_error *error, char ***ret_paths) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
        const char *path;
        int r;

        r = client_new_call(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "ActivatePending", &call);
        if (r >= 0)
                r = sd_bus_message_open_container(call, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r >= 0)
                r = call_terms(client, call);
        if (r >= 0)
                r = sd_bus_message_close_container(call);
        if (r >= 0)
                r = call_asking(client, call, error, &reply);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "o");
        while (r >= 0 && (r = sd_bus_message_read(reply, "o", &path)) > 0)
                g_ptr_array_add(paths, g_strdup(path));
        if (r < 0)
                return r;
        g_ptr_array_add(paths, NULL);
        *ret_paths = (char **) g_ptr_array_free(g_steal_pointer(&paths), FALSE);
        return 0;
}

/* The GUID of the job's image, or its path when the job cannot be read; the caller frees it. */
static char *find_guid(Client *client, const char *path) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_unrefp) json_object *properties = NULL;

        if (client_get_properties(client, path, LFA_JOB_INTERFACE, &error, &properties) < 0)
                return g_strdup(path);
        return g_strdup(bus_value_string(properties, "Guid"));
}

static ExitCode follow_all(Client *client, const Inventory *inventory, JobWait *wait, char **paths) {
        ExitCode worst = EXIT_DONE;

        for (; *paths; paths++) {
                g_autofree char *guid = find_guid(client, *paths);
                const char *label = inventory_label(inventory, guid);
                ExitCode code;

                job_follow_tell_other(inventory, *paths, guid, label);
                if (!wait) {
                        job_follow_not(client, *paths, guid, label);
                        continue;
                }
                code = job_follow(client, wait, *paths, guid, label);
                worst = exit_code_worse(worst, code);
        }
        return worst;
}

ExitCode activate_pending(Client *client, const Inventory *inventory) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(job_wait_freep) JobWait *wait = NULL;
        g_auto(GStrv) paths = NULL;
        int r = 0;

        if (client->options->block)
                r = job_wait_new(client, &wait); /* first, so that no signal of a job is missed */
        if (r >= 0)
                r = call_activate_pending(client, &error, &paths);
        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot activate what is pending");
        if (!*paths && client->options->legend)
                output_note("Nothing is pending.");
        return follow_all(client, inventory, wait, paths);
}
