/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's watchdogs: readings by the worker, and who waits for one. */

#include "daemon/watchdogs.h"
#include "util/log.h"
#include "util/macros.h"

#define FRESH_USEC USEC_PER_SEC

typedef struct Waiting {
        WatchdogsWaiter waiter;
        void *userdata;
} Waiting;

struct Watchdogs {
        sd_event *event;
        const WorkerSettings *settings;
        const Clock *clock;

        WorkerProcess *worker;
        GArray *reading;    /* Watchdog: what the running worker has said so far */
        bool reading_ended; /* its "end" came */
        bool reading_bad;   /* so did what does not belong there */
        int reading_error;
        uint64_t began_usec; /* CLOCK_MONOTONIC */

        GArray *known; /* Watchdog: the last reading, or NULL */
        uint64_t known_since_usec;
        GArray *waiters; /* Waiting */
};

/* Waiters may ask again while they are called. */
static void answer_waiters(Watchdogs *watchdogs, int error) {
        g_autoptr(GArray) waiters = g_steal_pointer(&watchdogs->waiters);

        watchdogs->waiters = g_array_new(FALSE, FALSE, sizeof(Waiting));
        for (unsigned i = 0; i < waiters->len; i++) {
                const Waiting *waiting = &g_array_index(waiters, Waiting, i);

                waiting->waiter(error, error < 0 ? NULL : watchdogs->known, waiting->userdata);
        }
}

static void on_answer(const Answer *answer, void *userdata) {
        Watchdogs *watchdogs = userdata;

        if (answer->type == ANSWER_END) {
                watchdogs->reading_ended = true;
                watchdogs->reading_error = -answer->error;
        } else if (answer->type != ANSWER_WATCHDOG || watchdogs->reading->len > WATCHDOGS_MAX)
                watchdogs->reading_bad = true;
        else
                g_array_append_val(watchdogs->reading, answer->watchdog);
}

static void on_ended(bool clean, void *userdata) {
        Watchdogs *watchdogs = userdata;
        bool whole = clean && watchdogs->reading_ended && !watchdogs->reading_bad;
        int error = whole ? watchdogs->reading_error : -EIO;

        watchdogs->worker = worker_process_free(watchdogs->worker);
        if (error < 0) {
                log_warning_errno(error, "Cannot read the watchdogs");
                g_clear_pointer(&watchdogs->reading, g_array_unref);
        } else {
                g_clear_pointer(&watchdogs->known, g_array_unref);
                watchdogs->known = g_steal_pointer(&watchdogs->reading);
                watchdogs->known_since_usec = watchdogs->began_usec;
        }
        answer_waiters(watchdogs, error);
}

static const WorkerCallbacks callbacks = { .answer = on_answer, .ended = on_ended };

static int start_worker(Watchdogs *watchdogs) {
        g_autoptr(GPtrArray) arguments = g_ptr_array_new();
        int r;

        g_ptr_array_add(arguments, (char *) "watchdogs");
        watchdogs->reading = g_array_new(FALSE, FALSE, sizeof(Watchdog));
        watchdogs->reading_ended = watchdogs->reading_bad = false;
        watchdogs->reading_error = 0;
        watchdogs->began_usec = clock_monotonic(watchdogs->clock);
        r = worker_process_start(watchdogs->event, watchdogs->settings, arguments, -EBADF, &callbacks,
                                 watchdogs, &watchdogs->worker);
        if (r == 0)
                return 0;
        g_clear_pointer(&watchdogs->reading, g_array_unref);
        log_error_errno(r < 0 ? r : -EIO, "Cannot start %s", watchdogs->settings->path);
        return r < 0 ? r : -EIO;
}

Watchdogs *watchdogs_new(sd_event *event, const WorkerSettings *settings, const Clock *clock) {
        Watchdogs *watchdogs = g_new0(Watchdogs, 1);

        watchdogs->event = sd_event_ref(event);
        watchdogs->settings = settings;
        watchdogs->clock = clock;
        watchdogs->waiters = g_array_new(FALSE, FALSE, sizeof(Waiting));
        return watchdogs;
}

void watchdogs_cancel(Watchdogs *watchdogs) {
        answer_waiters(watchdogs, -ECANCELED);
}

void *watchdogs_free(Watchdogs *watchdogs) {
        if (watchdogs) {
                watchdogs_cancel(watchdogs);
                worker_process_free(watchdogs->worker);
                g_clear_pointer(&watchdogs->reading, g_array_unref);
                g_clear_pointer(&watchdogs->known, g_array_unref);
                g_array_unref(watchdogs->waiters);
                sd_event_unref(watchdogs->event);
                g_free(watchdogs);
        }
        return NULL;
}

int watchdogs_ask(Watchdogs *watchdogs, WatchdogsWaiter waiter, void *userdata) {
        Waiting waiting = { waiter, userdata };
        int r = 0;

        if (watchdogs->known &&
            clock_monotonic(watchdogs->clock) < watchdogs->known_since_usec + FRESH_USEC) {
                waiter(0, watchdogs->known, userdata);
                return 0;
        }
        if (watchdogs->waiters->len >= WATCHDOG_WAITERS_MAX)
                return -EDQUOT;
        g_array_append_val(watchdogs->waiters, waiting);
        if (!watchdogs->worker)
                r = start_worker(watchdogs);
        if (r < 0)
                answer_waiters(watchdogs, r);
        return 0;
}
