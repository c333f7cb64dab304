/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request to activate one image. */

#include "daemon/job.h"

/* From here on what was authorised counts, whatever the caller expected of it. */
static ActivationTerms bind_terms(const JobRequest *request) {
        ActivationTerms terms = request->terms;

        terms.accepted = true;
        terms.expected_current.given = terms.expected_pending.given = true;
        g_strlcpy(terms.expected_current.version, request->from, VERSION_SIZE);
        g_strlcpy(terms.expected_pending.version, request->to, VERSION_SIZE);
        return terms;
}

Job *job_new(Manager *manager, const JobRequest *request) {
        Job *job = g_new0(Job, 1);

        job->manager = manager;
        memcpy(job->guid, request->guid, GUID_STRING_SIZE);
        g_strlcpy(job->from, request->from, sizeof(job->from));
        g_strlcpy(job->to, request->to, sizeof(job->to));
        job->terms = bind_terms(request);
        job->when_allowed = request->when_allowed;
        job->deadline_usec = request->deadline_usec;
        job->requester = *request->requester;
        job->reason = g_strdup(request->reason);
        job->request_id = g_strdup(request->request_id);
        job->batch = request->batch;
        job->message = g_strdup("");
        return job;
}

void *job_free(Job *job) {
        if (job) {
                worker_process_free(job->worker);
                worker_process_free(job->cancel_worker);
                sd_event_source_disable_unref(job->forget_source);
                g_free(job->message);
                g_free(job->reason);
                g_free(job->request_id);
                g_free(job);
        }
        return NULL;
}

bool job_is_retryable(const Job *job) {
        if (job->result == RESULT_FAILED && job->firmware_code != FIRMWARE_CODE_NONE)
                return firmware_code_retry(job->firmware_code) == FIRMWARE_RETRY_YES;
        return error_is_retryable(job->error);
}

bool job_result_ends_batch(JobResult result) {
        return result != RESULT_SUCCEEDED && result != RESULT_UNVERIFIED && result != RESULT_REFUSED;
}

json_object *job_record(const Job *job) {
        json_object *record = json_object_new_object();

        if (job->id > 0)
                json_add_u64(record, "job", job->id);
        json_add_string(record, "guid", job->guid);
        json_add_string(record, "from", job->from);
        json_add_string(record, "to", job->to);
        return record;
}
