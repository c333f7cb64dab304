/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The queue: one activation at a time, in the order of acceptance, but an image that must go first (After=)
 * goes first. That is planned anew whenever a job is taken up: each success may change what is pending. A job
 * is taken up on a fresh reading of the tree, when the gates let it. */

#include "daemon/manager.h"
#include "util/log.h"
#include "util/macros.h"

/* A reading may be this old when a job is taken up, but no older than the end of the last activation, which may
 * have changed everything; the worker looks once more right before it writes. */
#define FRESH_USEC USEC_PER_SEC

static void take_up(Manager *manager, bool is_fresh);

static int on_queue(sd_event_source *source, void *userdata) {
        take_up(userdata, false);
        return 0;
}

void queue_schedule(Manager *manager) {
        int r;

        scheduler_look_again(manager->scheduler);
        if (manager->queue_source) {
                (void) sd_event_source_set_enabled(manager->queue_source, SD_EVENT_ONESHOT);
                return;
        }
        r = sd_event_add_defer(manager->event, &manager->queue_source, on_queue, manager);
        if (r < 0) {
                log_error_errno(r, "Cannot schedule the queue");
                return;
        }
        (void) sd_event_source_set_description(manager->queue_source, "queue");
}

void queue_drop(Manager *manager, Job *job) {
        g_queue_remove(&manager->queue, job);
        g_queue_remove(&manager->waiting, job);
        if (manager->current == job) {
                manager->current = NULL;
                manager->observer->manager_changed(MANAGER_PROPERTY_CURRENT_JOB |
                                                                   MANAGER_PROPERTY_ACTIVATING,
                                                   manager->userdata);
        }
}

void queue_forget_patience(Manager *manager) {
        Job *job = g_queue_peek_head(&manager->queue);

        if (job)
                job->taken_up_usec = 0;
}

static int on_queue_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        take_up(userdata, false);
        return 0;
}

static void look_again_at(Manager *manager, uint64_t usec) {
        int r;

        if (manager->queue_timer) {
                (void) sd_event_source_set_time(manager->queue_timer, usec);
                (void) sd_event_source_set_enabled(manager->queue_timer, SD_EVENT_ONESHOT);
                return;
        }
        r = sd_event_add_time(manager->event, &manager->queue_timer, CLOCK_MONOTONIC, usec, USEC_PER_MSEC,
                              on_queue_timer, manager);
        if (r < 0)
                log_error_errno(r, "Cannot add the queue's timer");
}

static void on_fresh(int error, void *userdata) {
        Manager *manager = userdata;
        Job *job = g_queue_peek_head(&manager->queue);

        manager->queue_waits_for_scan = false;
        if (!job || job->id != manager->queue_reads_for)
                take_up(manager, false); /* the one that it was made for is gone */
        else if (error >= 0)
                take_up(manager, true); /* however long the reading took */
        else if (error != -ECANCELED)
                job_finish(job, RESULT_REFUSED, LFA_ERROR_KERNEL_BUSY,
                           "The driver's tree could not be read.", NULL);
}

/* What must go first may have been staged right before the job was asked for, and the worker looks at the job's
 * own image only. */
static uint64_t reading_wanted_since(const Manager *manager, const Job *job) {
        uint64_t now = clock_monotonic(manager->clock);
        uint64_t since = MAX(now > FRESH_USEC ? now - FRESH_USEC : 0, manager->tree_stable_since_usec);

        return order_has_first(manager->config->order, job->guid) ? MAX(since, job->taken_up_usec) : since;
}

bool queue_wait_for_reading(Manager *manager, const Job *job, ScanWaiter waiter, void *userdata) {
        return scanner_wait(manager->scanner, reading_wanted_since(manager, job), waiter, userdata);
}

static bool reading_is_fresh(Manager *manager, const Job *job) {
        if (manager->queue_waits_for_scan)
                return false;
        manager->queue_reads_for = job->id;
        manager->queue_waits_for_scan = true; /* before: a scan that cannot be started answers at once */
        if (!queue_wait_for_reading(manager, job, on_fresh, manager))
                return false;
        manager->queue_waits_for_scan = false;
        return true;
}

static void say_why(Manager *manager, const char *text) {
        if (g_strcmp0(manager->queue_waits_why, text) == 0)
                return;
        g_free(manager->queue_waits_why);
        manager->queue_waits_why = g_strdup(text);
        manager_notify_status(manager);
}

/* Waits, ends the job or lets it wait elsewhere, or says that it may go. */
static bool pass_gates(Manager *manager, Job *job) {
        Image *image = images_remember(manager, job->guid);
        g_autofree char *overdue = scheduler_find_overdue(job);
        GateVerdict verdicts[_GATE_MAX];
        const GateVerdict *refusal;

        if (overdue) {
                job_finish(job, RESULT_REFUSED, LFA_ERROR_DEADLINE_REACHED, overdue, NULL);
                return false;
        }
        manager_run_gates(manager, image, job, &job->terms, verdicts);
        refusal = gates_decide(verdicts);
        say_why(manager, refusal && refusal->answer == GATE_WAIT ? refusal->text : NULL);
        if (!refusal)
                return true;
        if (refusal->answer == GATE_DEFER && job->when_allowed)
                scheduler_wait(job, (GateId) (refusal - verdicts), refusal);
        else if (refusal->answer != GATE_WAIT)
                job_finish(job, RESULT_REFUSED, refusal->error, refusal->text, NULL);
        else if (refusal->retry_at_usec != UINT64_MAX)
                look_again_at(manager, refusal->retry_at_usec);
        return false;
}

/* The images of queued jobs that others wait for. */
static GPtrArray *list_waited_for(const Manager *manager) {
        GPtrArray *guids = g_ptr_array_new();

        for (GList *link = manager->queue.head; link; link = link->next) {
                Job *job = link->data;
                const Image *image = manager_find_image(manager, job->guid);

                if (image && image_is_waited_for(image))
                        g_ptr_array_add(guids, job->guid);
        }
        return guids;
}

/* Moves the job whose turn it is to the head: the oldest one, or one whose image must go before that one's.
 * Returns it, or NULL. */
static Job *plan(Manager *manager) {
        Job *oldest = g_queue_peek_head(&manager->queue), *job;
        g_autoptr(GPtrArray) waited_for = NULL, first = NULL;

        if (!oldest || order_is_empty(manager->config->order))
                return oldest;
        waited_for = list_waited_for(manager);
        first = order_find_first(manager->config->order, oldest->guid, waited_for);
        if (first->len == 0)
                return oldest;
        job = manager_find_queued_job_of_image(manager, first->pdata[0]);
        oldest->taken_up_usec = 0; /* its patience begins when its turn has come */
        g_queue_remove(&manager->queue, job);
        g_queue_push_head(&manager->queue, job);
        return job;
}

static void set_current(Manager *manager, Job *job) {
        manager->current = job;
        manager->observer->manager_changed(MANAGER_PROPERTY_CURRENT_JOB, manager->userdata);
}

void queue_put_back(Manager *manager, Job *job) {
        set_current(manager, NULL);
        g_queue_push_head(&manager->queue, job);
        job->taken_up_usec = 0;
        job_set_state(job, JOB_QUEUED);
}

static void take_up(Manager *manager, bool is_fresh) {
        Job *job;

        if (manager->current || manager->foreign_activation || manager->stopping || !manager->ready ||
            !guard_is_idle(manager->guard))
                return;
        job = plan(manager);
        if (!job)
                return;
        if (job->taken_up_usec == 0)
                job->taken_up_usec = clock_monotonic(manager->clock);
        if (!is_fresh && !reading_is_fresh(manager, job))
                return;
        jobs_retry_records(manager);
        if (!pass_gates(manager, job))
                return;
        set_current(manager, g_queue_pop_head(&manager->queue));
        if (activation_begin(manager, job) == -EBUSY) {
                /* Until the worker that holds the lock has ended. */
                queue_put_back(manager, job);
                activation_watch_foreign(manager);
        }
}
