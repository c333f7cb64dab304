/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The services that systemd watches (WatchdogSec= of systemd.service(5)). While an activation runs none of them can say
 * that it is alive. Asked for only when somebody wants to know: systemd has no other way than one question a unit. */

#include "daemon/bus-question.h"
#include "util/clock.h"

#include <glib.h>

/* Services beyond that many are not looked at. */
#define UNIT_WATCHDOGS_MAX 512
/* An answer is good for so long: who asks often does not make systemd work. */
#define UNIT_WATCHDOGS_FRESH_USEC (10 * UINT64_C(1000000))

typedef struct UnitWatchdog {
        char *name;
        uint64_t usec; /* WatchdogUSec, not 0 */
} UnitWatchdog;

typedef struct UnitWatchdogs UnitWatchdogs;

/* Called once, perhaps at once. units: UnitWatchdog, borrowed; empty also when there is no systemd. error: 0, or
 * -ECANCELED by unit_watchdogs_cancel, and then units is NULL. */
typedef void (*UnitWatchdogsWaiter)(int error, const GPtrArray *units, void *userdata);

/* bus: NULL = there is no systemd; weak. */
UnitWatchdogs *unit_watchdogs_new(sd_bus *bus, const Clock *clock);
void *unit_watchdogs_free(UnitWatchdogs *units); /* cancels, too */

/* Tells all who wait that nothing will come. */
void unit_watchdogs_cancel(UnitWatchdogs *units);

/* Returns 0, or -EDQUOT when too many wait: then waiter is not called. */
int unit_watchdogs_ask(UnitWatchdogs *units, UnitWatchdogsWaiter waiter, void *userdata);

/* The last answer, borrowed until the next event; NULL = there is none. */
const GPtrArray *unit_watchdogs_last(const UnitWatchdogs *units);
