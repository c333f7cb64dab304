/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When the driver's tree is read: at start, on uevents (settled), on the poll timer, after every job, on
 * request. Readings are made by lfad-worker, one at a time; what looks like a glimpse of a refresh in
 * progress is read again before it counts. */

#include "core/tree.h"
#include "daemon/worker-process.h"
#include "util/clock.h"

typedef struct Scanner Scanner;

typedef struct ScannerCallbacks {
        /* A reading that counts; borrowed. The scanner must not be freed in it. */
        void (*tree_read)(const Tree *tree, void *userdata);
        /* The poll timer fired, before its scan. */
        void (*polled)(void *userdata);
} ScannerCallbacks;

/* settings, clock and callbacks must outlive the scanner. poll_usec: the time between two polls. */
Scanner *scanner_new(sd_event *event, const WorkerSettings *settings, const Clock *clock, uint64_t poll_usec,
                     const ScannerCallbacks *callbacks, void *userdata);
void *scanner_free(Scanner *scanner);

/* Another time between two polls, counted from the last one. */
void scanner_set_poll(Scanner *scanner, uint64_t poll_usec);

/* Something may have changed: scan once it has been quiet for settle_usec, at the latest after 5 *
 * settle_usec. */
void scanner_mark_dirty(Scanner *scanner, uint64_t settle_usec);

/* Scan now (or right after the scan that runs). */
void scanner_scan(Scanner *scanner);

/* While held no scan is started: an activation runs, and reads would sleep behind it. */
void scanner_hold(Scanner *scanner, bool hold);

/* Called once with 0 when a scan that began at or after not_before_usec (CLOCK_MONOTONIC) was published, or
 * with a negative errno: -ETIMEDOUT when that took more than 10 s, -ECANCELED when the scanner is freed, or
 * what made the scan fail. */
typedef void (*ScanWaiter)(int error, void *userdata);

/* For one who will wait for a scan that began at not_before_usec (CLOCK_MONOTONIC) or later, and has something else to
 * do until then: it begins now, unless it is there or under way. */
void scanner_prepare(Scanner *scanner, uint64_t not_before_usec);

/* Returns true when such a scan was published already (waiter is not called then), else waits, starting a
 * scan. */
bool scanner_wait(Scanner *scanner, uint64_t not_before_usec, ScanWaiter waiter, void *userdata);

/* The same for a caller from outside, who may have to wait some moments: asked scans are limited in number.
 */
bool scanner_ask(Scanner *scanner, uint64_t not_before_usec, ScanWaiter waiter, void *userdata);

/* Forgets waiters with this userdata. */
void scanner_forget(Scanner *scanner, void *userdata);

/* True when a reading that began at that time (CLOCK_MONOTONIC) or later was published. */
bool scanner_has_read_since(const Scanner *scanner, uint64_t usec);

/* True once any reading was published. */
bool scanner_has_read(const Scanner *scanner);
