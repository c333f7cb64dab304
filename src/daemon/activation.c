/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One activation: lock, last gates, "started" on disk, worker, evidence. What the evidence proves:
 * conclude.c. */

#include "core/enum-names.h"
#include "daemon/activation-lock.h"
#include "daemon/conclude.h"
#include "daemon/log-fields.h"
#include "daemon/manager.h"
#include "util/macros.h"

/* The driver's own budgets are 40 s; a write that takes longer is worth a word. */
#define LONG_WRITE_USEC (60 * USEC_PER_SEC)
/* How often a job may find, with the guard held, that it has to wait. */
#define PUT_BACK_MAX 3

static void release_lock(Manager *manager) {
        manager->lock_fd = safe_close(manager->lock_fd);
}

static int on_long_write(sd_event_source *source, uint64_t usec, void *userdata) {
        Manager *manager = userdata;

        if (!manager->current)
                return 0;
        log_event(LFA_MESSAGE_WRITE_LONG, job_fields(manager->current),
                  "Job %u: the kernel has not returned from the activation of %s yet.", manager->current->id,
                  manager->current->guid);
        manager_notify_status(manager);
        (void) sd_event_source_set_time_relative(source, LONG_WRITE_USEC);
        (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        return 0;
}

void activation_watch_for_long_write(Manager *manager) {
        manager->long_write_timer = sd_event_source_disable_unref(manager->long_write_timer);
        if (sd_event_add_time_relative(manager->event, &manager->long_write_timer, CLOCK_MONOTONIC,
                                       LONG_WRITE_USEC, USEC_PER_SEC, on_long_write, manager) < 0)
                log_warning("Cannot add a timer for long activations.");
}

void activation_abandon(Job *job, JobResult result, ErrorId error, const char *message) {
        Manager *manager = job->manager;

        scanner_forget(manager->scanner, job);
        release_lock(manager);
        job_finish(job, result, error, message, NULL);
        guard_release(manager->guard, job);
        scanner_hold(manager->scanner, false);
}

static void refuse(Job *job, ErrorId error, const char *message) {
        activation_abandon(job, RESULT_REFUSED, error, message);
}

static void on_answer(const Answer *answer, void *userdata) {
        Job *job = userdata;

        if (answer->type != ANSWER_RESULT || answer->report.job != job->id ||
            strcmp(answer->report.guid, job->guid) != 0)
                return;
        job->report = answer->report;
        job->has_report = true;
}

static void on_ended(bool clean, void *userdata) {
        Job *job = userdata;
        Manager *manager = job->manager;

        job->worker = worker_process_free(job->worker);
        if (!job->has_report)
                job->has_report =
                                activation_report_read(manager->settings->runtime_folder, job->id,
                                                       history_boot_id(manager->history), &job->report) >= 0;
        job_conclude(job, job->has_report ? &job->report : NULL, false);
}

static const WorkerCallbacks worker_callbacks = { .answer = on_answer, .ended = on_ended };

static int start_worker(Manager *manager, Job *job) {
        g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *report_path = activation_report_path(manager->settings->runtime_folder, job->id);

        /* Where somebody removed the history, numbers begin anew, and so may their reports be somebody else's. */
        activation_report_remove(manager->settings->runtime_folder, job->id);
        g_ptr_array_add(arguments, g_strdup("activate"));
        g_ptr_array_add(arguments, g_strdup_printf("--guid=%s", job->guid));
        g_ptr_array_add(arguments, g_strdup_printf("--job=%u", job->id));
        g_ptr_array_add(arguments,
                        g_strdup_printf("--profile=%s", driver_profile_to_string(manager->profile)));
        g_ptr_array_add(arguments, g_strdup_printf("--kernel-log=%s", manager->settings->worker.kernel_log));
        g_ptr_array_add(arguments, g_strdup_printf("--report=%s", report_path));
        g_ptr_array_add(arguments, g_strdup_printf("--lock-fd=%d", WORKER_INHERITED_FD));
        g_ptr_array_add(arguments, g_strdup_printf("--from=%s", job->from));
        g_ptr_array_add(arguments, g_strdup_printf("--to=%s", job->to));
        return worker_process_start(manager->event, &manager->settings->worker, arguments, manager->lock_fd,
                                    &worker_callbacks, job, &job->worker);
}

/* The last look at the gates: nothing asynchronous lies between it and the worker's start. */
static const GateVerdict *last_gates(Manager *manager, Job *job, GateVerdict verdicts[static _GATE_MAX]) {
        manager_run_gates(manager, images_remember(manager, job->guid), job, &job->terms, verdicts);
        return gates_decide(verdicts);
}

static LogFields *overriding_fields(const Job *job) {
        LogFields *fields = add_requester(log_add(job_fields(job), LFA_FIELD_REASON, job->reason),
                                          &job->requester);

        for (int i = 0; i < _GATE_MAX; i++)
                if (job->overridden & (1U << i))
                        fields = log_add(fields, LFA_FIELD_GATE, gate_to_string((GateId) i));
        return fields;
}

/* What would have kept it from going, and was passed over. */
static void note_overridden(Job *job, const GateVerdict verdicts[static _GATE_MAX]) {
        g_autofree char *asker = requester_to_text(&job->requester), *gates = NULL;
        unsigned overridden = 0;

        for (int i = 0; i < _GATE_MAX; i++)
                if (verdicts[i].overridden)
                        overridden |= 1U << i;
        if (overridden == 0)
                return;
        job->overridden = overridden;
        gates = gate_mask_to_text(overridden);
        log_event(LFA_MESSAGE_GATE_OVERRIDDEN, overriding_fields(job), "Job %u: %s passes over gate %s: %s",
                  job->id, asker, gates, job->reason);
        job->manager->observer->job_changed(job, JOB_PROPERTY_OVERRIDDEN, job->manager->userdata);
}

/* Room for the records to come, then "started", on disk before the kernel is written to. */
static int record_start(Manager *manager, Job *job) {
        uint64_t now = clock_realtime(manager->clock);
        int r = history_reserve(manager->history);

        if (r >= 0)
                r = history_append(manager->history, RECORD_STARTED, job_record(job), NULL);
        if (r >= 0)
                job->started_usec = now; /* else it never began */
        return r;
}

/* The write begins. */
static void spawn(Manager *manager, Job *job) {
        int r = start_worker(manager, job);

        release_lock(manager); /* the worker's copy holds it */
        if (r < 0) {
                log_event_errno(LFA_MESSAGE_WORKER_FAILED, r, job_fields(job), "Cannot start %s",
                                manager->settings->worker.path);
                activation_abandon(job, RESULT_FAILED, LFA_ERROR_WORKER_FAILED, NULL);
                return;
        }
        log_event(LFA_MESSAGE_JOB_STARTED, add_requester(job_fields(job), &job->requester),
                  "Job %u: activating %s (%s), %s -> %s.", job->id, job->guid,
                  image_display_name(images_remember(manager, job->guid)), job->from, job->to);
        manager->observer->job_changed(job, JOB_PROPERTY_STARTED, manager->userdata);
        job_set_state(job, JOB_ACTIVATING);
        manager->observer->manager_changed(MANAGER_PROPERTY_ACTIVATING, manager->userdata);
        if (r > 0)
                activation_follow(manager);
        activation_watch_for_long_write(manager);
}

/* What has to be waited for again is waited for in the queue, but not for ever. */
static bool goes_back(Job *job, const GateVerdict *refusal) {
        Manager *manager = job->manager;

        if (refusal->answer != GATE_WAIT || ++job->put_back > PUT_BACK_MAX)
                return false;
        release_lock(manager);
        scanner_hold(manager->scanner, false);
        queue_put_back(manager, job);
        guard_release(manager->guard, job);
        return true;
}

void activation_put_off(Job *job, GateId gate, const GateVerdict *refusal) {
        Manager *manager = job->manager;

        scanner_forget(manager->scanner, job);
        release_lock(manager);
        scanner_hold(manager->scanner, false);
        scheduler_wait(job, gate, refusal);
        guard_release(manager->guard, job);
}

/* What a job comes to that found with the guard held that it may not go. */
static void turn_back(Job *job, const GateVerdict *verdicts, const GateVerdict *refusal) {
        if (refusal->answer == GATE_DEFER && job->when_allowed)
                activation_put_off(job, (GateId) (refusal - verdicts), refusal);
        else if (!goes_back(job, refusal))
                refuse(job, refusal->error, refusal->text);
}

static void go(Job *job) {
        g_autofree char *overdue = scheduler_find_overdue(job);
        Manager *manager = job->manager;
        GateVerdict verdicts[_GATE_MAX];
        const GateVerdict *refusal;
        int r;

        if (overdue) {
                refuse(job, LFA_ERROR_DEADLINE_REACHED, overdue);
                return;
        }
        scanner_hold(manager->scanner, true);
        refusal = last_gates(manager, job, verdicts);
        if (refusal) {
                turn_back(job, verdicts, refusal);
                return;
        }
        note_overridden(job, verdicts);
        r = record_start(manager, job);
        if (r < 0) {
                log_event_errno(LFA_MESSAGE_RECORD_FAILED, r, job_fields(job),
                                "Cannot record the start of job %u", job->id);
                refuse(job, r == -ENOSPC ? LFA_ERROR_DISK_FULL : LFA_ERROR_STATE_UNAVAILABLE, NULL);
                return;
        }
        spawn(manager, job);
}

static void on_reading(int error, void *userdata) {
        Job *job = userdata;

        if (error >= 0)
                go(job);
        else if (error != -ECANCELED) /* lfad ends */
                refuse(job, LFA_ERROR_KERNEL_BUSY, "The driver's tree could not be read.");
}

/* Taking the guard may have taken its time: what is read is to be fresh, and the patience with an unsettled tree begins
 * anew. */
static void on_guarded(Job *job) {
        job->taken_up_usec = clock_monotonic(job->manager->clock);
        if (queue_wait_for_reading(job->manager, job, on_reading, job))
                go(job);
}

int activation_begin(Manager *manager, Job *job) {
        int r = activation_lock_take(manager->settings->runtime_folder);

        if (r == -EBUSY)
                return r;
        job_set_state(job, JOB_GUARDING);
        if (r < 0) {
                log_error_errno(r, "Cannot take the activation lock");
                refuse(job, LFA_ERROR_STATE_UNAVAILABLE, NULL);
                return 0;
        }
        manager->lock_fd = r;
        guard_take(manager->guard, job, on_guarded);
        return 0;
}

static void on_cancel_ended(bool clean, void *userdata) {
        Job *job = userdata;

        job->cancel_worker = worker_process_free(job->cancel_worker);
}

static void on_cancel_answer(const Answer *answer, void *userdata) {
        Job *job = userdata;

        if (answer->type != ANSWER_END)
                return;
        job->cancel_error = answer->error;
        log_detail(LOG_INFO, job_fields(job),
                   "Job %u: the driver %s the cancellation; what the activation came to is seen when it ends.",
                   job->id, answer->error == 0 ? "took" : "did not take");
}

static const WorkerCallbacks cancel_callbacks = { .answer = on_cancel_answer, .ended = on_cancel_ended };

int activation_cancel(Job *job) {
        g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
        Manager *manager = job->manager;
        int r;

        if (job->state != JOB_ACTIVATING)
                return -ESRCH; /* the write is over */
        if (job->cancel_sent)
                return 0;
        g_ptr_array_add(arguments, g_strdup("cancel"));
        g_ptr_array_add(arguments, g_strdup_printf("--guid=%s", job->guid));
        r = worker_process_start(manager->event, &manager->settings->worker, arguments, -EBADF,
                                 &cancel_callbacks, job, &job->cancel_worker);
        if (r < 0)
                return log_event_errno(LFA_MESSAGE_WORKER_FAILED, r, job_fields(job),
                                       "Cannot start %s to cancel job %u", manager->settings->worker.path,
                                       job->id);
        job->cancel_sent = true;
        job->cancel_error = -1; /* no answer yet */
        return 0;
}
