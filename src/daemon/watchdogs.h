/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host's watchdogs, as whoever asks wants to know them: what sysfs shows and what systemd says of the one that it
 * feeds, read in one go. Sysfs is read by lfad-worker. One reading at a time, shared by all whom it suits. */

#include "core/watchdog-plan.h"
#include "daemon/bus-question.h"
#include "daemon/worker-process.h"
#include "util/clock.h"

#include <glib.h>

#define WATCHDOG_WAITERS_MAX 64
/* For so long a reading is taken for what there is. */
#define WATCHDOGS_FRESH_USEC UINT64_C(1000000)

typedef struct Watchdogs Watchdogs;

/* Called once, perhaps at once. reading: borrowed; NULL when error, a negative errno, tells why there is none:
 * -ECANCELED by watchdogs_cancel, -ETIMEDOUT when a device does not answer. */
typedef void (*WatchdogsWaiter)(int error, const WatchdogReading *reading, void *userdata);

/* RuntimeWatchdogUSec of PID 1. */
extern const BusProperty systemd_runtime_watchdog;

/* settings and clock must outlive the object. bus: to ask systemd; NULL = there is none; weak. */
Watchdogs *watchdogs_new(sd_event *event, sd_bus *bus, const WorkerSettings *settings, const Clock *clock);
void *watchdogs_free(Watchdogs *watchdogs); /* cancels, too */

/* Tells all who wait that nothing will come. */
void watchdogs_cancel(Watchdogs *watchdogs);

/* A reading that began in the last second (WATCHDOGS_FRESH_USEC) will do. Returns 0, or -EDQUOT when too many wait: then
 * waiter is not called. */
int watchdogs_ask(Watchdogs *watchdogs, WatchdogsWaiter waiter, void *userdata);

/* A reading that began at that time (CLOCK_MONOTONIC, µs) or later: the last one, or the one under way, or the next. For
 * root and for lfad itself: however many others wait. A failure since then is shared, too. */
void watchdogs_ask_since(Watchdogs *watchdogs, uint64_t not_before_usec, WatchdogsWaiter waiter,
                         void *userdata);

/* A reading that begins now, or later. */
void watchdogs_ask_anew(Watchdogs *watchdogs, WatchdogsWaiter waiter, void *userdata);

/* Begins the reading for which watchdogs_ask_since will ask, where none does yet: it goes on while other things are done.
 */
void watchdogs_prepare(Watchdogs *watchdogs, uint64_t not_before_usec);

/* Those who wait with this userdata are not called any more. */
void watchdogs_forget(Watchdogs *watchdogs, void *userdata);

/* The last reading, borrowed until the next event, or NULL when none began at that time (CLOCK_MONOTONIC, µs) or
 * later. */
const WatchdogReading *watchdogs_last(const Watchdogs *watchdogs, uint64_t not_before_usec);

/* Why the last reading came to nothing; 0 = it did not, or there was none yet. */
int watchdogs_error(const Watchdogs *watchdogs);
