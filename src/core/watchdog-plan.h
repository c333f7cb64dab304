/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What must be done so that no hardware watchdog resets the host during an activation. Pure: readings in, one answer
 * out. Only systemd can be asked to use a longer time-out: it feeds one device, and RuntimeWatchdogUSec of its Manager
 * is that device's time-out (org.freedesktop.systemd1(5)). */

#include "core/lockup.h"
#include "core/watchdog.h"

#include <glib.h>

#define SYSTEMD_DEVICE_SIZE 256

/* What systemd says of the watchdog that it feeds. */
typedef struct SystemdWatchdog {
        bool known;            /* it has answered */
        uint64_t timeout_usec; /* RuntimeWatchdogUSec: 0 = it feeds nothing; UINT64_MAX = the device's own time-out */
        char device[SYSTEMD_DEVICE_SIZE]; /* WatchdogDevice, a path; "" = not told, older versions lack it */
} SystemdWatchdog;

/* What was read in one go. */
typedef struct WatchdogReading {
        const GArray *watchdogs; /* Watchdog */
        SystemdWatchdog systemd;
        Lockups lockups; /* is no part of the plan */
} WatchdogReading;

typedef enum WatchdogAction {
        WATCHDOG_ACTION_NONE,   /* every device outlasts it as it is */
        WATCHDOG_ACTION_RAISE,  /* RuntimeWatchdogUSec must be set, and what became of it be read */
        WATCHDOG_ACTION_REFUSE, /* a device may reset the host, and nothing can be done */
        _WATCHDOG_ACTION_MAX,
        _WATCHDOG_ACTION_INVALID = -EINVAL,
} WatchdogAction;

typedef struct WatchdogPlan {
        WatchdogAction action;
        uint64_t set_usec;   /* RAISE: what RuntimeWatchdogUSec is set to; else 0 */
        uint64_t value_usec; /* what it would be set to, if only systemd's device mattered */
        GArray *judgements; /* WatchdogJudgement, one a device; raise_to_usec is what would be set, in whole seconds */
        char *text;    /* RAISE: which device, the numbers, and what is done; else "" */
        char *refusal; /* REFUSE, or if RAISE does not help: which device, the numbers, the ways out; else "" */
} WatchdogPlan;

/* What the configuration says of a device, or NULL. */
typedef const WatchdogSettings *(*WatchdogFindSettings)(const Watchdog *watchdog, const void *userdata);

const char *watchdog_action_to_string(WatchdogAction action);
WatchdogAction watchdog_action_from_string(const char *text);

/* The index of the device that systemd feeds, as far as that can be told, or -1. */
int watchdog_find_systemd_device(const WatchdogReading *reading);

/* worst, learned: as in WatchdogNeed. pinged: systemd's device was read within a second after it was fed. Free it with
 * watchdog_plan_free. */
WatchdogPlan *watchdog_plan_new(const WatchdogReading *reading, uint64_t worst_usec, uint64_t learned_usec,
                                bool pinged, WatchdogFindSettings find_settings, const void *userdata);
void *watchdog_plan_free(WatchdogPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WatchdogPlan, watchdog_plan_free)
