/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl cancel: end a job before it begins, or ask firmware once to stop it. */

#include "ctl/call-asking.h"
#include "ctl/job-report.h"
#include "ctl/output.h"
#include "ctl/resolve.h"
#include "ctl/verbs.h"
#include "lfa/bus-names.h"

#include <string.h>

typedef struct Target {
        char *path;
        const char *interface;
        char *job_path;    /* NULL: it is not known which job that is */
        const char *label; /* belongs to the inventory or argv */
} Target;

static bool is_job_number(const char *text, guint64 *ret_id) {
        return g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32, ret_id, NULL);
}

static ExitCode find_target(Client *client, const Inventory *inventory, const char *text, Target *target) {
        Image *image;
        const Job *job;
        guint64 id;
        ExitCode code;

        target->label = text;
        if (is_job_number(text, &id)) {
                target->path = g_strdup_printf(LFA_JOB_PATH "/%" G_GUINT64_FORMAT, id);
                target->job_path = g_strdup(target->path);
                target->interface = LFA_JOB_INTERFACE;
                job = inventory_find_job(inventory, (uint32_t) id);
                if (job)
                        target->label = inventory_label(inventory, job->guid);
                return EXIT_DONE;
        }
        code = resolve_image(client, inventory, text, &image);
        if (code != EXIT_DONE)
                return code;
        job = inventory_find_active_job(inventory, image->guid);
        target->path = g_strdup(image->path);
        target->interface = LFA_IMAGE_INTERFACE;
        target->job_path = job ? g_strdup(job->path) : NULL;
        target->label = image->label;
        return EXIT_DONE;
}

/* The job as it is after the call; NULL when it cannot be read. */
static Job *read_job(Client *client, const char *path) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        json_object *properties = NULL;

        if (!path || client_get_properties(client, path, LFA_JOB_INTERFACE, &error, &properties) < 0)
                return NULL;
        return job_new(path, properties);
}

static void report(Client *client, const Target *target) {
        _cleanup_(job_freep) Job *job = read_job(client, target->job_path);

        if (job && client_json(client))
                job_report_to_document(client, job);
        if (client_json(client))
                return;
        if (!job)
                output_line("%s: lfad took the request to cancel.", target->label);
        else if (strcmp(job->result, "cancelled") == 0)
                output_line("%s: job %u is cancelled.", target->label, job->id);
        else if (strcmp(job->state, "done") == 0)
                output_line("%s: job %u had ended: %s.", target->label, job->id, job->result);
        else
                output_line("%s: job %u is past its start (%s): it was asked to stop, and its result will "
                            "be what the activation turns out to be. 'lfactl monitor' follows it.",
                            target->label, job->id, job->state);
}

static ExitCode fail_cancel(Client *client, const Target *target, const sd_bus_error *error, int r) {
        if (sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT))
                return client_fail(client, EXIT_FAILED, LFA_ERROR_PREFIX "NoSuchJob",
                                   "'lfactl status' shows jobs that run, 'lfactl history' those that ended.",
                                   "Cannot cancel '%s': there is no such job, or it has ended.",
                                   target->label);
        return client_fail_call(client, error, r, "Cannot cancel '%s'", target->label);
}

static void target_clear(Target *target) {
        g_free(target->path);
        g_free(target->job_path);
}

ExitCode verb_cancel(Client *client, int argc, char **argv) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        _cleanup_(target_clear) Target target = { NULL };
        ExitCode code;
        int r;

        code = inventory_load(client, &inventory);
        if (code != EXIT_DONE)
                return code;
        code = find_target(client, inventory, argv[0], &target);
        if (code != EXIT_DONE)
                return code;
        r = call_asking_with_reason(client, target.path, target.interface, "Cancel", &error);
        if (r < 0)
                return fail_cancel(client, &target, &error, r);
        report(client, &target);
        return EXIT_DONE;
}
