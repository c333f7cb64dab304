/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manager's life: made, started, ready, stopped. */

#include "daemon/manager.h"
#include "daemon/config.h"
#include "daemon/device-events.h"
#include "daemon/inventory.h"
#include "daemon/state.h"
#include "util/log.h"
#include "util/macros.h"

#include <malloc.h>
#include <systemd/sd-daemon.h>

/* Callers are kept waiting for the first scan no longer than this; it may sleep behind an activation. */
#define READY_PATIENCE_USEC (5 * USEC_PER_SEC)

static void free_image(void *image) {
        g_free(image);
}

static void free_job(void *job) {
        job_free(job);
}

static void say_ready(Manager *manager) {
        if (manager->ready)
                return;
        manager->ready = true;
        manager->ready_timer = sd_event_source_disable_unref(manager->ready_timer);
        manager->observer->ready(manager->userdata);
        queue_schedule(manager);
}

static void on_tree_read(const Tree *tree, void *userdata) {
        Manager *manager = userdata;

        manager_check_zone(manager);
        jobs_retry_records(manager);
        manager_retry_state(manager);
        images_update(manager, tree);
        if ((manager->current && manager->current->state == JOB_ACTIVATING) || manager->foreign_activation)
                scanner_hold(manager->scanner, true);
        say_ready(manager);
}

/* Gates were judged by what was known of the host before. */
static void on_host(void *userdata) {
        images_evaluate(userdata);
}

static void on_watchdogs(int error, const WatchdogReading *reading, void *userdata) {
        if (error != -ECANCELED)
                images_evaluate(userdata);
}

/* For what waits, and for automatic mode; those who call have the host asked anew. */
void manager_ask_host(Manager *manager) {
        bool clock = manager_needs_clock(manager) && !host_clock_was_right_lately(manager->host);

        (void) (clock ? host_ask_with_clock : host_ask)(manager->host, clock_monotonic(manager->clock),
                                                        on_host, manager);
}

static void tell_monitor(const Manager *manager) {
        UeventMonitorState state = uevent_monitor_state(manager->uevents);

        if (state != UEVENTS_LISTENING)
                log_event(LFA_MESSAGE_MONITOR_DEAF, NULL,
                          "No uevents arrive here (monitor: %s); relying on the poll alone.",
                          uevent_monitor_state_to_string(state));
}

static void on_polled(void *userdata) {
        Manager *manager = userdata;
        UeventMonitorState before = uevent_monitor_state(manager->uevents);

        (void) sd_notify(false, "WATCHDOG=1");
        (void) malloc_trim(0); /* what reading the history took is not kept */
        jobs_retry_records(manager);
        settings_try_again(manager);       /* by the reading that follows */
        if (guard_is_idle(manager->guard)) /* else it is restored when the guard is released */
                envelope_retry(manager->envelope);
        manager_ask_host(manager);
        (void) watchdogs_ask(manager->watchdogs, on_watchdogs, manager);
        manager_rotate_history(manager);
        manager_notify_status(manager); /* "for 75 s" */
        if (uevent_monitor_check(manager->uevents) != before) {
                tell_monitor(manager);
                manager->observer->manager_changed(MANAGER_PROPERTY_UEVENT_MONITOR, manager->userdata);
        }
}

/* What was held back may go now, or the other way round. */
static void on_inhibitors_changed(void *userdata) {
        Manager *manager = userdata;

        images_evaluate(manager);
        queue_schedule(manager);
        guard_look_again(manager->guard);
}

static void on_envelope_idle(void *userdata) {
        guard_envelope_idle(((Manager *) userdata)->guard);
}

static void on_envelope_trouble(void *userdata) {
        manager_update_warnings(userdata);
}

static const EnvelopeCallbacks envelope_callbacks = { .idle = on_envelope_idle,
                                                      .trouble_changed = on_envelope_trouble };

static const ScannerCallbacks scanner_callbacks = { .tree_read = on_tree_read, .polled = on_polled };

Manager *manager_new(sd_event *event, const ManagerSettings *settings, const Clock *clock,
                     const ManagerObserver *observer, void *userdata) {
        Manager *manager = g_new0(Manager, 1);

        manager->event = sd_event_ref(event);
        manager->settings = settings;
        manager->clock = clock;
        manager->observer = observer;
        manager->userdata = userdata;
        manager->lock_fd = -EBADF;
        manager->config = config_new();
        manager->state = state_new();
        manager->warnings = warnings_new();
        manager->rotation_limit = (RateLimit){ .interval_usec = 3600 * USEC_PER_SEC, .burst = 1 };
        device_events_init(manager);
        manager->images = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_image);
        manager->request_ids = request_ids_new();
        manager->jobs = g_hash_table_new_full(NULL, NULL, NULL, free_job);
        manager->scanner = scanner_new(event, &settings->worker, clock, manager->config->poll_usec,
                                       &scanner_callbacks, manager);
        manager->host = host_new(settings->bus, clock);
        manager->guard = guard_new(manager);
        manager->scheduler = scheduler_new(manager);
        manager->inhibitors = inhibitors_new(event, settings->runtime_folder, clock, on_inhibitors_changed,
                                             manager);
        manager->watchdogs = watchdogs_new(event, settings->bus, &settings->worker, clock);
        manager->unit_watchdogs = unit_watchdogs_new(settings->bus, clock);
        manager->envelope = envelope_new(
                        &(EnvelopeSettings){ .event = event,
                                             .bus = settings->bus,
                                             .watchdogs = manager->watchdogs,
                                             .clock = clock,
                                             .runtime_folder = settings->runtime_folder,
                                             .config = (const Config *const *) &manager->config },
                        &envelope_callbacks, manager);
        return manager;
}

static int on_ready_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Manager *manager = userdata;

        log_event(LFA_MESSAGE_DRIVER_UNREADABLE, NULL,
                  "The first scan has not ended yet: the driver is busy, or stuck.");
        say_ready(manager);
        return 0;
}

int manager_start(Manager *manager) {
        int r;

        manager_load_config(manager);
        manager_read_host_id(manager);
        r = history_open(manager->settings->state_folder, manager->clock, &manager->history);
        if (r == -EBUSY)
                return log_error_errno(r, "Another lfad uses %s", manager->settings->state_folder);
        if (r < 0) {
                log_event_errno(LFA_MESSAGE_HISTORY_UNUSABLE, r, NULL,
                                "Cannot open the history in %s; nothing will be activated",
                                manager->settings->state_folder);
                manager_update_warnings(manager);
        }
        manager_load_state(manager);
        manager->uevents = uevent_monitor_new(manager->event, &device_event_callbacks, manager);
        tell_monitor(manager);
        /* What happened a moment ago is not known: the first activation waits for a settled tree too. */
        manager->tree_stable_since_usec = clock_monotonic(manager->clock);
        manager_ask_host(manager);
        inventory_load(manager);
        inhibitors_restore(manager->inhibitors);
        recovery_run(manager);
        if (guard_is_idle(manager->guard)) /* no write of an earlier lfad is followed */
                envelope_recover(manager->envelope);
        scanner_scan(manager->scanner);
        r = sd_event_add_time_relative(manager->event, &manager->ready_timer, CLOCK_MONOTONIC,
                                       READY_PATIENCE_USEC, USEC_PER_MSEC, on_ready_timer, manager);
        if (r < 0)
                log_error_errno(r, "Cannot add the start's timer");
        return 0;
}

static void check_stopped(Manager *manager) {
        if (!manager->stopping || manager->stopped || manager->current || !guard_is_idle(manager->guard))
                return;
        jobs_retry_records(manager); /* a last time */
        manager_retry_state(manager);
        manager->stopped = true;
        manager->observer->stopped(manager->userdata);
}

/* What may wait does so until the next lfad. */
static void end_unstarted(Manager *manager) {
        g_autoptr(GPtrArray) jobs = manager_list_unstarted_jobs(manager);
        Job *current = manager->current;

        for (unsigned i = 0; i < jobs->len; i++) {
                Job *job = jobs->pdata[i];

                if (!job->when_allowed && !job_is_done(job))
                        job_finish(job, RESULT_CANCELLED, LFA_ERROR_DAEMON_RESTARTED, NULL, NULL);
        }
        if (!current || current->state != JOB_GUARDING)
                return;
        if (current->when_allowed)
                activation_put_off(current, _GATE_INVALID, NULL);
        else
                activation_abandon(current, RESULT_CANCELLED, LFA_ERROR_DAEMON_RESTARTED, NULL);
}

void manager_stop(Manager *manager) {
        if (manager->stopping)
                return;
        manager->stopping = true;
        (void) sd_notify(false, "STOPPING=1");
        end_unstarted(manager);
        if (guard_is_idle(manager->guard)) /* a last time */
                envelope_retry(manager->envelope);
        manager_notify_status(manager);
        check_stopped(manager);
}

void manager_job_over(Manager *manager) {
        check_stopped(manager);
}

void *manager_free(Manager *manager) {
        if (!manager)
                return NULL;
        guard_free(manager->guard);
        host_free(manager->host);
        envelope_free(manager->envelope);
        unit_watchdogs_free(manager->unit_watchdogs);
        watchdogs_free(manager->watchdogs);
        inhibitors_free(manager->inhibitors);
        scanner_free(manager->scanner);
        uevent_monitor_free(manager->uevents);
        worker_process_free(manager->set_worker);
        sd_event_source_disable_unref(manager->queue_source);
        sd_event_source_disable_unref(manager->queue_timer);
        sd_event_source_disable_unref(manager->follow_source);
        sd_event_source_disable_unref(manager->follow_timer);
        sd_event_source_disable_unref(manager->long_write_timer);
        sd_event_source_disable_unref(manager->ready_timer);
        sd_event_source_disable_unref(manager->storm_timer);
        scheduler_free(manager->scheduler);
        g_queue_clear(&manager->queue);
        g_queue_clear(&manager->waiting);
        g_queue_clear(&manager->finished);
        g_hash_table_unref(manager->jobs);
        request_ids_free(manager->request_ids);
        jobs_drop_records(manager);
        g_hash_table_unref(manager->images);
        history_free(manager->history);
        state_free(manager->state);
        g_free(manager->state_file.text);
        config_free(manager->config);
        g_free(manager->zone_file);
        g_ptr_array_unref(manager->warnings);
        g_free(manager->config_error);
        g_free(manager->inventory_saved);
        g_free(manager->queue_waits_why);
        g_free(manager->status);
        safe_close(manager->lock_fd);
        sd_event_unref(manager->event);
        g_free(manager);
        return NULL;
}
