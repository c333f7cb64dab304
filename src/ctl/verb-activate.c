/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl activate: ask for one activation after the other, wait for each and say how it ended. */

#include "ctl/agent.h"
#include "ctl/job-report.h"
#include "ctl/job-wait.h"
#include "ctl/output.h"
#include "ctl/resolve.h"
#include "ctl/verbs.h"
#include "lfa/bus-names.h"

#include <string.h>

static int append_option(sd_bus_message *call, const char *key, const char *value) {
        if (!value)
                return 0;
        return sd_bus_message_append(call, "{sv}", key, "s", value);
}

static int append_options(sd_bus_message *call, const Options *options) {
        int r;

        r = sd_bus_message_open_container(call, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r < 0)
                return r;
        r = append_option(call, "expected-current-version", options->expect_current);
        if (r < 0)
                return r;
        r = append_option(call, "expected-pending-version", options->expect_pending);
        if (r < 0)
                return r;
        r = append_option(call, "reason", options->reason);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(call);
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
        r = append_options(call, client->options);
        if (r < 0)
                return r;
        r = client_call(client, call, CLIENT_PATIENT_USEC, error, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return r;
        *ret_path = g_strdup(path);
        return 0;
}

static void report_path(Client *client, const char *path, const Image *image) {
        json_object *job;

        if (!client_json(client)) {
                output_line("%s", path);
                return;
        }
        job = json_object_new_object();
        json_object_object_add(job, "Path", json_object_new_string(path));
        json_object_object_add(job, "Guid", json_object_new_string(image->guid));
        json_document_append(client->document, "jobs", job);
}

static ExitCode report_interrupted(Client *client, const char *path, const Image *image) {
        const char *id = strrchr(path, '/') + 1;
        g_autofree char *hint =
                        g_strdup_printf("'lfactl status' and 'lfactl monitor' follow it, 'lfactl history' "
                                        "tells how it ended, 'lfactl cancel %s' asks it to stop.",
                                        id);

        report_path(client, path, image);
        return client_fail(client, EXIT_UNKNOWN, "interrupted", hint,
                           "Stopped waiting for %s: job %s goes on.", image->label, id);
}

static ExitCode report_lost(Client *client, const char *path, const Image *image) {
        const char *id = strrchr(path, '/') + 1;

        report_path(client, path, image);
        return client_fail(client, EXIT_UNKNOWN, LFA_ERROR_PREFIX "Unknown",
                           "'systemctl status lfad' tells about lfad; once it runs, 'lfactl history' tells "
                           "how the job ended. Do not activate again before that.",
                           "lfad has not told how job %s ended: what became "
                           "of %s is not known.",
                           id, image->label);
}

static ExitCode wait_for_job(Client *client, JobWait *wait, const char *path, const Image *image) {
        _cleanup_(job_freep) Job *job = NULL;
        int r = job_wait_run(wait, path, image->label, &job);

        if (r < 0) {
                report_path(client, path, image);
                client_fail_call(client, NULL, r, "Cannot wait for the job of %s", image->label);
                return EXIT_UNKNOWN;
        }
        switch ((WaitEnd) r) {
        case WAIT_INTERRUPTED:
                return report_interrupted(client, path, image);
        case WAIT_ENDED:
                return job_report_outcome(client, job, image->label);
        default:
                return report_lost(client, path, image);
        }
}

static ExitCode activate(Client *client, const Image *image) {
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
        if (wait)
                return wait_for_job(client, wait, path, image);
        report_path(client, path, image);
        return EXIT_DONE;
}

/* As lfad does it for several images: one that a gate refuses does not stop the others, trouble does. */
static bool goes_on_after(ExitCode code) {
        return code == EXIT_DONE || code == EXIT_UNVERIFIED || code == EXIT_DEFERRED || code == EXIT_DENIED;
}

static ExitCode activate_all(Client *client, const GPtrArray *images) {
        ExitCode worst = EXIT_DONE;

        for (guint i = 0; i < images->len; i++) {
                ExitCode code = activate(client, images->pdata[i]);

                worst = exit_code_worse(worst, code);
                if (goes_on_after(code))
                        continue;
                for (guint rest = i + 1; rest < images->len; rest++)
                        output_note("Not tried any more: %s.", ((const Image *) images->pdata[rest])->label);
                break;
        }
        return worst;
}

static ExitCode check_expectations(Client *client, int argc) {
        if (argc <= 1 || (!client->options->expect_current && !client->options->expect_pending))
                return EXIT_DONE;
        return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS,
                           "Activate the images one by one, each with the version expected of it.",
                           "--expect-current and --expect-pending are about one image.");
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

ExitCode verb_activate(Client *client, int argc, char **argv) {
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        g_autoptr(GPtrArray) images = g_ptr_array_new();
        PasswordAgent agent = { 0 };
        ExitCode code = check_expectations(client, argc);

        if (code == EXIT_DONE)
                code = inventory_load(client, &inventory);
        if (code == EXIT_DONE)
                code = resolve_all(client, inventory, argc, argv, images);
        if (code != EXIT_DONE)
                return code;
        if (client->options->ask_password)
                agent_start(&agent);
        code = activate_all(client, images);
        agent_stop(&agent);
        return code;
}
