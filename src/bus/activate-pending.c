/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ActivatePending: one job for each image that is pending now, in the planned order (After=, then GUIDs).
 * polkit is asked about each; refusing one refuses the call. An image that a gate refuses gets a job that ends
 * refused, and the others go on; after a bad end the rest is cancelled (jobs.c). Each job is judged anew when
 * its turn comes, on a reading made after the one before it has ended, and turns are planned anew then
 * (queue.c). What became pending meanwhile gets no job: polkit was not asked about it. */

#include "bus/bus-errors.h"
#include "bus/image-details.h"
#include "bus/terms-options.h"
#include "daemon/plan.h"
#include "lfa/bus-names.h"

static const OptionSpec specs[] = {
        TERMS_OPTIONS,
};

/* Returns 0, or -EDQUOT when there are more than fit. */
static int list_targets(Request *request) {
        Manager *manager = request->service->manager;
        g_autoptr(GPtrArray) guids = manager_list_pending(manager);
        int r = manager_check_caps(manager, request->uid, guids->len);

        if (r < 0)
                return r;
        request->targets = g_array_new(FALSE, TRUE, sizeof(Target));
        for (unsigned i = 0; i < guids->len; i++) {
                Target target = { 0 };

                memcpy(target.guid, guids->pdata[i], sizeof(target.guid));
                g_array_append_val(request->targets, target);
        }
        return 0;
}

/* The one whose turn it is. */
static Target *current_target(const Request *request) {
        return &g_array_index(request->targets, Target, request->next_target);
}

/* With nothing pending, or no driver, there is nothing to ask polkit about. */
static bool exempt(const Request *request) {
        return request->targets->len == 0;
}

static int check(Request *request, sd_bus_error *error) {
        Manager *manager = request->service->manager;
        int r;

        if (!request->targets) {
                r = request_check_deadline(request, error);
                if (r < 0)
                        return r;
                if (manager->driver_state == DRIVER_NO_DRIVER)
                        return bus_error_set(error, LFA_ERROR_NO_DRIVER, NULL);
                r = list_targets(request);
                if (r < 0)
                        return bus_error_from_submit(r, error);
                if (request->targets->len == 0 &&
                    manager->images_lost > 0) /* nobody knows what is pending */
                        return bus_error_set(error, LFA_ERROR_TREE_LOST, NULL);
        }
        if (request->targets->len == 0)
                return 0;
        request_show_image(request, images_remember(manager, current_target(request)->guid));
        *current_target(request) = request->target;
        return 0;
}

static bool next(Request *request) {
        if (request->next_target + 1 >= request->targets->len)
                return false;
        request->next_target++;
        return true;
}

/* What was accepted before the disk was full is taken back: half a request is none. */
static void take_back(Manager *manager, uint32_t batch) {
        g_autoptr(GPtrArray) jobs = manager_list_unstarted_jobs(manager);

        for (unsigned i = 0; i < jobs->len; i++) {
                Job *job = jobs->pdata[i];

                if (job->batch == batch && !job_is_done(job))
                        job_finish(job, RESULT_CANCELLED, LFA_ERROR_PRECEDING_FAILED, NULL, NULL);
        }
}

static int submit(Request *request, const Target *target, uint32_t batch, sd_bus_message *reply) {
        JobRequest job_request = request_new_job(request);
        g_autofree char *path = NULL;
        Job *job;
        int r;

        job_request.guid = target->guid;
        job_request.from = target->from;
        job_request.to = target->to;
        job_request.batch = batch;
        r = manager_submit(request->service->manager, &job_request, &job);
        if (r < 0)
                return r;
        path = job_path(job->id);
        return sd_bus_message_append(reply, "o", path);
}

static int act(Request *request, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Manager *manager = request->service->manager;
        uint32_t batch = ++manager->last_batch;
        int r;

        r = sd_bus_message_new_method_return(request->message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "o");
        if (r < 0)
                return r;
        for (unsigned i = 0; i < request->targets->len; i++) {
                r = submit(request, &g_array_index(request->targets, Target, i), batch, reply);
                if (r < 0) {
                        take_back(manager, batch);
                        return bus_error_from_submit(r, error);
                }
        }
        r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(request->service->bus, reply, NULL);
}

static const RequestType request_type = {
        .action = LFA_ACTION_ACTIVATE,
        .freshness = FRESH_SINCE,
        .judges_host = true,
        .check = check,
        .exempt = exempt,
        .next = next,
        .act = act,
};

int service_call_activate_pending(Service *service, sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(request_freep) Request *request = request_new(service, &request_type, message);
        int r = options_read(message, specs, G_N_ELEMENTS(specs), request, error);

        if (r >= 0)
                r = request_settle_terms(request, error);
        return r < 0 ? r : request_start(g_steal_pointer(&request), error);
}
