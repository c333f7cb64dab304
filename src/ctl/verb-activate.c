/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl activate: ask for one activation after the other, wait for each and say how it ended. */

#include "ctl/activate-pending.h"
#include "ctl/call-asking.h"
#include "ctl/call-options.h"
#include "ctl/call-terms.h"
#include "ctl/explain.h"
#include "ctl/job-follow.h"
#include "ctl/job-wait.h"
#include "ctl/output.h"
#include "ctl/resolve.h"
#include "ctl/verbs.h"
#include "lfa/bus-names.h"

static int append_options(Client *client, sd_bus_message *call) {
        const Options *options = client->options;
        int r = sd_bus_message_open_container(call, SD_BUS_TYPE_ARRAY, "{sv}");

        if (r >= 0)
                r = call_option_string(call, "expected-current-version", options->expect_current);
        if (r >= 0)
                r = call_option_string(call, "expected-pending-version", options->expect_pending);
        if (r >= 0)
                r = call_terms(client, call);
        if (r >= 0)
                r = call_option_string(call, "request-id", options->request_id);
        return r < 0 ? r : sd_bus_message_close_container(call);
}

/* Returns 0 with the job's path, which the caller frees, or a negative errno with error. */
static int call_activate(Client *client, const Image *image, sd_bus_error *error, char **ret_path) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        const char *path;
        int r;

        r = client_new_call(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "Activate", &call);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "s", image->guid);
        if (r < 0)
                return r;
        r = append_options(client, call);
        if (r < 0)
                return r;
        r = call_asking(client, call, error, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return r;
        *ret_path = g_strdup(path);
        return 0;
}

static ExitCode activate(Client *client, const Inventory *inventory, const Image *image) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(job_wait_freep) JobWait *wait = NULL;
        g_autofree char *path = NULL;
        int r = 0;

        if (client->options->block)
                r = job_wait_new(client, &wait); /* first, so that no signal of the job is missed */
        if (r >= 0)
                r = call_activate(client, image, &error, &path);
        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot activate %s", image->label);
        job_follow_tell_other(inventory, path, image->guid, image->label);
        if (wait)
                return job_follow(client, wait, path, image->guid, image->label);
        job_follow_not(client, path, image->guid, image->label);
        return EXIT_DONE;
}

/* As lfad does it for several images: one that a gate refuses does not stop the others, trouble does. */
static bool goes_on_after(ExitCode code) {
        return code == EXIT_DONE || code == EXIT_UNVERIFIED || code == EXIT_DEFERRED || code == EXIT_DENIED;
}

/* Jobs' paths in the order of images, NULL where there is none. Returns the exit code as far as that goes. */
static ExitCode ask_for_all(Client *client, const Inventory *inventory, const GPtrArray *images,
                            GPtrArray *paths) {
        ExitCode worst = EXIT_DONE;

        for (guint i = 0; i < images->len; i++) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                const Image *image = images->pdata[i];
                char *path = NULL;
                int r = call_activate(client, image, &error, &path);

                if (r < 0)
                        worst = exit_code_worse(worst, client_fail_call(client, &error, r,
                                                                        "Cannot activate %s", image->label));
                else
                        job_follow_tell_other(inventory, path, image->guid, image->label);
                g_ptr_array_add(paths, path);
        }
        return worst;
}

/* Who waits for gates must not keep the other images from being asked for: all are, then all are waited for. */
static ExitCode activate_when_allowed(Client *client, const Inventory *inventory, const GPtrArray *images) {
        g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
        _cleanup_(job_wait_freep) JobWait *wait = NULL;
        int r = client->options->block ? job_wait_new(client, &wait) : 0;
        ExitCode worst;

        if (r < 0)
                return client_fail_call(client, NULL, r, "Cannot wait for jobs");
        worst = ask_for_all(client, inventory, images, paths);
        for (guint i = 0; i < images->len; i++) {
                const Image *image = images->pdata[i];
                ExitCode code = EXIT_DONE;

                if (!paths->pdata[i])
                        continue;
                if (wait)
                        code = job_follow(client, wait, paths->pdata[i], image->guid, image->label);
                else
                        job_follow_not(client, paths->pdata[i], image->guid, image->label);
                worst = exit_code_worse(worst, code);
        }
        return worst;
}

static ExitCode activate_all(Client *client, const Inventory *inventory, const GPtrArray *images) {
        ExitCode worst = EXIT_DONE;

        if (client->options->when_allowed)
                return activate_when_allowed(client, inventory, images);

        for (guint i = 0; i < images->len; i++) {
                ExitCode code = activate(client, inventory, images->pdata[i]);

                worst = exit_code_worse(worst, code);
                if (goes_on_after(code))
                        continue;
                for (guint rest = i + 1; rest < images->len; rest++)
                        output_note("Not tried any more: %s.", ((const Image *) images->pdata[rest])->label);
                break;
        }
        return worst;
}

static ExitCode fail_usage(Client *client, const char *message, const char *hint) {
        return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS, hint, "%s", message);
}

ExitCode verb_activate_check(Client *client, int argc, char **argv) {
        const Options *options = client->options;
        bool of_one = options->expect_current || options->expect_pending || options->request_id;

        if (!options->pending && argc == 0)
                return fail_usage(client, "'activate' needs to know which: IMAGE..., or --pending.",
                                  "'lfactl list' shows the images.");
        if (options->pending && argc > 0)
                return fail_usage(client, "--pending means all that is pending, and takes no names.",
                                  "Leave out the names, or --pending.");
        if (options->overrides.count > 0 && !(options->reason && *options->reason))
                return fail_usage(client, "--override needs a reason.",
                                  "Write --reason=TEXT: it is kept with the job.");
        if (of_one && (options->pending || argc > 1))
                return fail_usage(client,
                                  "--expect-current, --expect-pending and --request-id are about one image.",
                                  "Activate the images one by one, each with its own.");
        return EXIT_DONE;
}

/* All names are looked up before anything is done, so that a slip in the last one does nothing at all. */
static ExitCode resolve_all(Client *client, const Inventory *inventory, int argc, char **argv,
                            GPtrArray *images) {
        for (int i = 0; i < argc; i++) {
                Image *image;
                ExitCode code = resolve_image(client, inventory, argv[i], &image);

                if (code != EXIT_DONE)
                        return code;
                g_ptr_array_add(images, image);
        }
        return EXIT_DONE;
}

static void add_pending(const Inventory *inventory, GPtrArray *images) {
        for (guint i = 0; i < inventory->images->len; i++)
                if (((const Image *) inventory->images->pdata[i])->pending)
                        g_ptr_array_add(images, inventory->images->pdata[i]);
}

static ExitCode run(Client *client, const Inventory *inventory, const GPtrArray *images) {
        if (client->options->dry_run)
                return explain_images(client, images);
        return client->options->pending ? activate_pending(client, inventory)
                                        : activate_all(client, inventory, images);
}

ExitCode verb_activate(Client *client, int argc, char **argv) {
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        g_autoptr(GPtrArray) images = g_ptr_array_new();
        ExitCode code = inventory_load(client, &inventory);

        if (code == EXIT_DONE)
                code = resolve_all(client, inventory, argc, argv, images);
        if (code != EXIT_DONE)
                return code;
        if (client->options->pending)
                add_pending(inventory, images);
        return run(client, inventory, images);
}
