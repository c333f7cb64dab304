/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* At start: what an earlier lfad left. Its jobs that never began end cancelled, or wait on, one that had begun is
 * followed while its worker runs, else judged from the report, the lock and the boot id. Exactly one
 * "finished" for each "queued". */

#include "core/enum-names.h"
#include "core/verdict.h"
#include "daemon/activation-lock.h"
#include "daemon/conclude.h"
#include "daemon/end-file.h"
#include "daemon/history-query.h"
#include "daemon/history-visit.h"
#include "daemon/log-fields.h"
#include "daemon/manager.h"

/* How far back a start looks; from where the activation that has no end was asked for, if there is one. The other jobs
 * that have none are at most 64, and waited for it. */
#define LINES_READ 4096

/* What the history says of a job that has no end. */
typedef struct Unfinished {
        uint32_t id;
        char guid[GUID_STRING_SIZE];
        char from[VERSION_SIZE], to[VERSION_SIZE];
        ActivationTerms terms;
        bool when_allowed, deadline_given;
        uint64_t deadline_usec;
        uint32_t batch;
        char *reason;
        char *request_id;
        char *boot_id;
        Requester requester;
        uint64_t queued_usec, started_usec; /* 0 = not started */
} Unfinished;

static void unfinished_free(void *pointer) {
        Unfinished *unfinished = pointer;

        g_free(unfinished->reason);
        g_free(unfinished->request_id);
        g_free(unfinished->boot_id);
        g_free(unfinished);
}

static const char *string_or_empty(json_object *record, const char *key) {
        const char *text = "";

        (void) json_get_string(record, key, &text);
        return text;
}

static uint32_t u32_or_zero(json_object *record, const char *key) {
        uint64_t value = 0;

        (void) json_get_u64(record, key, &value);
        return value <= UINT32_MAX ? (uint32_t) value : 0;
}

static void copy_version(json_object *record, const char *key, char ret[static VERSION_SIZE]) {
        if (version_parse(string_or_empty(record, key), ret) < 0)
                ret[0] = 0;
}

static bool is_this_boot(Manager *manager, json_object *record) {
        return strcmp(string_or_empty(record, "boot-id"), history_boot_id(manager->history)) == 0;
}

/* What was known when lfad last looked: what moved while it was away is found when it looks again. */
static void read_known_values(Manager *manager, json_object *record, Image *image, const char *version_key,
                              int8_t pending) {
        if (*string_or_empty(record, version_key))
                copy_version(record, version_key, image->values.current_version);
        /* Whether something is pending says nothing any more after a boot. */
        image->values.pending = is_this_boot(manager, record) ? pending : -1;
}

static JobRequest make_request(const Unfinished *entry) {
        return (JobRequest){
                .guid = entry->guid,
                .from = entry->from,
                .to = entry->to,
                .terms = entry->terms,
                .when_allowed = entry->when_allowed,
                .deadline_usec = entry->deadline_usec,
                .deadline_given = entry->deadline_given,
                .requester = &entry->requester,
                .reason = entry->reason,
                .request_id = entry->request_id,
                .batch = entry->batch,
        };
}

/* A caller whose reply was lost with the old lfad asks the new one. */
static void remember_request(Manager *manager, const Unfinished *entry) {
        JobRequest request = make_request(entry);
        g_autofree char *arguments = request_arguments(&request);
        KnownRequest known = {
                .uid = entry->requester.uid,
                .request_id = entry->request_id,
                .arguments = arguments,
                .job = entry->id,
        };

        if (!*entry->request_id)
                return;
        memcpy(known.guid, entry->guid, sizeof(known.guid));
        memcpy(known.from, entry->from, sizeof(known.from));
        memcpy(known.to, entry->to, sizeof(known.to));
        request_ids_add(manager->request_ids, &known);
}

/* A job that may wait has a deadline: without one it has come. */
static void read_waiting(json_object *record, Unfinished *entry) {
        bool is_default = false;

        (void) json_get_bool(record, "when-allowed", &entry->when_allowed);
        if (!entry->when_allowed)
                return;
        entry->deadline_usec = 1;
        (void) json_get_u64(record, "deadline", &entry->deadline_usec);
        (void) json_get_bool(record, "deadline-default", &is_default);
        entry->deadline_given = !is_default;
        entry->batch = u32_or_zero(record, "batch");
}

static void read_queued(Manager *manager, GHashTable *unfinished, json_object *record) {
        const char *guid = string_or_empty(record, "guid");
        uint32_t id = u32_or_zero(record, "seq");
        Unfinished *entry;

        if (id == 0 || !guid_is_valid(guid))
                return;
        entry = g_new0(Unfinished, 1);
        entry->id = id;
        memcpy(entry->guid, guid, GUID_STRING_SIZE);
        copy_version(record, "from", entry->from);
        copy_version(record, "to", entry->to);
        entry->reason = g_strdup(string_or_empty(record, "reason"));
        entry->request_id = g_strdup(string_or_empty(record, "request-id"));
        entry->boot_id = g_strdup(string_or_empty(record, "boot-id"));
        requester_from_record(record, &entry->requester);
        (void) terms_from_record(record, &entry->terms);
        read_waiting(record, entry);
        (void) json_get_u64(record, "timestamp", &entry->queued_usec);
        remember_request(manager, entry);
        read_known_values(manager, record, images_remember(manager, guid), "from", 1);
        g_hash_table_replace(unfinished, GUINT_TO_POINTER(id), entry);
}

static void read_started(GHashTable *unfinished, json_object *record) {
        Unfinished *entry = g_hash_table_lookup(unfinished, GUINT_TO_POINTER(u32_or_zero(record, "job")));

        if (!entry)
                return;
        g_free(entry->boot_id);
        entry->boot_id = g_strdup(string_or_empty(record, "boot-id"));
        if (json_get_u64(record, "timestamp", &entry->started_usec) < 0)
                entry->started_usec = 1;
}

static void read_finished(Manager *manager, json_object *record) {
        const char *guid = string_or_empty(record, "guid");
        JobResult result = job_result_from_string(string_or_empty(record, "result"));
        uint64_t pending_after = 1, error = 1;
        bool repeat = false, has_pending;
        uint32_t row;
        Image *image;

        if (!guid_is_valid(guid) || (int) result < 0)
                return;
        image = images_remember(manager, guid);
        image->last_result = result;
        image->last_error = error_from_bus_name(string_or_empty(record, "error"));
        image->last_firmware_code = firmware_code_from_string(string_or_empty(record, "firmware-code"));
        if (result == RESULT_SUCCEEDED || result == RESULT_UNVERIFIED)
                (void) json_get_u64(record, "timestamp", &image->last_activated_usec);
        (void) json_get_u64(record, "errno", &error);
        has_pending = json_get_u64(record, "pending-after", &pending_after) >= 0;
        if (has_pending) {
                if (error == 0 && pending_after == 0)
                        image->pending_fell_before = true;
                read_known_values(manager, record, image, "version-after", pending_after == 1);
        }
        row = u32_or_zero(record, "verdict-row");
        if (row != 0 && row != VERDICT_NOTHING_WRITTEN) /* 0: it never began */
                image->unsettled_job = verdict_is_open(result, has_pending ? pending_after == 1 : -1,
                                                       string_or_empty(record, "version-after"),
                                                       string_or_empty(record, "to"))
                                                       ? u32_or_zero(record, "job")
                                                       : 0;
        if (row != 0) { /* a job that never began says nothing about the one before it */
                (void) json_get_bool(record, "repeat", &repeat);
                image->repeat = repeat && is_this_boot(manager, record);
        }
        copy_version(record, "to", image->last_to);
}

static void read_outside_change(Manager *manager, json_object *record) {
        const char *guid = string_or_empty(record, "guid");
        bool pending = false;
        Image *image;

        if (!guid_is_valid(guid))
                return;
        image = images_remember(manager, guid);
        image->repeat = false;
        image->unsettled_job = 0;
        (void) json_get_bool(record, "pending", &pending);
        read_known_values(manager, record, image, "to", pending);
}

static void read_vanished(Manager *manager, json_object *record) {
        const char *guid = string_or_empty(record, "guid");
        bool lost = false;
        uint64_t tree = 0;

        (void) json_get_bool(record, "lost", &lost);
        (void) json_get_u64(record, "tree", &tree);
        if (guid_is_valid(guid)) /* a later one may take an earlier one back */
                images_remember(manager, guid)->lost_tree = lost && is_this_boot(manager, record) ? tree : 0;
}

/* What is gathered while the history is read. */
typedef struct Recovery {
        Manager *manager;
        GHashTable *unfinished; /* job's id -> Unfinished, owned */
        GHashTable *failed;     /* batches that are not gone on with */
} Recovery;

static void note_end_in_batch(const Recovery *recovery, uint32_t batch, JobResult result) {
        if (batch > 0 && (int) result >= 0 && job_result_ends_batch(result))
                g_hash_table_add(recovery->failed, GUINT_TO_POINTER(batch));
}

static int read_record(json_object *record, uint64_t seq, void *userdata) {
        const Recovery *recovery = userdata;
        Manager *manager = recovery->manager;
        GHashTable *unfinished = recovery->unfinished;

        switch (record_type_from_string(string_or_empty(record, "type"))) {
        case RECORD_QUEUED:
                read_queued(manager, unfinished, record);
                /* What failed before was another one with its number. */
                g_hash_table_remove(recovery->failed, GUINT_TO_POINTER(u32_or_zero(record, "batch")));
                break;
        case RECORD_STARTED:
                read_started(unfinished, record);
                break;
        case RECORD_FINISHED:
                g_hash_table_remove(unfinished, GUINT_TO_POINTER(u32_or_zero(record, "job")));
                read_finished(manager, record);
                note_end_in_batch(recovery, u32_or_zero(record, "batch"),
                                  job_result_from_string(string_or_empty(record, "result")));
                break;
        case RECORD_SETTLED:
        case RECORD_EXTERNAL:
                read_outside_change(manager, record);
                break;
        case RECORD_VANISHED:
                read_vanished(manager, record);
                break;
        default:
                break;
        }
        return 0;
}

static Job *restore_job(Manager *manager, const Unfinished *entry) {
        JobRequest request = make_request(entry);
        Job *job = jobs_restore(manager, entry->id, &request,
                                entry->when_allowed && entry->started_usec == 0 ? JOB_WAITING : JOB_QUEUED);

        job->queued_usec = job->terms.accepted_usec = entry->queued_usec;
        job->started_usec = entry->started_usec;
        return job;
}

/* An error is no proof that the worker has ended. */
static bool worker_still_runs(Manager *manager) {
        int fd = activation_lock_take(manager->settings->runtime_folder);

        if (fd < 0)
                return true;
        close(fd);
        return false;
}

/* Which of the jobs that were begun is the one whose worker holds the lock: the one it wrote into the lock;
 * else, since only one runs at a time, the newest. NULL when none can be. */
static const Unfinished *find_running(Manager *manager, const GPtrArray *entries) {
        const Unfinished *newest = NULL;
        uint32_t job;

        (void) activation_lock_holder(manager->settings->runtime_folder, &job);
        for (unsigned i = 0; i < entries->len; i++) {
                const Unfinished *entry = entries->pdata[i];

                if (entry->started_usec == 0 ||
                    strcmp(entry->boot_id, history_boot_id(manager->history)) != 0)
                        continue;
                if (entry->id == job)
                        return entry;
                newest = entry;
        }
        return newest;
}

/* A worker of this boot that has ended: what it came to. */
static void conclude(Job *job) {
        Manager *manager = job->manager;
        ActivationReport report;
        int r = activation_report_read(manager->settings->runtime_folder, job->id,
                                       history_boot_id(manager->history), &report);

        job_conclude(job, r >= 0 ? &report : NULL, false);
}

/* As it ended before, which could not be recorded. Takes the record. */
static void end_as_before(Job *job, json_object *record) {
        JobResult result = job_result_from_string(string_or_empty(record, "result"));
        g_autofree char *message = g_strdup(string_or_empty(record, "message"));

        job_finish(job, (int) result < 0 ? RESULT_CANCELLED : result,
                   error_from_bus_name(string_or_empty(record, "error")), message, record);
}

/* It never began. */
static void end_or_wait(Job *job, bool this_boot) {
        const char *folder = job->manager->settings->runtime_folder;
        json_object *end = job->when_allowed && this_boot ? end_file_read(folder, job->id, job->guid) : NULL;

        if (end)
                end_as_before(job, end);
        else if (!job->when_allowed)
                job_finish(job, RESULT_CANCELLED, LFA_ERROR_DAEMON_RESTARTED, NULL, NULL);
        else if (!this_boot)
                job_finish(job, RESULT_CANCELLED, LFA_ERROR_DAEMON_RESTARTED,
                           "The host restarted while the job waited: what is pending now may be something else.",
                           NULL);
        else
                log_detail(LOG_INFO, job_fields(job), "Job %u: waits still.", job->id);
}

static void settle(const Recovery *recovery, const Unfinished *entry, bool is_running) {
        Manager *manager = recovery->manager;
        bool this_boot = strcmp(entry->boot_id, history_boot_id(manager->history)) == 0;
        Job *job = restore_job(manager, entry);

        if (is_running) {
                log_event(LFA_MESSAGE_WORKER_FOLLOWED, job_fields(job),
                          "Job %u: its activation still runs; following it.", job->id);
                activation_adopt(manager, job); /* the guard says when it is over */
                return;
        }
        if (entry->started_usec == 0)
                end_or_wait(job, this_boot);
        else if (this_boot)
                conclude(job);
        else
                job_conclude(job, NULL, true);
        if (job_is_done(job))
                note_end_in_batch(recovery, job->batch, job->result);
        if (this_boot) /* the guard may have been taken: nothing tells */
                manager->observer->preparing(job, false, manager->userdata);
}

/* What ended before the restart, or by it, ends the others as it does at any time (jobs.c). */
static void end_failed_batches(const Recovery *recovery) {
        g_autoptr(GPtrArray) jobs = manager_list_unstarted_jobs(recovery->manager);

        for (unsigned i = 0; i < jobs->len; i++) {
                Job *job = jobs->pdata[i];

                if (!job_is_done(job) &&
                    g_hash_table_contains(recovery->failed, GUINT_TO_POINTER(job->batch)))
                        job_finish(job, RESULT_CANCELLED, LFA_ERROR_PRECEDING_FAILED, NULL, NULL);
        }
}

static int compare_ids(const void *a, const void *b) {
        const Unfinished *left = *(Unfinished *const *) a, *right = *(Unfinished *const *) b;

        return (left->id > right->id) - (left->id < right->id);
}

static uint32_t find_newest_job(const History *history, RecordType type, uint32_t job) {
        const HistoryQuery query = {
                .guid = "", .type = record_type_to_string(type), .job = job, .limit = 1
        };
        g_autoptr(GPtrArray) records = history_query(history, &query);

        return records->len > 0 ? u32_or_zero(records->pdata[0], "job") : 0;
}

/* However much was recorded since: while a write goes on jobs may come and go. */
static void read_history(Recovery *recovery) {
        const History *history = recovery->manager->history;
        uint32_t begun = find_newest_job(history, RECORD_STARTED, 0);

        if (begun > 0 && find_newest_job(history, RECORD_FINISHED, begun) == 0)
                (void) history_visit(history, begun - MIN(begun, LINES_READ), read_record, recovery);
        else
                (void) history_visit_last(history, LINES_READ, read_record, recovery);
}

/* Jobs that waited may have been accepted before all that is read. */
static void take_kept_jobs(Recovery *recovery) {
        const GArray *jobs = recovery->manager->state->jobs;

        for (unsigned i = 0; i < jobs->len; i++) {
                const KeptJob *job = &g_array_index(jobs, KeptJob, i);
                Unfinished *entry = g_new0(Unfinished, 1);

                entry->id = job->id;
                memcpy(entry->guid, job->guid, sizeof(entry->guid));
                memcpy(entry->from, job->from, sizeof(entry->from));
                memcpy(entry->to, job->to, sizeof(entry->to));
                entry->terms = job->terms;
                entry->when_allowed = true;
                entry->deadline_given = !job->deadline_is_default;
                entry->deadline_usec = job->deadline_usec;
                entry->batch = job->batch;
                entry->reason = g_strdup(job->reason);
                entry->request_id = g_strdup(job->request_id);
                entry->boot_id = g_strdup(job->boot_id);
                entry->requester = (Requester){ .uid = job->uid,
                                                .pid = job->pid,
                                                .logged_in = job->logged_in,
                                                .login_uid = job->login_uid };
                requester_set_unit(&entry->requester, job->unit);
                entry->queued_usec = job->queued_usec;
                remember_request(recovery->manager, entry);
                g_hash_table_replace(recovery->unfinished, GUINT_TO_POINTER(entry->id), entry);
        }
}

void recovery_run(Manager *manager) {
        g_autoptr(GHashTable) unfinished = g_hash_table_new_full(NULL, NULL, NULL, unfinished_free);
        g_autoptr(GHashTable) failed = g_hash_table_new(NULL, NULL);
        g_autoptr(GPtrArray) entries = g_ptr_array_new();
        bool worker_runs = worker_still_runs(manager);
        Recovery recovery = { manager, unfinished, failed };
        const Unfinished *running = NULL;
        GHashTableIter iterator;
        void *value;

        if (manager->history) {
                take_kept_jobs(&recovery);
                read_history(&recovery);
        }
        g_hash_table_iter_init(&iterator, unfinished);
        while (g_hash_table_iter_next(&iterator, NULL, &value))
                g_ptr_array_add(entries, value);
        g_ptr_array_sort(entries, compare_ids);
        if (worker_runs)
                running = find_running(manager, entries);
        if (running) /* first: while it runs no other job may become the current one */
                settle(&recovery, running, true);
        for (unsigned i = 0; i < entries->len; i++)
                if (entries->pdata[i] != running)
                        settle(&recovery, entries->pdata[i], false);
        end_failed_batches(&recovery);
        if (worker_runs && !manager->current)
                activation_watch_foreign(manager);
}
