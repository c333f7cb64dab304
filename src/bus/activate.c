/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Activate: from the call to the job. */

#include "bus/bus-errors.h"
#include "bus/options.h"
#include "bus/request.h"
#include "lfa/bus-names.h"

static const OptionSpec specs[] = {
        { "expected-current-version", option_parse_version, offsetof(Request, expected_current) },
        { "expected-pending-version", option_parse_version, offsetof(Request, expected_pending) },
        { "reason", option_parse_string, offsetof(Request, reason) },
};

const char *const activate_options[] = { "expected-current-version", "expected-pending-version", "reason",
                                         NULL };

static int find_image(Request *request, Image **ret, sd_bus_error *error) {
        const Manager *manager = request->service->manager;
        int r = manager_lookup_image(manager, request->image, ret);

        if (r >= 0)
                return 0;
        if (r == -ENOTUNIQ)
                return bus_error_set(error, LFA_ERROR_AMBIGUOUS_IMAGE, NULL);
        if (manager->driver_state == DRIVER_NO_DRIVER)
                return bus_error_set(error, LFA_ERROR_NO_DRIVER, NULL);
        if (manager->driver_state == DRIVER_NO_FIRMWARE)
                return bus_error_set(error, LFA_ERROR_NO_FIRMWARE, NULL);
        return bus_error_set(error, LFA_ERROR_NO_SUCH_IMAGE, NULL);
}

static const char *find_downgrade(const ImageValues *values) {
        if (!version_known(values->current_version) || !version_known(values->pending_version))
                return "unknown";
        return version_compare(values->pending_version, values->current_version) < 0 ? "yes" : "no";
}

/* What a person who is asked for a password reads, and what polkit's rules judge. */
static void add_details(Request *request, const Image *image) {
        const ImageValues *values = &image->values;
        bool rendezvous = values->cpu_rendezvous != 0 || values->force_cpu_rendezvous != 0;

        request_add_detail(request, "guid", values->guid);
        request_add_detail(request, "name", image_display_name(image));
        request_add_detail(request, "from", values->current_version);
        request_add_detail(request, "to", values->pending_version);
        request_add_detail(request, "rendezvous", rendezvous ? "yes" : "no");
        request_add_detail(request, "downgrade", find_downgrade(values));
}

static int check(Request *request, sd_bus_error *error) {
        Expectations expectations = { request->expected_current, request->expected_pending };
        GateVerdict verdicts[_GATE_MAX];
        const GateVerdict *denial;
        Image *image;
        int r;

        r = find_image(request, &image, error);
        if (r < 0)
                return r;
        manager_run_gates(request->service->manager, image, NULL, &expectations, verdicts);
        denial = gates_first_denial(verdicts);
        if (denial)
                return bus_error_set(error, denial->error, denial->text);
        memcpy(request->guid, image->values.guid, sizeof(request->guid));
        memcpy(request->from, image->values.current_version, sizeof(request->from));
        memcpy(request->to, image->values.pending_version, sizeof(request->to));
        add_details(request, image);
        return 0;
}

static int explain_failure(int r, sd_bus_error *error) {
        switch (r) {
        case -ESHUTDOWN:
                return bus_error_set(error, LFA_ERROR_SHUTTING_DOWN, NULL);
        case -EDQUOT:
                return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many jobs are queued.");
        case -ENOSPC:
                return bus_error_set(error, LFA_ERROR_DISK_FULL, NULL);
        default:
                return bus_error_set(error, LFA_ERROR_STATE_UNAVAILABLE, NULL);
        }
}

/* JobNew was sent when the job was accepted, thus before this reply. */
static int act(Request *request, sd_bus_error *error) {
        JobRequest job_request = {
                .guid = request->guid,
                .from = request->from,
                .to = request->to,
                .uid = request->uid,
                .pid = request->pid,
                .reason = request->reason,
        };
        g_autofree char *path = NULL;
        Job *job;
        int r;

        r = manager_submit(request->service->manager, &job_request, &job);
        if (r < 0)
                return explain_failure(r, error);
        path = job_path(job->id);
        return sd_bus_reply_method_return(request->message, "o", path);
}

static const RequestType request_type = {
        .action = LFA_ACTION_ACTIVATE,
        .needs_fresh = true,
        .check = check,
        .act = act,
};

int service_call_activate(Service *service, sd_bus_message *message, const char *image,
                          sd_bus_error *error) {
        _cleanup_(request_freep)
        Request *request = request_new(service, &request_type, message);
        int r;

        r = client_string_check("image", image, error);
        if (r < 0)
                return r;
        request->image = g_strdup(image);
        r = options_read(message, specs, G_N_ELEMENTS(specs), request, error);
        if (r < 0)
                return r;
        return request_start(g_steal_pointer(&request), error);
}
