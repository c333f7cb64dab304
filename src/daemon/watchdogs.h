/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host's watchdogs, as whoever asks wants to know them. Readings are made by lfad-worker, one at a time, and shared
 * by all who ask within a second. */

#include "daemon/worker-process.h"
#include "util/clock.h"

#include <glib.h>

#define WATCHDOG_WAITERS_MAX 64

typedef struct Watchdogs Watchdogs;

/* Called once, perhaps at once. watchdogs: of Watchdog, borrowed; NULL when error, a negative errno, tells why there is
 * none: -ECANCELED by watchdogs_cancel. */
typedef void (*WatchdogsWaiter)(int error, const GArray *watchdogs, void *userdata);

/* settings and clock must outlive the object. */
Watchdogs *watchdogs_new(sd_event *event, const WorkerSettings *settings, const Clock *clock);
void *watchdogs_free(Watchdogs *watchdogs); /* cancels, too */

/* Tells all who wait that nothing will come. */
void watchdogs_cancel(Watchdogs *watchdogs);

/* Returns 0, or -EDQUOT when too many wait: then waiter is not called. */
int watchdogs_ask(Watchdogs *watchdogs, WatchdogsWaiter waiter, void *userdata);
