/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A job that waits: from its record, into the state's file, and back. */

#include "core/state-internal.h"

/* Absent is 0, and false. */
static int read_number_if_any(json_object *object, const char *key, uint64_t maximum, uint64_t *ret) {
        *ret = 0;
        return json_object_object_get_ex(object, key, NULL) ? state_read_number(object, key, maximum, ret)
                                                            : 0;
}

static int read_u32_if_any(json_object *object, const char *key, uint32_t *ret) {
        uint64_t number;
        int r = read_number_if_any(object, key, UINT32_MAX, &number);

        *ret = (uint32_t) number;
        return r;
}

static int read_flag_if_any(json_object *object, const char *key, bool *ret) {
        *ret = false;
        return json_object_object_get_ex(object, key, NULL) ? state_read_flag(object, key, ret) : 0;
}

static int read_request_id(json_object *object, char ret[static STATE_REQUEST_ID_MAX + 1]) {
        const char *text;

        if (state_read_text(object, "request-id", &text) < 0 || strlen(text) > STATE_REQUEST_ID_MAX ||
            text[strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-")])
                return -EBADMSG;
        g_strlcpy(ret, text, STATE_REQUEST_ID_MAX + 1);
        return 0;
}

static int read_requester(json_object *object, KeptJob *job) {
        int r = state_read_u32(object, "uid", &job->uid);

        if (r >= 0)
                r = read_u32_if_any(object, "pid", &job->pid);
        if (r >= 0)
                r = state_read_clean(object, "unit", job->unit);
        job->logged_in = json_object_object_get_ex(object, "login-uid", NULL);
        return r < 0 ? r : read_u32_if_any(object, "login-uid", &job->login_uid);
}

static int read_versions(json_object *object, KeptJob *job) {
        int r = state_read_guid(object, "guid", false, job->guid);

        if (r >= 0)
                r = state_read_version(object, "from", job->from);
        return r < 0 ? r : state_read_version(object, "to", job->to);
}

int kept_job_from_json(json_object *object, const char *id_key, KeptJob *ret) {
        KeptJob job = { 0 };

        if (state_read_u32(object, id_key, &job.id) < 0 || job.id == 0 || read_versions(object, &job) < 0 ||
            terms_from_record(object, &job.terms) < 0 ||
            state_read_number(object, "deadline", UINT64_MAX, &job.deadline_usec) < 0 ||
            job.deadline_usec == 0 ||
            read_flag_if_any(object, "deadline-default", &job.deadline_is_default) < 0 ||
            read_u32_if_any(object, "batch", &job.batch) < 0 || read_requester(object, &job) < 0 ||
            state_read_clean(object, "reason", job.reason) < 0 ||
            read_request_id(object, job.request_id) < 0 ||
            state_read_boot_id(object, "boot-id", job.boot_id) < 0 ||
            state_read_number(object, "timestamp", UINT64_MAX, &job.queued_usec) < 0)
                return -EBADMSG;
        *ret = job;
        return 0;
}

json_object *kept_job_to_json(const KeptJob *job) {
        json_object *object = json_object_new_object();

        json_add_u64(object, "job", job->id);
        json_add_string(object, "guid", job->guid);
        json_add_string(object, "from", job->from);
        json_add_string(object, "to", job->to);
        terms_to_record(&job->terms, object);
        json_add_u64(object, "deadline", job->deadline_usec);
        if (job->deadline_is_default)
                json_object_object_add(object, "deadline-default", json_object_new_boolean(true));
        if (job->batch > 0)
                json_add_u64(object, "batch", job->batch);
        json_add_u64(object, "uid", job->uid);
        if (job->pid > 0)
                json_add_u64(object, "pid", job->pid);
        json_add_string(object, "unit", job->unit);
        if (job->logged_in)
                json_add_u64(object, "login-uid", job->login_uid);
        json_add_string(object, "reason", job->reason);
        json_add_string(object, "request-id", job->request_id);
        json_add_string(object, "boot-id", job->boot_id);
        json_add_u64(object, "timestamp", job->queued_usec);
        return object;
}
