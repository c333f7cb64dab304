/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Activate: from the call to the job. */

#include "bus/bus-errors.h"
#include "bus/image-details.h"
#include "bus/terms-options.h"
#include "daemon/plan.h"
#include "lfa/bus-names.h"

static const OptionSpec specs[] = {
        { "expected-current-version", OPTION_VERSION, offsetof(Request, terms.expected_current) },
        { "expected-pending-version", OPTION_VERSION, offsetof(Request, terms.expected_pending) },
        { "request-id", OPTION_REQUEST_ID, offsetof(Request, request_id) },
        TERMS_OPTIONS,
};

const char *const activate_options[] = {
        "deadline",
        "expected-current-version",
        "expected-pending-version",
        "override",
        "reason",
        "request-id",
        "unattended",
        "when-allowed",
        NULL,
};

/* Whether this caller asked for the same before. The image may have vanished since: then the name must be
 * its GUID. Returns 1 when it did, 0 when not, a negative errno with error set when something else was asked
 * under that name. */
static int find_known(Request *request, const KnownRequest **ret, sd_bus_error *error) {
        const Manager *manager = request->service->manager;
        const KnownRequest *known =
                        request_ids_find(manager->request_ids, request->uid, request->request_id);
        JobRequest asked = request_new_job(request);
        g_autofree char *arguments = NULL;
        char guid[GUID_STRING_SIZE];
        Image *image;

        if (!known)
                return 0;
        if (manager_lookup_image(manager, request->image, &image) >= 0)
                memcpy(guid, image->values.guid, sizeof(guid));
        else if (guid_parse(request->image, guid) < 0)
                return bus_error_set(error, LFA_ERROR_NO_SUCH_IMAGE, NULL);
        asked.guid = guid;
        arguments = request_arguments(&asked);
        if (strcmp(arguments, known->arguments) != 0)
                return bus_error_set(error, LFA_ERROR_REQUEST_ID_REUSED, NULL);
        *ret = known;
        return 1;
}

static int check_gates(Request *request, Image *image, sd_bus_error *error) {
        Manager *manager = request->service->manager;
        g_autofree char *text = NULL;
        GateVerdict verdicts[_GATE_MAX], told;
        const GateVerdict *refusal;
        uint64_t foreseen;

        manager_run_gates(manager, image, NULL, &request->terms, verdicts);
        refusal = gates_find_refusal(verdicts);
        if (!refusal || (refusal->answer == GATE_DEFER && request->when_allowed))
                return 0;
        told = *refusal;
        if (told.answer == GATE_DEFER) { /* when this gate lets it pass, another may not */
                foreseen = manager_foresee_start(manager, image, &request->terms,
                                                 clock_realtime(manager->clock));
                told.not_before_usec = foreseen > 0 ? foreseen : told.not_before_usec;
        }
        text = gate_describe_refusal(&told);
        return bus_error_set(error, told.error, text);
}

static int check(Request *request, sd_bus_error *error) {
        const KnownRequest *known = NULL;
        Image *image;
        int r;

        request->known_job = 0;
        if (*request->request_id) {
                r = find_known(request, &known, error);
                if (r < 0)
                        return r;
                if (known) {
                        request->known_job = known->job;
                        request_show_known(request, known);
                        return 0;
                }
        }
        r = request_find_image(request, &image, error);
        if (r >= 0)
                r = request_check_deadline(request, error);
        if (r < 0)
                return r;
        r = check_gates(request, image, error);
        if (r < 0)
                return r;
        request_show_image(request, image);
        return 0;
}

int bus_error_from_submit(int r, sd_bus_error *error) {
        switch (r) {
        case -ESHUTDOWN:
                return bus_error_set(error, LFA_ERROR_SHUTTING_DOWN, NULL);
        case -EDQUOT:
                return bus_error_standard(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many jobs are queued.");
        case -ENOSPC:
                return bus_error_set(error, LFA_ERROR_DISK_FULL, NULL);
        default:
                return bus_error_set(error, LFA_ERROR_STATE_UNAVAILABLE, NULL);
        }
}

static int submit(Request *request, uint32_t *ret_id, sd_bus_error *error) {
        JobRequest job_request = request_new_job(request);
        Job *job;
        int r;

        job_request.guid = request->target.guid;
        job_request.from = request->target.from;
        job_request.to = request->target.to;
        r = manager_submit(request->service->manager, &job_request, &job);
        if (r < 0)
                return bus_error_from_submit(r, error);
        *ret_id = job->id;
        return 0;
}

/* JobNew was sent when the job was accepted, thus before this reply. */
static int act(Request *request, sd_bus_error *error) {
        g_autofree char *path = NULL;
        uint32_t id = request->known_job;
        int r;

        if (id == 0) {
                r = submit(request, &id, error);
                if (r < 0)
                        return r;
        }
        path = job_path(id);
        return sd_bus_reply_method_return(request->message, "o", path);
}

static const RequestType request_type = {
        .action = LFA_ACTION_ACTIVATE,
        .freshness = FRESH_RECENT,
        .judges_host = true,
        .check = check,
        .act = act,
};

int service_call_activate(Service *service, sd_bus_message *message, const char *image,
                          sd_bus_error *error) {
        _cleanup_(request_freep) Request *request = request_new(service, &request_type, message);
        int r;

        r = client_string_check("image", image, error);
        if (r < 0)
                return r;
        request->image = g_strdup(image);
        r = options_read(message, specs, G_N_ELEMENTS(specs), request, error);
        if (r >= 0)
                r = request_settle_terms(request, error);
        return r < 0 ? r : request_start(g_steal_pointer(&request), error);
}
