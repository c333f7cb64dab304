/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Putting systemd's watchdog time-out back, as the lease says. UINT64_MAX is written first, which makes systemd go back
 * to its configuration; the old number only when that is something else, since somebody had set it by hand. Where the
 * configuration is "default" (the device's own time-out) going back to it leaves the device as it is, so that the
 * device's old time-out is set before. */

#include "daemon/envelope-internal.h"
#include "util/log.h"
#include "util/macros.h"

/* Takes the text. */
static void set_trouble(Envelope *envelope, char *text) {
        bool differs = g_strcmp0(envelope->trouble, text) != 0;

        g_free(envelope->trouble);
        envelope->trouble = text;
        if (differs)
                envelope->callbacks->trouble_changed(envelope->userdata);
}

/* Somebody may be waiting to hear that it is not safe, or to have it made so anew. */
static void end_restoring(Envelope *envelope) {
        envelope->restored_at_usec = clock_monotonic(envelope->settings.clock);
        if (envelope->raise_waits) {
                envelope_begin_raising(envelope);
                return;
        }
        envelope->state = ENVELOPE_IDLE;
        envelope_deliver(envelope, false);
        if (envelope->state == ENVELOPE_IDLE)
                envelope->callbacks->idle(envelope->userdata);
}

static LogFields *lease_fields(const Envelope *envelope) {
        return envelope->lease.job > 0 ? log_add_u64(NULL, LFA_FIELD_JOB, envelope->lease.job) : NULL;
}

static void fail(Envelope *envelope, int error, const char *what) {
        char *trouble = g_strdup_printf(
                        "The time-out of systemd's hardware watchdog was raised for an activation and "
                        "could not be put back (%s: %s). It is tried again with every poll.",
                        what, g_strerror(-error));

        if (g_strcmp0(trouble, envelope->trouble) != 0) /* it is tried once a minute */
                log_event_errno(LFA_MESSAGE_WATCHDOG_NOT_RESTORED, error, lease_fields(envelope),
                                "systemd's watchdog time-out is not restored (%s)", what);
        set_trouble(envelope, trouble);
        end_restoring(envelope);
}

static void succeed(Envelope *envelope) {
        int r = watchdog_lease_remove(envelope->settings.runtime_folder);

        if (r < 0)
                log_warning_errno(r, "Cannot remove the lease of the watchdog's time-out");
        else
                log_event(LFA_MESSAGE_WATCHDOG_RESTORED, lease_fields(envelope),
                          "systemd's watchdog time-out is restored.");
        envelope->has_lease = r < 0; /* restoring once more does no harm */
        set_trouble(envelope, NULL);
        end_restoring(envelope);
}

static void set(Envelope *envelope, uint64_t value, BusAnswered answered) {
        int r = envelope->settings.bus
                                ? bus_question_set_u64(envelope->settings.bus, &systemd_runtime_watchdog,
                                                       value, answered, envelope, &envelope->question)
                                : -ENXIO;

        if (r < 0)
                fail(envelope, r, "systemd cannot be told");
}

static void get(Envelope *envelope, BusAnswered answered) {
        int r = bus_question_get(envelope->settings.bus, &systemd_runtime_watchdog, answered, envelope,
                                 &envelope->question);

        if (r < 0)
                fail(envelope, r, "systemd cannot be asked");
}

static bool take_value(Envelope *envelope, int error, sd_bus_message *answer, uint64_t *ret) {
        envelope->question = bus_question_free(envelope->question);
        if (error >= 0 && sd_bus_message_read(answer, "t", ret) <= 0)
                error = -EBADMSG;
        if (error < 0)
                fail(envelope, error, "reading it back");
        return error >= 0;
}

static void on_unchanged_read(int error, sd_bus_message *answer, void *userdata) {
        Envelope *envelope = userdata;
        uint64_t value;

        if (!take_value(envelope, error, answer, &value))
                return;
        if (envelope->lease.old_known && value == envelope->lease.old_usec)
                succeed(envelope);
        else
                fail(envelope, envelope->set_error, "setting it");
}

/* systemd did not take a value: perhaps it never took the raised one either, and all is as it was. */
static bool set_worked(Envelope *envelope, int error) {
        envelope->question = bus_question_free(envelope->question);
        if (error >= 0)
                return true;
        envelope->set_error = error;
        get(envelope, on_unchanged_read);
        return false;
}

static void on_old_read(int error, sd_bus_message *answer, void *userdata) {
        Envelope *envelope = userdata;
        uint64_t value;

        if (!take_value(envelope, error, answer, &value))
                return;
        if (value == envelope->lease.old_usec)
                succeed(envelope);
        else
                fail(envelope, -EIO, "systemd shows another value than the one it was given");
}

static void on_old_set(int error, sd_bus_message *answer, void *userdata) {
        if (set_worked(userdata, error))
                get(userdata, on_old_read);
}

static void on_configuration_read(int error, sd_bus_message *answer, void *userdata) {
        Envelope *envelope = userdata;
        const WatchdogLease *lease = &envelope->lease;
        uint64_t value;

        if (!take_value(envelope, error, answer, &value))
                return;
        if (!lease->old_known || lease->old_usec == UINT64_MAX || value == lease->old_usec)
                succeed(envelope);
        else
                set(envelope, lease->old_usec, on_old_set);
}

static void on_configuration_set(int error, sd_bus_message *answer, void *userdata) {
        if (set_worked(userdata, error))
                get(userdata, on_configuration_read);
}

static void on_hardware_set(int error, sd_bus_message *answer, void *userdata) {
        if (set_worked(userdata, error))
                set(userdata, UINT64_MAX, on_configuration_set);
}

void envelope_begin_restoring(Envelope *envelope) {
        const WatchdogLease *lease = &envelope->lease;

        envelope->state = ENVELOPE_RESTORING;
        if (lease->old_known && lease->old_usec == UINT64_MAX && lease->hardware_usec > 0)
                set(envelope, lease->hardware_usec, on_hardware_set);
        else
                set(envelope, UINT64_MAX, on_configuration_set);
}

void envelope_load_lease(Envelope *envelope) {
        int r = watchdog_lease_read(envelope->settings.runtime_folder, &envelope->lease);

        if (r == -ENOENT)
                return;
        if (r == -ESTALE) { /* the boot has restored everything */
                (void) watchdog_lease_remove(envelope->settings.runtime_folder);
                return;
        }
        if (r < 0) {
                log_warning_errno(
                                r,
                                "The lease of the watchdog's time-out cannot be read; systemd is told to go back to its "
                                "configuration");
                envelope->lease = (WatchdogLease){ .old_known = false };
        }
        envelope->has_lease = true;
}

void envelope_recover(Envelope *envelope) {
        if (envelope->state != ENVELOPE_IDLE)
                return;
        envelope_load_lease(envelope);
        if (envelope->has_lease)
                envelope_begin_restoring(envelope);
}

void envelope_retry(Envelope *envelope) {
        if (envelope->state == ENVELOPE_IDLE && envelope->has_lease)
                envelope_begin_restoring(envelope);
}
