/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The watchdog envelope around an activation: the time-out of the hardware watchdog that systemd feeds is raised when
 * it would not outlast the stall, what became of it is read from sysfs, and on every path it is put back. What it was is
 * on disk first (watchdog-lease.h). Nothing here blocks; systemd is asked, sysfs is read by lfad-worker.
 *
 *   idle -> reading -> setting -> verifying -> held -> restoring -> idle
 */

#include "core/config.h"
#include "daemon/watchdogs.h"

typedef struct Envelope Envelope;

typedef struct EnvelopeCallbacks {
        /* Nothing is under way any more; what could not be restored is tried again by envelope_retry. */
        void (*idle)(void *userdata);
        /* envelope_trouble says something else. */
        void (*trouble_changed)(void *userdata);
} EnvelopeCallbacks;

typedef struct EnvelopeSettings {
        sd_event *event;
        sd_bus *bus;          /* NULL = there is no systemd; weak */
        Watchdogs *watchdogs; /* weak */
        const Clock *clock;
        const char *runtime_folder;
        const Config *const *config; /* what is in force */
} EnvelopeSettings;

typedef struct EnvelopeRequest {
        uint32_t job;
        uint64_t need_usec;    /* the longest stall that the activation may take; UINT64_MAX = no limit */
        uint64_t learned_usec; /* what activations were seen to take, with a margin; 0 = not known */
        uint64_t reading_since_usec; /* a reading of the watchdogs that began then or later (CLOCK_MONOTONIC) will do */
} EnvelopeRequest;

/* Called once, never from within envelope_raise. safe: no watchdog resets the host during the activation, until
 * envelope_restore is called. Else nothing is raised any more, or it could not be restored and is tried again. text:
 * what was done, "" = nothing had to be; or why it is not safe, with the numbers and the way out; borrowed. */
typedef void (*EnvelopeRaised)(bool safe, const char *text, void *userdata);

/* settings are copied, callbacks must outlive the object. */
Envelope *envelope_new(const EnvelopeSettings *settings, const EnvelopeCallbacks *callbacks, void *userdata);
void *envelope_free(Envelope *envelope); /* leaves things as they are: the lease tells the next lfad */

/* Makes it safe, and keeps it so. Begins when a restoring that is under way has ended. One at a time. */
void envelope_raise(Envelope *envelope, const EnvelopeRequest *request, EnvelopeRaised raised,
                    void *userdata);

/* The activation is over, in whatever way, or is not wanted any more: raised is not called any more, and what was
 * raised is put back. The callback idle tells when; does nothing when idle with nothing to restore. */
void envelope_restore(Envelope *envelope);

/* At start, when no worker of an earlier lfad runs any more: puts back what that one left raised. */
void envelope_recover(Envelope *envelope);

/* From the poll: tries again what could not be restored. */
void envelope_retry(Envelope *envelope);

/* Nothing is under way and nothing is held. */
bool envelope_is_idle(const Envelope *envelope);

/* It was made safe, and is kept so. */
bool envelope_is_held(const Envelope *envelope);

/* That what was raised could not be put back, for people; or NULL. Borrowed. */
const char *envelope_trouble(const Envelope *envelope);
