/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cancel, of a job or of an image's job. */

#include "bus/bus-errors.h"
#include "bus/options.h"
#include "bus/request.h"
#include "lfa/bus-names.h"

static Job *find_job(const Request *request) {
        Job *job = manager_find_job(request->service->manager, request->job);

        return job && !job_is_done(job) ? job : NULL;
}

static int check(Request *request, sd_bus_error *error) {
        const Job *job = find_job(request);

        if (!job)
                return bus_error_set(error, LFA_ERROR_NO_SUCH_JOB, NULL);
        request_add_detail(request, "guid", job->guid);
        request_add_detail(request, "name",
                           image_display_name(images_remember(request->service->manager, job->guid)));
        request_add_detail(request, "from", job->from);
        request_add_detail(request, "to", job->to);
        return 0;
}

/* Who asked for something may take it back. */
static bool exempt(const Request *request) {
        const Job *job = find_job(request);

        return job && job->requester.uid == request->uid;
}

static int act(Request *request, sd_bus_error *error) {
        Job *job = find_job(request);

        int r = job ? manager_cancel_job(request->service->manager, job, &request->requester) : -ESRCH;

        if (r == -ESRCH)
                return bus_error_set(error, LFA_ERROR_NO_SUCH_JOB, NULL);
        if (r < 0)
                return bus_error_set(error, LFA_ERROR_WORKER_FAILED, NULL);
        return sd_bus_reply_method_return(request->message, NULL);
}

static const RequestType request_type = {
        .action = LFA_ACTION_CANCEL,
        .check = check,
        .exempt = exempt,
        .act = act,
};

int service_call_cancel_job(Service *service, sd_bus_message *message, const Job *job, sd_bus_error *error) {
        _cleanup_(request_freep) Request *request = request_new(service, &request_type, message);
        int r = options_read(message, NULL, 0, NULL, error);

        if (r < 0)
                return r;
        if (!job || job_is_done(job))
                return bus_error_set(error, LFA_ERROR_NO_SUCH_JOB, NULL);
        request->job = job->id;
        return request_start(g_steal_pointer(&request), error);
}

int service_call_cancel_image(Service *service, sd_bus_message *message, const Image *image,
                              sd_bus_error *error) {
        return service_call_cancel_job(service, message,
                                       manager_find_job_of_image(service->manager, image->values.guid),
                                       error);
}
