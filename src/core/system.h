/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether the host as a whole is in a state in which its firmware may be changed, as systemd and logind tell. */

#include <errno.h>
#include <stdbool.h>

/* SystemState of systemd's manager (org.freedesktop.systemd1(5)); its strings are systemd's. */
typedef enum SystemState {
        SYSTEM_UNKNOWN, /* systemd was not asked, did not answer, or with a word that is not known */
        SYSTEM_ABSENT,  /* no systemd on this bus */
        SYSTEM_INITIALIZING,
        SYSTEM_STARTING,
        SYSTEM_RUNNING,
        SYSTEM_DEGRADED,    /* booted, with units that failed */
        SYSTEM_MAINTENANCE, /* the rescue or emergency target */
        SYSTEM_STOPPING,
        _SYSTEM_STATE_MAX,
        _SYSTEM_STATE_INVALID = -EINVAL,
} SystemState;

const char *system_state_to_string(SystemState state);
SystemState system_state_from_string(const char *text);

/* Of logind's answers, and timedated's. */
typedef enum SystemAnswer {
        SYSTEM_ANSWER_UNKNOWN, /* it was not asked, or did not answer */
        SYSTEM_ANSWER_ABSENT,  /* it is not on this bus */
        SYSTEM_ANSWER_NO,
        SYSTEM_ANSWER_YES,
} SystemAnswer;

typedef struct SystemFacts {
        SystemState state;
        SystemAnswer preparing_for_shutdown, preparing_for_sleep;
        bool lock_refused; /* logind is there, and did not give its block lock */
} SystemFacts;
