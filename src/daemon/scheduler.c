/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs that wait for gates. Here they are judged as a call would be, by what is known; what is found is only whether it is
 * worth taking them up: the queue reads the tree anew and runs the gates for them as for any other job. So nothing is
 * refused on an old reading, and a job that a gate denies by now ends there. */

#include "daemon/scheduler.h"
#include "daemon/automatic.h"
#include "daemon/log-fields.h"
#include "daemon/manager.h"
#include "daemon/wall-timer.h"
#include "util/macros.h"

#include <time.h>

/* A job that came back from its turn for a reason that is not to be seen from here (logind refused its lock) is not taken
 * up again before. */
#define REST_USEC (60 * USEC_PER_SEC)
/* Each time it rests twice as long, so many times: up to 32 min. */
#define RESTS_MAX 5

struct Scheduler {
        Manager *manager; /* the owner; weak */
        sd_event_source *look_source;
        sd_event_source *rest_timer;
        WallTimer *timer; /* NULL when there is none: then polls and changes must do */
};

/* --- when to look next */

static uint64_t next_of_waiting_jobs(const Manager *manager, uint64_t now_usec) {
        uint64_t next = UINT64_MAX;

        for (GList *link = manager->waiting.head; link; link = link->next) {
                const Job *job = link->data;

                if (job->deadline_usec > now_usec)
                        next = MIN(next, job->deadline_usec);
                if (job->not_before_usec > now_usec)
                        next = MIN(next, job->not_before_usec);
        }
        return next;
}

/* Each: the next moment after now, CLOCK_REALTIME in µs, at which something that gates judge is otherwise without anybody
 * doing anything; UINT64_MAX = none. Then all images and all jobs that wait are judged anew. */
static uint64_t (*const next_moments[])(const Manager *manager, uint64_t now_usec) = {
        next_of_waiting_jobs,
        manager_next_hold_end,
        automatic_next_moment,
        manager_next_schedule_change,
};

static void set_timer(Scheduler *scheduler) {
        uint64_t now = clock_realtime(scheduler->manager->clock), next = UINT64_MAX;
        int r;

        for (size_t i = 0; i < G_N_ELEMENTS(next_moments); i++) {
                uint64_t moment = next_moments[i](scheduler->manager, now);

                next = MIN(next, moment);
        }
        r = scheduler->timer ? wall_timer_set(scheduler->timer, next) : 0;
        if (r < 0)
                log_error_errno(r, "Cannot set the timer of what waits");
}

static void on_moment(bool clock_was_set, void *userdata) {
        Scheduler *scheduler = userdata;

        if (clock_was_set)
                log_notice("The clock was set.");
        manager_review_holds(scheduler->manager);
        images_evaluate(scheduler->manager); /* and, by that, what waits */
}

static int on_rested(sd_event_source *source, uint64_t usec, void *userdata) {
        scheduler_look_again(userdata);
        return 0;
}

static void wake_after_rest(Scheduler *scheduler, uint64_t usec) {
        scheduler->rest_timer = sd_event_source_disable_unref(scheduler->rest_timer);
        if (sd_event_add_time(scheduler->manager->event, &scheduler->rest_timer, CLOCK_MONOTONIC, usec,
                              USEC_PER_SEC, on_rested, scheduler) < 0)
                log_warning("Cannot add a timer for jobs that wait.");
}

/* --- judging */

/* What a job says of itself while it waits. */
static void note_refusal(Job *job, GateId gate, const GateVerdict *refusal) {
        g_autofree char *text = gate_describe_refusal(refusal);

        job->waits_for = gate_to_string(gate);
        job->not_before_usec = refusal->not_before_usec;
        job_set_message(job, text);
}

/* The gate that defers it, or _GATE_INVALID. */
static GateId find_deferring(Job *job, GateVerdict verdicts[static _GATE_MAX]) {
        Manager *manager = job->manager;
        const GateVerdict *refusal;

        manager_run_gates(manager, images_remember(manager, job->guid), NULL, &job->terms, verdicts);
        refusal = gates_find_refusal(verdicts);
        return refusal && refusal->answer == GATE_DEFER ? (GateId) (refusal - verdicts) : _GATE_INVALID;
}

void scheduler_admit(Job *job) {
        GateVerdict verdicts[_GATE_MAX];
        GateId gate = find_deferring(job, verdicts);

        if ((int) gate < 0)
                return;
        note_refusal(job, gate, &verdicts[gate]);
        job->state = JOB_WAITING;
}

char *scheduler_find_overdue(const Job *job) {
        g_autofree char *deadline = NULL;

        if (job->deadline_usec == 0 || clock_realtime(job->manager->clock) < job->deadline_usec)
                return NULL;
        deadline = gate_time_to_text(job->deadline_usec);
        if (job->state == JOB_WAITING && job->waits_for)
                return g_strdup_printf("Until its deadline, %s, gate %s deferred it: %s", deadline,
                                       job->waits_for, job->message);
        return g_strdup_printf("Its deadline, %s, came before its turn.", deadline);
}

void scheduler_tell_waiting(const Job *job) {
        LogFields *fields = log_add(job_fields(job), LFA_FIELD_GATE, job->waits_for);

        if (job->not_before_usec > 0)
                fields = log_add_u64(fields, LFA_FIELD_NOT_BEFORE_USEC, job->not_before_usec);
        log_event(LFA_MESSAGE_JOB_WAITING, fields, "Job %u: waits for gate %s: %s", job->id, job->waits_for,
                  job->message);
}

static void take_up(Job *job) {
        Manager *manager = job->manager;

        g_queue_remove(&manager->waiting, job);
        g_queue_push_tail(&manager->queue, job);
        job->waits_for = NULL;
        job->not_before_usec = job->rest_until_usec = 0;
        log_detail(LOG_INFO, job_fields(job), "Job %u: no gate defers it any more.", job->id);
        job_set_message(job, "");
        job_set_state(job, JOB_QUEUED);
        queue_schedule(manager);
}

/* Returns until when it rests, UINT64_MAX = it does not. */
static uint64_t judge(Job *job) {
        Manager *manager = job->manager;
        g_autofree char *overdue = NULL;
        GateVerdict verdicts[_GATE_MAX];
        GateId gate = _GATE_INVALID;
        bool is_known = manager->driver_state != DRIVER_UNKNOWN;

        if (is_known)
                gate = find_deferring(job, verdicts);
        if ((int) gate >= 0) {
                job->rest_until_usec = job->rests = 0; /* it can be seen from here */
                note_refusal(job, gate, &verdicts[gate]);
        }
        overdue = scheduler_find_overdue(job);
        if (overdue)
                job_finish(job, RESULT_REFUSED, LFA_ERROR_DEADLINE_REACHED, overdue, NULL);
        else if ((int) gate >= 0 || !is_known)
                return UINT64_MAX;
        else if (job->rest_until_usec > clock_monotonic(manager->clock))
                return job->rest_until_usec;
        else
                take_up(job);
        return UINT64_MAX;
}

static int on_look(sd_event_source *source, void *userdata) {
        Scheduler *scheduler = userdata;
        Manager *manager = scheduler->manager;
        g_autoptr(GPtrArray) jobs = manager_list_unstarted_jobs(manager);
        uint64_t rest_until = UINT64_MAX;

        if (!manager->ready || manager->stopping)
                return 0;
        for (unsigned i = 0; i < jobs->len; i++) {
                Job *job = jobs->pdata[i];
                uint64_t until = job->state == JOB_WAITING ? judge(job) : UINT64_MAX;

                rest_until = MIN(rest_until, until);
        }
        if (rest_until != UINT64_MAX)
                wake_after_rest(scheduler, rest_until);
        automatic_run(manager);
        set_timer(scheduler);
        return 0;
}

void scheduler_look_again(Scheduler *scheduler) {
        int r;

        if (scheduler->look_source) {
                (void) sd_event_source_set_enabled(scheduler->look_source, SD_EVENT_ONESHOT);
                return;
        }
        r = sd_event_add_defer(scheduler->manager->event, &scheduler->look_source, on_look, scheduler);
        if (r < 0)
                log_error_errno(r, "Cannot look at what waits");
}

void scheduler_wait(Job *job, GateId gate, const GateVerdict *refusal) {
        Manager *manager = job->manager;

        queue_drop(manager, job);
        g_queue_push_tail(&manager->waiting, job);
        job->taken_up_usec = 0;
        job->put_back = 0;
        job->rest_until_usec = clock_monotonic(manager->clock) + (REST_USEC << MIN(job->rests, RESTS_MAX));
        job->rests++;
        if (refusal) {
                note_refusal(job, gate, refusal);
                scheduler_tell_waiting(job);
        }
        job_set_state(job, JOB_WAITING);
        queue_schedule(manager); /* the others go on */
}

Scheduler *scheduler_new(Manager *manager) {
        Scheduler *scheduler = g_new0(Scheduler, 1);
        int r;

        scheduler->manager = manager;
        r = wall_timer_new(manager->event, on_moment, scheduler, &scheduler->timer);
        if (r < 0)
                log_error_errno(r, "Cannot make a timer by the clock");
        return scheduler;
}

void *scheduler_free(Scheduler *scheduler) {
        if (scheduler) {
                sd_event_source_disable_unref(scheduler->look_source);
                sd_event_source_disable_unref(scheduler->rest_timer);
                wall_timer_free(scheduler->timer);
                g_free(scheduler);
        }
        return NULL;
}
