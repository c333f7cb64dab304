/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs: accepting, cancelling, ending. */

#include "core/enum-names.h"
#include "daemon/activation-lock.h"
#include "daemon/end-file.h"
#include "daemon/log-fields.h"
#include "daemon/state.h"
#include "util/macros.h"

/* How long a client that was slow can still read how its job ended. */
#define KEEP_FINISHED_USEC (60 * USEC_PER_SEC)

Job *manager_find_job(const Manager *manager, uint32_t id) {
        return g_hash_table_lookup(manager->jobs, GUINT_TO_POINTER(id));
}

static Job *find_in(const GQueue *queue, const char *guid) {
        for (GList *link = queue->head; link; link = link->next) {
                Job *job = link->data;

                if (strcmp(job->guid, guid) == 0)
                        return job;
        }
        return NULL;
}

Job *manager_find_queued_job_of_image(const Manager *manager, const char *guid) {
        if (manager->current && strcmp(manager->current->guid, guid) == 0)
                return manager->current;
        return find_in(&manager->queue, guid);
}

Job *manager_find_job_of_image(const Manager *manager, const char *guid) {
        Job *job = manager_find_queued_job_of_image(manager, guid);

        return job ? job : find_in(&manager->waiting, guid);
}

/* Jobs that end stay for as long as 256 others have not ended, which are more than there can be here. */
GPtrArray *manager_list_unstarted_jobs(const Manager *manager) {
        GPtrArray *jobs = g_ptr_array_new();

        for (GList *link = manager->queue.head; link; link = link->next)
                g_ptr_array_add(jobs, link->data);
        for (GList *link = manager->waiting.head; link; link = link->next)
                g_ptr_array_add(jobs, link->data);
        return jobs;
}

int manager_check_caps(const Manager *manager, uint32_t uid, unsigned more) {
        g_autoptr(GPtrArray) jobs = manager_list_unstarted_jobs(manager);
        unsigned own = 0;

        for (unsigned i = 0; i < jobs->len; i++)
                own += ((Job *) jobs->pdata[i])->requester.uid == uid;
        return jobs->len + more > JOBS_MAX || own + more > JOBS_PER_UID_MAX ? -EDQUOT : 0;
}

static void enter_job(Manager *manager, Job *job, uint32_t id) {
        Image *image;

        job->id = id;
        g_hash_table_insert(manager->jobs, GUINT_TO_POINTER(id), job);
        g_queue_push_tail(job->state == JOB_WAITING ? &manager->waiting : &manager->queue, job);
        image = manager_find_image(manager, job->guid);
        if (image)
                image_refresh_state(manager, image);
        images_evaluate_order(manager);
}

static json_object *queued_record(const Job *job, const JobRequest *request) {
        json_object *record = job_record(job);

        requester_to_record(&job->requester, record);
        json_add_string(record, "reason", job->reason);
        json_add_string(record, "request-id", job->request_id);
        terms_to_record(&request->terms, record);
        if (!request->when_allowed)
                return record;
        json_object_object_add(record, "when-allowed", json_object_new_boolean(true));
        json_add_u64(record, "deadline", request->deadline_usec);
        if (!request->deadline_given)
                json_object_object_add(record, "deadline-default", json_object_new_boolean(true));
        if (request->batch > 0)
                json_add_u64(record, "batch", request->batch);
        return record;
}

/* From now on the same request-id answers with this job. */
static void remember_request(Manager *manager, const Job *job, const JobRequest *request) {
        g_autofree char *arguments = request_arguments(request);
        KnownRequest known = {
                .uid = job->requester.uid,
                .request_id = job->request_id,
                .arguments = arguments,
                .job = job->id,
        };

        if (!*job->request_id)
                return;
        memcpy(known.guid, job->guid, sizeof(known.guid));
        memcpy(known.from, job->from, sizeof(known.from));
        memcpy(known.to, job->to, sizeof(known.to));
        request_ids_add(manager->request_ids, &known);
}

static void job_freep(Job **job) {
        job_free(*job);
}

/* What a client shows of a job, even when it asks for nothing else. */
static char *message_of(const Manager *manager, const char *text) {
        const char *warning = manager_standing_warning(manager);

        if (!warning || strstr(text, warning))
                return g_strdup(text);
        return g_strdup_printf("%s%s%s", text, *text ? " " : "", warning);
}

static LogFields *queued_fields(const Job *job) {
        LogFields *fields = log_add(job_fields(job), LFA_FIELD_REASON, job->reason);

        fields = log_add(fields, LFA_FIELD_REQUEST_ID, job->request_id);
        return add_requester(fields, &job->requester);
}

int manager_submit(Manager *manager, const JobRequest *request, Job **ret) {
        g_autofree char *asker = requester_to_text(request->requester);
        _cleanup_(job_freep) Job *job = NULL;
        _cleanup_json_ json_object *record = NULL;
        uint64_t seq;
        int r;

        if (manager->stopping)
                return -ESHUTDOWN;
        r = manager_check_caps(manager, request->requester->uid, 1);
        if (r < 0)
                return r;
        if (!manager->history)
                return -EIO;
        jobs_retry_records(manager);
        if (manager->unwritten.length > 0)
                return manager->unwritten_error; /* nothing new is begun while an end is not on disk */
        manager_rotate_history(manager);
        job = job_new(manager, request);
        g_free(job->message);
        job->message = message_of(manager, "");
        if (history_is_full(manager->history))
                return log_error_errno(-EOVERFLOW, "The history's sequence numbers are used up");
        record = queued_record(job, request);
        r = manager_record_numbered(manager, RECORD_QUEUED, json_object_get(record), &seq);
        if (r < 0)
                return log_event_errno(LFA_MESSAGE_RECORD_FAILED, r, guid_fields(manager, job->guid),
                                       "Cannot record a job");
        (void) json_get_u64(record, "timestamp", &job->queued_usec);
        job->terms.accepted_usec = job->queued_usec;
        end_file_remove(manager->settings->runtime_folder, (uint32_t) seq); /* another history's */
        if (job->when_allowed)
                scheduler_admit(job);
        enter_job(manager, job, (uint32_t) seq);
        remember_request(manager, job, request);
        log_event(LFA_MESSAGE_JOB_QUEUED, queued_fields(job),
                  "Job %u: activate %s (%s), %s -> %s, asked for by %s.", job->id, job->guid,
                  image_display_name(images_remember(manager, job->guid)), job->from, job->to, asker);
        if (job->state == JOB_WAITING)
                scheduler_tell_waiting(job);
        manager->observer->job_new(job, manager->userdata);
        manager_notify_status(manager);
        queue_schedule(manager);
        *ret = g_steal_pointer(&job);
        return 0;
}

Job *jobs_restore(Manager *manager, uint32_t id, const JobRequest *request, JobState state) {
        Job *job = job_new(manager, request);

        job->state = state;
        manager->last_batch = MAX(manager->last_batch, request->batch);
        enter_job(manager, job, id);
        return job;
}

void job_set_message(Job *job, const char *text) {
        Manager *manager = job->manager;
        g_autofree char *message = message_of(manager, text);

        if (strcmp(job->message, message) == 0)
                return;
        g_free(job->message);
        job->message = g_steal_pointer(&message);
        if (job->id > 0)
                manager->observer->job_changed(job, JOB_PROPERTY_MESSAGE, manager->userdata);
}

void job_set_state(Job *job, JobState state) {
        Manager *manager = job->manager;
        Image *image = manager_find_image(manager, job->guid);

        if (job->state == state)
                return;
        job->state = state;
        manager->observer->job_changed(job, JOB_PROPERTY_STATE, manager->userdata);
        if (image)
                image_refresh_state(manager, image);
        manager_notify_status(manager);
}

static void forget_job(Job *job) {
        Manager *manager = job->manager;

        g_queue_remove(&manager->finished, job);
        manager->observer->job_forgotten(job, manager->userdata);
        g_hash_table_remove(manager->jobs, GUINT_TO_POINTER(job->id));
}

static int on_forget(sd_event_source *source, uint64_t usec, void *userdata) {
        forget_job(userdata);
        return 0;
}

static void keep_for_a_while(Job *job) {
        Manager *manager = job->manager;
        int r;

        g_queue_push_tail(&manager->finished, job);
        r = sd_event_add_time_relative(manager->event, &job->forget_source, CLOCK_MONOTONIC,
                                       KEEP_FINISHED_USEC, USEC_PER_SEC, on_forget, job);
        if (r < 0)
                log_error_errno(r, "Cannot add a timer for job %u", job->id);
        while (manager->finished.length > FINISHED_JOBS_MAX)
                forget_job(manager->finished.head->data);
}

/* An end that could not be written, for the next try. */
typedef struct Unwritten {
        uint32_t job;
        json_object *record;
} Unwritten;

/* The report stays until the record is on disk: a restart settles the job from it, should all tries fail.
 * Takes the record. */
static bool write_end(Manager *manager, uint32_t job, json_object *record) {
        int r;

        if (!manager->history) {
                json_object_put(record);
                return true;
        }
        r = manager_record(manager, RECORD_FINISHED, json_object_get(record));
        if (r >= 0) {
                json_object_put(record);
                activation_report_remove(manager->settings->runtime_folder, job);
                end_file_remove(manager->settings->runtime_folder, job);
                return true;
        }
        if (manager->unwritten_error != r) /* it is tried again and again */
                log_event_errno(LFA_MESSAGE_RECORD_FAILED, r, log_add_u64(NULL, LFA_FIELD_JOB, job),
                                "Cannot record the end of job %u; trying again later", job);
        manager->unwritten_error = r;
        return false;
}

void jobs_retry_records(Manager *manager) {
        while (manager->unwritten.length > 0) {
                Unwritten *unwritten = manager->unwritten.head->data;

                if (!write_end(manager, unwritten->job, unwritten->record))
                        return;
                g_free(g_queue_pop_head(&manager->unwritten));
        }
        if (manager->unwritten_error == 0)
                return;
        log_event(LFA_MESSAGE_HISTORY_USABLE, NULL, "All that had ended is recorded now.");
        manager->unwritten_error = 0;
        manager_update_warnings(manager);
}

void jobs_drop_records(Manager *manager) {
        Unwritten *unwritten;

        while ((unwritten = g_queue_pop_head(&manager->unwritten))) {
                json_object_put(unwritten->record);
                g_free(unwritten);
        }
}

/* Nothing where nothing was measured: that is not the same as none. */
static void add_blackout(json_object *record, const Blackout *blackout) {
        if (!blackout->measured)
                return;
        json_add_u64(record, "blackout-usec", blackout->usec);
        json_add_u64(record, "blackout-count", blackout->count);
        json_add_u64(record, "blackout-sum-usec", blackout->sum_usec);
        json_add_u64(record, "blackout-floor-usec", blackout->floor_usec);
}

static void add_canceller(json_object *record, const Requester *canceller) {
        json_add_u64(record, "cancel-uid", canceller->uid);
        if (canceller->pid > 0)
                json_add_u64(record, "cancel-pid", canceller->pid);
        json_add_string(record, "cancel-unit", canceller->unit);
        if (canceller->logged_in)
                json_add_u64(record, "cancel-login-uid", canceller->login_uid);
}

static void keep_end(const Job *job, json_object *record) {
        int r = end_file_write(job->manager->settings->runtime_folder, job->id, record);

        if (r < 0)
                log_event_errno(LFA_MESSAGE_RECORD_FAILED, r, job_fields(job),
                                "Nor can the end of job %u be kept for the next lfad", job->id);
}

static void record_end(Job *job, json_object *record) {
        Manager *manager = job->manager;
        Unwritten *unwritten;

        if (!record)
                record = job_record(job);
        json_add_string(record, "result", job_result_to_string(job->result));
        json_add_string(record, "error", error_bus_name(job->error));
        json_add_string(record, "message", job->message);
        gate_mask_to_record(job->overridden, "overridden", record);
        if (job->terms.automatic) /* then it counts for more (core/state.h) */
                json_object_object_add(record, "automatic", json_object_new_boolean(true));
        json_add_string(record, "firmware-code", firmware_code_to_string(job->firmware_code));
        if (job->when_allowed && job->batch > 0) /* the others may outlive lfad (recovery.c) */
                json_add_u64(record, "batch", job->batch);
        json_add_u64(record, "uid", job->requester.uid);
        json_add_u64(record, "write-usec", job->write_usec);
        add_blackout(record, &job->blackout);
        if (job->cancel_asked)
                add_canceller(record, &job->canceller);
        if (job->cancel_sent && job->cancel_error >= 0)
                json_add_u64(record, "cancel-answer", (uint64_t) job->cancel_error);
        jobs_retry_records(manager); /* in their order */
        if (manager->unwritten.length == 0 && write_end(manager, job->id, record))
                return;
        if (job->when_allowed && job->started_usec == 0) /* else the next lfad would let it wait on */
                keep_end(job, record);
        unwritten = g_new(Unwritten, 1);
        *unwritten = (Unwritten){ job->id, record };
        g_queue_push_tail(&manager->unwritten, unwritten);
        manager_update_warnings(manager);
}

static void remember_end(Job *job) {
        Image *image = images_remember(job->manager, job->guid);
        unsigned changed = 0;

        if (image->last_result != job->result)
                changed |= IMAGE_PROPERTY_LAST_RESULT;
        if (image->last_error != job->error)
                changed |= IMAGE_PROPERTY_LAST_ERROR;
        if (image->last_firmware_code != job->firmware_code)
                changed |= IMAGE_PROPERTY_LAST_FIRMWARE_CODE;
        image->last_result = job->result;
        image->last_error = job->error;
        image->last_firmware_code = job->firmware_code;
        memcpy(image->last_to, job->to, sizeof(image->last_to));
        if (job->result == RESULT_SUCCEEDED || job->result == RESULT_UNVERIFIED) {
                image->last_activated_usec = job->finished_usec;
                changed |= IMAGE_PROPERTY_LAST_ACTIVATED;
        }
        image_changed(job->manager, image, changed);
}

static LogFields *end_fields(const Job *job) {
        LogFields *fields = add_requester(job_fields(job), &job->requester);

        fields = log_add(fields, LFA_FIELD_RESULT, job_result_to_string(job->result));
        fields = log_add(fields, LFA_FIELD_ERROR, error_bus_name(job->error));
        fields = log_add(fields, LFA_FIELD_FIRMWARE_CODE, firmware_code_to_string(job->firmware_code));
        if (job->write_usec > 0)
                fields = log_add_u64(fields, LFA_FIELD_WRITE_USEC, job->write_usec);
        if (job->blackout.measured)
                fields = log_add_u64(fields, LFA_FIELD_BLACKOUT_USEC, job->blackout.usec);
        return fields;
}

static void log_end(const Job *job) {
        static const MessageId messages[_JOB_RESULT_MAX] = {
                [RESULT_SUCCEEDED] = LFA_MESSAGE_JOB_SUCCEEDED,
                [RESULT_UNVERIFIED] = LFA_MESSAGE_JOB_UNVERIFIED,
                [RESULT_FAILED] = LFA_MESSAGE_JOB_FAILED,
                [RESULT_CANCELLED] = LFA_MESSAGE_JOB_CANCELLED,
                [RESULT_REFUSED] = LFA_MESSAGE_JOB_REFUSED,
                [RESULT_UNKNOWN] = LFA_MESSAGE_JOB_UNKNOWN,
        };

        log_event(messages[job->result], end_fields(job), "Job %u: %s%s%s%s%s", job->id,
                  job_result_to_string(job->result), job->error ? ", " : "", error_bus_name(job->error),
                  *job->message ? ": " : "", job->message);
}

/* What was asked for together stops together. */
static void end_batch(Manager *manager, const Job *ended) {
        g_autoptr(GPtrArray) jobs = NULL;

        if (ended->batch == 0 || !job_result_ends_batch(ended->result) ||
            ended->error == LFA_ERROR_PRECEDING_FAILED)
                return;
        jobs = manager_list_unstarted_jobs(manager);
        for (unsigned i = 0; i < jobs->len; i++)
                if (((Job *) jobs->pdata[i])->batch == ended->batch && !job_is_done(jobs->pdata[i]))
                        job_finish(jobs->pdata[i], RESULT_CANCELLED, LFA_ERROR_PRECEDING_FAILED, NULL, NULL);
}

void job_finish(Job *job, JobResult result, ErrorId error, const char *message, json_object *record) {
        Manager *manager = job->manager;
        Image *image;

        queue_drop(manager, job);
        job->result = result;
        job->error = error;
        g_free(job->message);
        job->message = message_of(manager, message ? message : error_text(error));
        job->finished_usec = clock_realtime(manager->clock);
        record_end(job, record);
        remember_end(job);
        log_end(job);

        job->state = JOB_DONE;
        image = manager_find_image(manager, job->guid);
        if (image) {
                image_refresh_state(manager, image);
                image_evaluate(manager, image);
        }
        images_evaluate_order(manager);
        manager->observer->job_changed(job,
                                       JOB_PROPERTY_STATE | JOB_PROPERTY_END |
                                                       (job_is_retryable(job) ? JOB_PROPERTY_RETRYABLE : 0) |
                                                       (job->firmware_code ? JOB_PROPERTY_FIRMWARE_CODE : 0),
                                       manager->userdata);
        manager->observer->job_ended(job, manager->userdata);
        keep_for_a_while(job);
        end_batch(manager, job);
        manager_notify_status(manager);
        queue_schedule(manager);
        manager_job_over(manager);
}

int manager_cancel_job(Manager *manager, Job *job, const Requester *by) {
        g_autofree char *asker = requester_to_text(by);
        bool is_first = !job->cancel_asked;
        int r = 0;

        if (job_is_done(job))
                return -ESRCH;
        if (is_first) { /* before: the record is written in here */
                job->cancel_asked = true;
                job->canceller = *by;
        }
        if (job->state == JOB_GUARDING)
                activation_abandon(job, RESULT_CANCELLED, LFA_ERROR_CANCELLED, NULL);
        else if (job_is_running(job))
                r = activation_cancel(job);
        else
                job_finish(job, RESULT_CANCELLED, LFA_ERROR_CANCELLED, NULL, NULL);
        if (r >= 0)
                log_event(LFA_MESSAGE_JOB_CANCEL_ASKED, add_requester(job_fields(job), by),
                          "Job %u: %s asked to cancel it.", job->id, asker);
        else if (is_first)
                job->cancel_asked = false; /* too late: it was nobody's doing */
        return r;
}
