/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guard around a write: its steps, and taking them back. */

#include "daemon/guard.h"
#include "daemon/bus-question.h"
#include "daemon/log-fields.h"
#include "daemon/manager.h"
#include "util/macros.h"

#include <fcntl.h>

typedef enum GuardStage {
        GUARD_IDLE,
        GUARD_DELAYS,    /* programs were told, and some asked for time */
        GUARD_LOCK,      /* logind was asked for its lock */
        GUARD_HOST,      /* systemd and logind were asked for the state of the host */
        GUARD_WATCHDOGS, /* their time-outs are raised */
        GUARD_HELD,
        GUARD_ADOPTED,   /* the write was begun by an earlier lfad */
        GUARD_RELEASING, /* the time-outs are put back */
        _GUARD_STAGE_MAX,
} GuardStage;

struct Guard {
        Manager *manager; /* the owner; weak */
        Job *job;         /* weak; NULL = of no job that is known */
        GuardHeld held;
        GuardStage stage;
        sd_event_source *delay_timer;
        BusQuestion *lock_question;
        uint64_t locked_usec; /* logind was asked for its lock, and has answered; CLOCK_MONOTONIC */
        int lock_fd;          /* logind's: closing it is letting go */
        bool lock_refused;
        char *watchdog_refusal; /* why it is not safe; NULL = it is */
};

static void announce(const Guard *guard, bool start) {
        if (guard->job)
                guard->manager->observer->preparing(guard->job, start, guard->manager->userdata);
}

static void enter(Guard *guard, GuardStage stage) {
        guard->stage = stage;
        manager_notify_status(guard->manager);
}

static void on_raised(bool safe, const char *text, void *userdata) {
        Guard *guard = userdata;

        if (!safe)
                guard->watchdog_refusal = g_strdup(text);
        enter(guard, GUARD_HELD);
        guard->held(guard->job);
}

/* lfad ends, and drops the job: nothing is to be said of it that only the bus is to blame for. */
static bool bus_is_lost(const Guard *guard) {
        sd_bus *bus = guard->manager->settings->bus;

        return bus && sd_bus_is_open(bus) <= 0;
}

static void on_host(void *userdata) {
        Guard *guard = userdata;
        Manager *manager = guard->manager;
        uint64_t now = clock_monotonic(manager->clock);
        EnvelopeRequest request = {
                .job = guard->job->id,
                .need_usec = watchdog_need_usec(manager->profile),
                .learned_usec = manager_learned_need_usec(manager,
                                                          images_remember(manager, guard->job->guid)),
                .reading_since_usec = MAX(guard->locked_usec, now - MIN(now, WATCHDOGS_FRESH_USEC)),
        };

        if (bus_is_lost(guard))
                return;
        enter(guard, GUARD_WATCHDOGS);
        envelope_raise(manager->envelope, &request, on_raised, guard);
}

/* Asked anew: what was known before the lock was taken says nothing of a shutdown that began meanwhile. The watchdogs
 * are read at the same time, since each takes a moment. */
static void ask_host(Guard *guard) {
        Manager *manager = guard->manager;

        enter(guard, GUARD_HOST);
        guard->locked_usec = clock_monotonic(manager->clock);
        watchdogs_prepare(manager->watchdogs, guard->locked_usec);
        if ((guard->job->terms.unattended ? host_ask_with_clock
                                          : host_ask)(manager->host, guard->locked_usec, on_host, guard))
                on_host(guard);
}

static int take_lock_fd(sd_bus_message *answer) {
        int fd;

        if (sd_bus_message_read(answer, "h", &fd) <= 0)
                return -EBADMSG;            /* whatever it is, logind is there */
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* the message's own is closed with it */
        return fd < 0 ? -errno : fd;
}

static void on_lock(int error, sd_bus_message *answer, void *userdata) {
        Guard *guard = userdata;
        int r = error < 0 ? error : take_lock_fd(answer);

        guard->lock_question = bus_question_free(guard->lock_question);
        if (r < 0 && bus_is_lost(guard))
                return;
        if (r >= 0)
                guard->lock_fd = r;
        else if (r == -ENXIO)
                log_debug("There is no logind: shutdown and sleep are not put off.");
        else {
                guard->lock_refused = true;
                log_warning_errno(r, "logind does not let shutdown and sleep be put off");
        }
        if (guard->stage == GUARD_LOCK)
                ask_host(guard);
}

static int ask_for_lock(Guard *guard) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        sd_bus *bus = guard->manager->settings->bus;
        int r;

        if (!bus)
                return -ENXIO;
        r = sd_bus_message_new_method_call(bus, &call, "org.freedesktop.login1", "/org/freedesktop/login1",
                                           "org.freedesktop.login1.Manager", "Inhibit");
        if (r >= 0)
                r = sd_bus_message_append(call, "ssss", "shutdown:sleep:idle", "lfad",
                                          "Firmware is being activated", "block");
        return r < 0 ? r : bus_question_call(call, on_lock, guard, &guard->lock_question);
}

static void take_lock(Guard *guard) {
        int r = ask_for_lock(guard);

        if (r < 0)
                on_lock(r, NULL, guard);
}

static void end_delays(Guard *guard) {
        guard->delay_timer = sd_event_source_disable_unref(guard->delay_timer);
        enter(guard, GUARD_LOCK);
        take_lock(guard);
}

void guard_look_again(Guard *guard) {
        g_autofree char *who = NULL;

        if (guard->stage != GUARD_DELAYS)
                return;
        who = inhibitors_describe_delays(guard->manager->inhibitors, guard->job->guid);
        if (!who)
                end_delays(guard);
}

static int on_delay_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Guard *guard = userdata;
        g_autofree char *who = inhibitors_describe_delays(guard->manager->inhibitors, guard->job->guid);

        log_event(LFA_MESSAGE_DELAY_OVER, log_add(job_fields(guard->job), LFA_FIELD_WHO, who),
                  "Job %u: InhibitDelayMaxSec= is over; going on without %s.", guard->job->id,
                  who ? who : "anybody");
        end_delays(guard);
        return 0;
}

/* Without a timer nobody is waited for, rather than for ever. */
static void wait_for_delays(Guard *guard) {
        Manager *manager = guard->manager;
        g_autofree char *who = inhibitors_describe_delays(manager->inhibitors, guard->job->guid);
        int r;

        if (!who) {
                end_delays(guard);
                return;
        }
        enter(guard, GUARD_DELAYS);
        log_detail(LOG_INFO, log_add(job_fields(guard->job), LFA_FIELD_WHO, who), "Job %u: waiting for %s.",
                   guard->job->id, who);
        r = sd_event_add_time_relative(manager->event, &guard->delay_timer, CLOCK_MONOTONIC,
                                       manager->config->inhibit_delay_max_usec, USEC_PER_MSEC,
                                       on_delay_timer, guard);
        if (r < 0) {
                log_error_errno(r, "Cannot wait for those who delay activations");
                end_delays(guard);
        }
}

void guard_take(Guard *guard, Job *job, GuardHeld held) {
        guard->job = job;
        guard->held = held;
        announce(guard, true);
        wait_for_delays(guard);
}

void guard_adopt(Guard *guard, Job *job) {
        guard->job = job;
        enter(guard, GUARD_ADOPTED);
        take_lock(guard);
}

/* What an earlier lfad raised is put back as what this one did. */
static void restore_watchdogs(Guard *guard) {
        Envelope *envelope = guard->manager->envelope;
        bool adopted = guard->stage == GUARD_ADOPTED;

        guard->stage = GUARD_RELEASING;
        if (adopted)
                envelope_recover(envelope);
        else
                envelope_restore(envelope);
        guard_envelope_idle(guard);
        manager_notify_status(guard->manager);
}

void guard_release(Guard *guard, const Job *job) {
        if (guard->stage == GUARD_IDLE || guard->stage == GUARD_RELEASING || guard->job != job)
                return;
        guard->delay_timer = sd_event_source_disable_unref(guard->delay_timer);
        guard->lock_question = bus_question_free(guard->lock_question);
        host_forget(guard->manager->host, guard);
        guard->lock_fd = safe_close(guard->lock_fd);
        guard->lock_refused = false;
        g_clear_pointer(&guard->watchdog_refusal, g_free);
        announce(guard, false);
        guard->job = NULL;
        restore_watchdogs(guard);
}

void guard_envelope_idle(Guard *guard) {
        if (!envelope_is_idle(guard->manager->envelope))
                return;
        if (guard->stage == GUARD_RELEASING)
                enter(guard, GUARD_IDLE);
        queue_schedule(guard->manager);
        manager_job_over(guard->manager);
}

bool guard_is_idle(const Guard *guard) {
        return guard->stage == GUARD_IDLE && envelope_is_idle(guard->manager->envelope);
}

bool guard_lock_refused(const Guard *guard) {
        return guard->lock_refused;
}

const char *guard_watchdog_refusal(const Guard *guard) {
        return guard->watchdog_refusal;
}

const char *guard_describe(const Guard *guard) {
        static const char *const descriptions[_GUARD_STAGE_MAX] = {
                [GUARD_IDLE] = "",
                [GUARD_DELAYS] = "waiting for those who asked for a delay",
                [GUARD_LOCK] = "waiting for logind",
                [GUARD_HOST] = "waiting for systemd and logind",
                [GUARD_WATCHDOGS] = "making the watchdogs safe",
                [GUARD_HELD] = "",
                [GUARD_ADOPTED] = "",
                [GUARD_RELEASING] = "",
        };

        if ((guard->stage == GUARD_IDLE || guard->stage == GUARD_RELEASING) && !guard_is_idle(guard))
                return "systemd is told to put its watchdog's time-out back";
        return descriptions[guard->stage];
}

Guard *guard_new(Manager *manager) {
        Guard *guard = g_new0(Guard, 1);

        guard->manager = manager;
        guard->lock_fd = -EBADF;
        return guard;
}

void *guard_free(Guard *guard) {
        if (guard) {
                sd_event_source_disable_unref(guard->delay_timer);
                bus_question_free(guard->lock_question);
                safe_close(guard->lock_fd);
                g_free(guard->watchdog_refusal);
                g_free(guard);
        }
        return NULL;
}
