/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What envelope.c and envelope-restore.c share. */

#include "daemon/envelope.h"
#include "daemon/watchdog-lease.h"

typedef enum EnvelopeState {
        ENVELOPE_IDLE,
        ENVELOPE_READING,   /* what there is */
        ENVELOPE_SETTING,   /* RuntimeWatchdogUSec */
        ENVELOPE_VERIFYING, /* what became of it */
        ENVELOPE_HELD,
        ENVELOPE_RESTORING,
} EnvelopeState;

struct Envelope {
        EnvelopeSettings settings;
        const EnvelopeCallbacks *callbacks;
        void *userdata;

        EnvelopeState state;
        WatchdogLease lease;
        bool has_lease; /* something is to be put back */

        EnvelopeRequest request;
        EnvelopeRaised raised; /* NULL = nobody waits */
        void *raised_userdata;
        bool raise_waits; /* for the end of a restoring */
        char *text;       /* what raised will say */
        char *refusal;    /* what it says if that does not help */
        unsigned rounds;
        uint64_t set_at_usec;      /* CLOCK_MONOTONIC */
        uint64_t restored_at_usec; /* what was read before is no longer so; CLOCK_MONOTONIC */
        char *trouble;
        int set_error; /* why systemd did not take a value that was to be put back */

        BusQuestion *question; /* the one to systemd that is under way */
        sd_event_source *begin, *deadline;
};

/* envelope.c */
void envelope_begin_raising(Envelope *envelope);
void envelope_deliver(Envelope *envelope, bool safe);
void envelope_set_idle(Envelope *envelope);

/* envelope-restore.c */
void envelope_load_lease(Envelope *envelope);
void envelope_begin_restoring(Envelope *envelope);
