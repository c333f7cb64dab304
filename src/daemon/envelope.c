/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The watchdog envelope: making it safe. How it is put back: envelope-restore.c. */

#include "daemon/envelope-internal.h"
#include "util/log.h"
#include "util/macros.h"

/* A device that does not answer, or a systemd that is slow: then it is not safe. */
#define RAISE_PATIENCE_USEC (15 * USEC_PER_SEC)
/* sysfs shows what the hardware holds only that soon after it was fed. */
#define PINGED_USEC USEC_PER_SEC
/* So often a reading that came too late is repeated. */
#define ROUNDS_MAX 3

static void set_value(Envelope *envelope, const WatchdogPlan *plan);

static void disarm(Envelope *envelope) {
        envelope->deadline = sd_event_source_disable_unref(envelope->deadline);
        envelope->question = bus_question_free(envelope->question);
        watchdogs_forget(envelope->settings.watchdogs, envelope);
}

void envelope_set_idle(Envelope *envelope) {
        envelope->state = ENVELOPE_IDLE;
        envelope->callbacks->idle(envelope->userdata);
}

/* The last thing that a function does: the callback may ask for anything. */
void envelope_deliver(Envelope *envelope, bool safe) {
        EnvelopeRaised raised = envelope->raised;
        g_autofree char *text = g_steal_pointer(&envelope->text);

        envelope->raised = NULL;
        if (raised)
                raised(safe, text ? text : "", envelope->raised_userdata);
}

static void hold(Envelope *envelope) {
        disarm(envelope);
        envelope->state = ENVELOPE_HELD;
        envelope_deliver(envelope, true);
}

static LogFields *request_fields(const Envelope *envelope) {
        return log_add_u64(NULL, LFA_FIELD_JOB, envelope->request.job);
}

/* Takes the text. Restores first: "not safe" is said when all is as it was. */
static void refuse(Envelope *envelope, char *text) {
        disarm(envelope);
        g_free(envelope->text);
        envelope->text = text;
        log_event(LFA_MESSAGE_WATCHDOG_UNSAFE, request_fields(envelope),
                  "The watchdogs forbid the activation of job %u: %s", envelope->request.job, text);
        if (envelope->has_lease) {
                envelope_begin_restoring(envelope);
                return;
        }
        envelope->state = ENVELOPE_IDLE;
        envelope_deliver(envelope, false);
        if (envelope->state == ENVELOPE_IDLE)
                envelope->callbacks->idle(envelope->userdata);
}

static WatchdogPlan *make_plan(const Envelope *envelope, const WatchdogReading *reading, bool pinged) {
        return watchdog_plan_new(reading, envelope->request.need_usec, envelope->request.learned_usec,
                                 pinged, config_watchdog_settings, *envelope->settings.config);
}

static void on_verified(int error, const WatchdogReading *reading, void *userdata) {
        Envelope *envelope = userdata;
        g_autoptr(WatchdogPlan) plan = NULL;
        bool pinged;

        if (error < 0) {
                refuse(envelope,
                       g_strdup_printf("The watchdogs could not be read after systemd was told to use a longer "
                                       "time-out: %s.",
                                       g_strerror(-error)));
                return;
        }
        pinged = clock_monotonic(envelope->settings.clock) - envelope->set_at_usec <= PINGED_USEC;
        plan = make_plan(envelope, reading, pinged);
        if (plan->action == WATCHDOG_ACTION_NONE)
                hold(envelope);
        else if (plan->action == WATCHDOG_ACTION_RAISE && !pinged && envelope->rounds < ROUNDS_MAX)
                set_value(envelope, plan);
        else
                refuse(envelope,
                       g_strdup_printf("systemd was told to use another time-out, which did not do. %s",
                                       plan->refusal));
}

static void on_set(int error, sd_bus_message *answer, void *userdata) {
        Envelope *envelope = userdata;

        envelope->question = bus_question_free(envelope->question);
        if (error < 0) {
                refuse(envelope,
                       g_strdup_printf("systemd did not take another time-out for its watchdog: %s. %s",
                                       g_strerror(-error), envelope->refusal));
                return;
        }
        envelope->state = ENVELOPE_VERIFYING;
        watchdogs_ask_anew(envelope->settings.watchdogs, on_verified, envelope);
}

/* The lease first. One that is there already says what was before everything. */
static int keep_old_value(Envelope *envelope, const WatchdogReading *reading, uint64_t set_usec) {
        int fed = watchdog_find_systemd_device(reading), r;
        WatchdogLease lease = envelope->lease;

        if (envelope->has_lease && !lease.old_known)
                return 0; /* restored to the configuration, whatever it is */
        if (!envelope->has_lease) {
                int64_t timeout = g_array_index(reading->watchdogs, Watchdog, fed).numbers[WATCHDOG_TIMEOUT];

                lease = (WatchdogLease){ .old_known = true,
                                         .old_usec = reading->systemd.timeout_usec,
                                         .hardware_usec = timeout > 0 ? (uint64_t) timeout * USEC_PER_SEC
                                                                      : 0 };
        }
        lease.set_usec = set_usec;
        lease.job = envelope->request.job;
        r = watchdog_lease_write(envelope->settings.runtime_folder, &lease);
        if (r < 0)
                return r;
        envelope->lease = lease;
        envelope->has_lease = true;
        return 0;
}

static void set_value(Envelope *envelope, const WatchdogPlan *plan) {
        int r;

        envelope->state = ENVELOPE_SETTING;
        envelope->rounds++;
        g_free(envelope->text);
        envelope->text = g_strdup(plan->text);
        g_free(envelope->refusal);
        envelope->refusal = g_strdup(plan->refusal);
        envelope->set_at_usec = clock_monotonic(envelope->settings.clock);
        r = bus_question_set_u64(envelope->settings.bus, &systemd_runtime_watchdog, plan->set_usec, on_set,
                                 envelope, &envelope->question);
        if (r < 0)
                refuse(envelope,
                       g_strdup_printf("systemd could not be told to use another time-out for its watchdog: "
                                       "%s.",
                                       g_strerror(-r)));
        else
                log_event(LFA_MESSAGE_WATCHDOG_RAISED, request_fields(envelope), "Job %u: %s",
                          envelope->request.job, plan->text);
}

static void on_read(int error, const WatchdogReading *reading, void *userdata) {
        Envelope *envelope = userdata;
        g_autoptr(WatchdogPlan) plan = NULL;
        int r;

        if (error < 0) {
                refuse(envelope,
                       g_strdup_printf("The watchdogs could not be read: %s.", g_strerror(-error)));
                return;
        }
        plan = make_plan(envelope, reading, false);
        switch (plan->action) {
        case WATCHDOG_ACTION_NONE:
                hold(envelope);
                return;
        case WATCHDOG_ACTION_RAISE:
                r = keep_old_value(envelope, reading, plan->set_usec);
                if (r >= 0) {
                        set_value(envelope, plan);
                        return;
                }
                refuse(envelope,
                       g_strdup_printf("What systemd's watchdog time-out was cannot be kept in %s: %s.",
                                       envelope->settings.runtime_folder, g_strerror(-r)));
                return;
        default:
                refuse(envelope, g_strdup(plan->refusal));
        }
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        refuse(userdata,
               g_strdup("The watchdogs could not be read and set in time: a device or systemd does not answer."));
        return 0;
}

/* With a lease systemd may still put back, after all, what it did not answer for. */
static uint64_t oldest_reading(const Envelope *envelope) {
        return envelope->has_lease ? clock_monotonic(envelope->settings.clock)
                                   : MAX(envelope->request.reading_since_usec, envelope->restored_at_usec);
}

static int on_begin(sd_event_source *source, void *userdata) {
        Envelope *envelope = userdata;
        int r;

        envelope->begin = sd_event_source_disable_unref(envelope->begin);
        r = sd_event_add_time_relative(envelope->settings.event, &envelope->deadline, CLOCK_MONOTONIC,
                                       RAISE_PATIENCE_USEC, USEC_PER_MSEC, on_deadline, envelope);
        if (r >= 0)
                watchdogs_ask_since(envelope->settings.watchdogs, oldest_reading(envelope), on_read,
                                    envelope);
        else
                refuse(envelope, g_strdup_printf("The watchdogs could not be read: %s.", g_strerror(-r)));
        return 0;
}

void envelope_begin_raising(Envelope *envelope) {
        envelope->state = ENVELOPE_READING;
        envelope->raise_waits = false;
        envelope->rounds = 0;
        if (!envelope->has_lease)
                envelope_load_lease(envelope);
        if (sd_event_add_defer(envelope->settings.event, &envelope->begin, on_begin, envelope) < 0)
                refuse(envelope, g_strdup("The watchdogs cannot be read now."));
}

void envelope_raise(Envelope *envelope, const EnvelopeRequest *request, EnvelopeRaised raised,
                    void *userdata) {
        envelope->request = *request;
        envelope->raised = raised;
        envelope->raised_userdata = userdata;
        envelope->text = (g_free(envelope->text), NULL);
        if (envelope->state == ENVELOPE_RESTORING)
                envelope->raise_waits = true;
        else
                envelope_begin_raising(envelope);
}

void envelope_restore(Envelope *envelope) {
        envelope->raised = NULL;
        envelope->raise_waits = false;
        if (envelope->state == ENVELOPE_RESTORING)
                return;
        envelope->begin = sd_event_source_disable_unref(envelope->begin);
        disarm(envelope);
        if (envelope->has_lease)
                envelope_begin_restoring(envelope);
        else if (envelope->state != ENVELOPE_IDLE)
                envelope_set_idle(envelope);
}

Envelope *envelope_new(const EnvelopeSettings *settings, const EnvelopeCallbacks *callbacks,
                       void *userdata) {
        Envelope *envelope = g_new0(Envelope, 1);

        envelope->settings = *settings;
        envelope->callbacks = callbacks;
        envelope->userdata = userdata;
        return envelope;
}

void *envelope_free(Envelope *envelope) {
        if (envelope) {
                disarm(envelope);
                sd_event_source_disable_unref(envelope->begin);
                g_free(envelope->text);
                g_free(envelope->refusal);
                g_free(envelope->trouble);
                g_free(envelope);
        }
        return NULL;
}

bool envelope_is_idle(const Envelope *envelope) {
        return envelope->state == ENVELOPE_IDLE;
}

bool envelope_is_held(const Envelope *envelope) {
        return envelope->state == ENVELOPE_HELD;
}

const char *envelope_trouble(const Envelope *envelope) {
        return envelope->trouble;
}
