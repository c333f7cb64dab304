/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one ordered list of reasons not to activate. Pure: facts are gathered first, then every gate answers.
 * The list runs when a call arrives (before polkit: nobody types a password to learn that nothing is
 * pending), when the job is made, when it is taken up, and last right before the worker starts. */

#include "core/errors.h"
#include "core/image-values.h"
#include "core/state.h"
#include "core/system.h"
#include "core/terms.h"
#include "core/version-rules.h"
#include "lfa/enums.h"

typedef enum GateId {
        GATE_CONFIG,
        GATE_STATE,
        GATE_DRIVER,
        GATE_IMAGE,
        GATE_VERSION,
        GATE_QUARANTINE,
        GATE_SETTLE,
        GATE_REPEAT,
        GATE_KERNEL_AUTO,
        GATE_SETTINGS,
        GATE_HOLD,
        GATE_FREEZE,
        GATE_WINDOW,
        GATE_SLOT,
        GATE_INTERVAL,
        GATE_CLOCK,
        GATE_INHIBITOR,
        GATE_ORDER,
        GATE_SYSTEM,
        GATE_WATCHDOG,
        _GATE_MAX,
        _GATE_INVALID = -EINVAL,
} GateId;

const char *gate_to_string(GateId gate);
GateId gate_from_string(const char *text);

typedef enum GateAnswer {
        GATE_ALLOW,
        GATE_WAIT,  /* lfad waits by itself, for seconds */
        GATE_DEFER, /* not now: the same may pass later, without anything being wrong */
        GATE_DENY,
} GateAnswer;

/* What the calendar says of an image at one moment. All times are CLOCK_REALTIME in µs, UINT64_MAX = never. */
typedef struct ScheduleFacts {
        uint64_t at_usec;   /* the moment that is judged */
        GTimeZone *zone;    /* in which times are told; borrowed, NULL = UTC */
        uint64_t need_usec; /* so long no freeze may begin and no window close */

        /* freeze */
        const char *freeze;         /* it holds, or begins before need_usec is over; NULL = none; borrowed */
        uint64_t freeze_from_usec;  /* when it begins */
        uint64_t freeze_until_usec; /* none is in the way any more then */

        /* window */
        bool has_window;             /* one is configured for this image */
        uint64_t open_until_usec;    /* 0 = none is open */
        uint64_t next_open_usec;     /* the next time that is long enough, and in no freeze, begins */
        bool next_open_after_freeze; /* freezes cover others before it */

        /* slot */
        bool no_machine_id;
        uint64_t slot_usec;   /* this host's moment: in the past when it may go now, else the next one */
        bool tried_in_window; /* automatic mode has used up what is open */

        /* interval */
        uint64_t interval_usec;
        uint64_t since_last_usec; /* the end of the last activation, of whatever image; UINT64_MAX = none is known */

        /* clock: whether it is synchronised */
        SystemAnswer clock_synchronized;
} ScheduleFacts;

typedef struct GateFacts {
        /* config: why the configuration could not be loaded, or NULL; borrowed */
        const char *configuration_error;

        /* state: why lfad cannot rely on what it remembers, or LFA_ERROR_NONE; the text is borrowed */
        ErrorId state_error;
        const char *state_text;

        /* driver */
        DriverState driver_state;
        DriverProfile profile;
        bool profile_allowed_by_configuration;
        unsigned images_lost; /* by the driver, see profile_loses_tree() */

        /* image: NULL when the driver does not show it */
        const ImageValues *image;

        /* version: what the caller wants to find, or what polkit was shown; and what else was asked for */
        ActivationTerms terms;
        const VersionRules *version_rules; /* of the configuration, NULL = none; borrowed */

        /* quarantine: of the version that is pending; NULL = nothing went wrong */
        const Quarantine *quarantine;
        unsigned quarantine_after; /* so many failures are too many */

        /* settle */
        bool activation_running; /* another job's, or an earlier generation's worker holds the lock */
        uint64_t now_usec;       /* CLOCK_MONOTONIC */
        uint64_t tree_stable_since_usec; /* CLOCK_MONOTONIC; when the tree last changed or an activation
                                            ended */
        uint64_t settle_usec;            /* how long it must have been stable */
        uint64_t settle_deadline_usec;   /* CLOCK_MONOTONIC; waiting ends then, UINT64_MAX = never */

        /* repeat */
        bool activated_without_effect; /* to this very pending version */

        /* kernel-auto */
        bool auto_activate_stuck;    /* it is 1, and writing 0 failed or did not help */
        bool auto_activate_clearing; /* 0 is being written */
        bool auto_activate_left;     /* it is 1, and the configuration wants it left so */

        /* settings */
        bool rendezvous_differs; /* force_cpu_rendezvous is not what the configuration wants */
        bool rendezvous_stuck;   /* and could not be set */

        /* hold: NULL = nobody holds it */
        const Hold *hold;
        bool hold_is_newer; /* it began after the job was made: nobody was authorised to pass it over */

        /* freeze, window, slot, interval, clock */
        ScheduleFacts schedule;

        /* inhibitor: the block inhibitor that is held longest on this image; strings are borrowed */
        const char *inhibitor_who, *inhibitor_why; /* NULL = there is none */
        unsigned inhibitors_more;                  /* held besides it */

        /* order */
        char must_go_first[256];  /* the images, for people: "bl31 (failed), scp"; "" = none */
        bool first_are_under_way; /* each of them has a job that comes before */

        /* system */
        SystemFacts system;

        /* watchdog: which one may reset the host, and the way out; "" = none */
        char watchdog_refusal[512];
} GateFacts;

typedef struct GateVerdict {
        GateAnswer answer;        /* as it counts: GATE_ALLOW when it is passed over */
        bool overridden;          /* it is passed over; error and text say what it has against it */
        ErrorId error;            /* LFA_ERROR_NONE when allowed */
        uint64_t retry_at_usec;   /* GATE_WAIT: CLOCK_MONOTONIC to run the list again, UINT64_MAX = when told
                                 */
        uint64_t not_before_usec; /* GATE_DEFER: CLOCK_REALTIME from when it may pass, 0 = not known */
        char text[768];           /* names the object and the numbers; "" when allowed */
} GateVerdict;

/* Whether a caller may pass it over by naming it; of gate "version" only the rules, never what the caller expects. */
bool gate_is_overridable(GateId gate);

/* A time of CLOCK_REALTIME, in µs, for people: "2026-12-18 03:30:00 UTC". The caller frees it. */
char *gate_time_to_text(uint64_t usec);

/* The text of a gate that refuses, and from when it may pass where that is known. The caller frees it. */
char *gate_describe_refusal(const GateVerdict *refusal);

/* Fills one verdict a gate, in the order of the list. */
void gates_run(const GateFacts *facts, GateVerdict verdicts[static _GATE_MAX]);

/* The first gate that denies, or NULL. */
const GateVerdict *gates_first_denial(const GateVerdict verdicts[static _GATE_MAX]);

/* What a call is refused with: the first gate that denies, else the first that defers, since there is no use
 * in asking later for what will be denied. NULL: it is taken; what is waited for is no refusal. */
const GateVerdict *gates_find_refusal(const GateVerdict verdicts[static _GATE_MAX]);

/* The verdict that decides whether a job may go on: a gate that waits before one that refuses, since facts
 * are not to be trusted while the tree settles. NULL: go. */
const GateVerdict *gates_decide(const GateVerdict verdicts[static _GATE_MAX]);
