/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's watchdogs: readings by the worker and systemd's word, and who waits for them. */

#include "daemon/watchdogs.h"
#include "util/log.h"
#include "util/macros.h"

#include <string.h>

/* A device may not answer at all. Whoever waits is told so then, and whoever asks while that reading is under way. */
#define PATIENCE_USEC (10 * USEC_PER_SEC)

#define SYSTEMD_PROPERTY(property, signature)                                                               \
        {                                                                                                   \
                "org.freedesktop.systemd1", "/org/freedesktop/systemd1",                                    \
                                "org.freedesktop.systemd1.Manager", property, signature                     \
        }

const BusProperty systemd_runtime_watchdog = SYSTEMD_PROPERTY("RuntimeWatchdogUSec", "t");
static const BusProperty systemd_device = SYSTEMD_PROPERTY("WatchdogDevice", "s");

typedef struct Waiting {
        WatchdogsWaiter waiter;
        void *userdata;
        uint64_t not_before_usec; /* CLOCK_MONOTONIC */
} Waiting;

struct Watchdogs {
        sd_event *event;
        sd_bus *bus;
        const WorkerSettings *settings;
        const Clock *clock;

        /* the reading under way */
        WorkerProcess *worker;
        BusQuestion *timeout_question, *device_question;
        GArray *devices; /* Watchdog: what the running worker has said so far */
        SystemdWatchdog systemd;
        Lockups lockups;
        bool reading_ended; /* the worker's "end" came */
        bool reading_bad;   /* so did what does not belong there */
        int error;
        uint64_t began_usec; /* CLOCK_MONOTONIC */
        bool overdue;
        sd_event_source *patience;

        int outcome; /* of the last reading that ended, or is overdue */
        uint64_t outcome_since_usec;
        WatchdogReading known; /* the last one; without devices there is none */
        uint64_t known_since_usec;
        GArray *waiters; /* Waiting */
};

static void start_reading(Watchdogs *watchdogs);

static bool is_reading(const Watchdogs *watchdogs) {
        return watchdogs->worker || watchdogs->timeout_question || watchdogs->device_question;
}

/* Waiters may ask again, or forget others, while they are called: each is taken out first. */
static void answer_waiters(Watchdogs *watchdogs, int error, uint64_t began_usec) {
        for (unsigned i = 0; i < watchdogs->waiters->len;) {
                Waiting waiting = g_array_index(watchdogs->waiters, Waiting, i);

                if (waiting.not_before_usec > began_usec) {
                        i++;
                        continue;
                }
                g_array_remove_index(watchdogs->waiters, i);
                waiting.waiter(error, error < 0 ? NULL : &watchdogs->known, waiting.userdata);
        }
}

static void conclude(Watchdogs *watchdogs, int outcome) {
        watchdogs->outcome = outcome;
        watchdogs->outcome_since_usec = watchdogs->began_usec;
        watchdogs->patience = sd_event_source_disable_unref(watchdogs->patience);
}

static void check_end(Watchdogs *watchdogs) {
        int error = watchdogs->error;

        if (is_reading(watchdogs))
                return;
        watchdogs->overdue = false;
        conclude(watchdogs, error);
        if (error < 0) {
                log_event_errno(LFA_MESSAGE_WATCHDOG_UNREADABLE, error, NULL, "Cannot read the watchdogs");
                g_clear_pointer(&watchdogs->devices, g_array_unref);
        } else {
                if (watchdogs->known.watchdogs)
                        g_array_unref((GArray *) watchdogs->known.watchdogs);
                watchdogs->known = (WatchdogReading){ .watchdogs = g_steal_pointer(&watchdogs->devices),
                                                      .systemd = watchdogs->systemd,
                                                      .lockups = watchdogs->lockups };
                watchdogs->known_since_usec = watchdogs->began_usec;
        }
        answer_waiters(watchdogs, error, watchdogs->began_usec);
        if (watchdogs->waiters->len > 0 && !is_reading(watchdogs))
                start_reading(watchdogs);
}

static void on_answer(const Answer *answer, void *userdata) {
        Watchdogs *watchdogs = userdata;

        if (answer->type == ANSWER_END) {
                watchdogs->reading_ended = true;
                watchdogs->error = -answer->error;
        } else if (answer->type == ANSWER_LOCKUPS)
                watchdogs->lockups = answer->lockups;
        else if (answer->type != ANSWER_WATCHDOG || watchdogs->devices->len > WATCHDOGS_MAX)
                watchdogs->reading_bad = true;
        else
                g_array_append_val(watchdogs->devices, answer->watchdog);
}

static void on_ended(bool clean, void *userdata) {
        Watchdogs *watchdogs = userdata;

        watchdogs->worker = worker_process_free(watchdogs->worker);
        if (!clean || !watchdogs->reading_ended || watchdogs->reading_bad)
                watchdogs->error = -EIO;
        check_end(watchdogs);
}

static const WorkerCallbacks callbacks = { .answer = on_answer, .ended = on_ended };

static void log_silence(int error, const char *property) {
        if (error < 0 && error != -ENXIO)
                log_debug("systemd does not tell %s: %s", property, g_strerror(-error));
}

static void on_timeout(int error, sd_bus_message *answer, void *userdata) {
        Watchdogs *watchdogs = userdata;

        watchdogs->timeout_question = bus_question_free(watchdogs->timeout_question);
        log_silence(error, systemd_runtime_watchdog.name);
        watchdogs->systemd.known =
                        error >= 0 && sd_bus_message_read(answer, "t", &watchdogs->systemd.timeout_usec) > 0;
        check_end(watchdogs);
}

/* Older versions do not have this property (252 has): then nothing is told. */
static void on_device(int error, sd_bus_message *answer, void *userdata) {
        Watchdogs *watchdogs = userdata;
        const char *path = NULL;

        watchdogs->device_question = bus_question_free(watchdogs->device_question);
        log_silence(error, systemd_device.name);
        if (error >= 0 && sd_bus_message_read(answer, "s", &path) > 0)
                g_strlcpy(watchdogs->systemd.device, path, sizeof(watchdogs->systemd.device));
        check_end(watchdogs);
}

static void ask_systemd(Watchdogs *watchdogs) {
        if (!watchdogs->bus)
                return;
        if (bus_question_get(watchdogs->bus, &systemd_runtime_watchdog, on_timeout, watchdogs,
                             &watchdogs->timeout_question) < 0 ||
            bus_question_get(watchdogs->bus, &systemd_device, on_device, watchdogs,
                             &watchdogs->device_question) < 0)
                log_debug("systemd cannot be asked about its watchdog.");
}

static int on_patience(sd_event_source *source, uint64_t usec, void *userdata) {
        Watchdogs *watchdogs = userdata;

        log_event(LFA_MESSAGE_WATCHDOG_UNREADABLE, NULL,
                  "The watchdogs cannot be read: one of them, or systemd, does not answer.");
        watchdogs->overdue = true;
        conclude(watchdogs, -ETIMEDOUT);
        answer_waiters(watchdogs, -ETIMEDOUT, UINT64_MAX);
        return 0;
}

static int start_worker(Watchdogs *watchdogs) {
        g_autofree char *procfs = g_strdup_printf("--procfs=%s", watchdogs->settings->procfs);
        g_autoptr(GPtrArray) arguments = g_ptr_array_new();
        int r;

        g_ptr_array_add(arguments, (char *) "watchdogs");
        g_ptr_array_add(arguments, procfs);
        r = worker_process_start(watchdogs->event, watchdogs->settings, arguments, -EBADF, &callbacks,
                                 watchdogs, &watchdogs->worker);
        if (r == 0)
                return 0;
        log_event_errno(LFA_MESSAGE_WORKER_FAILED, r < 0 ? r : -EIO, NULL, "Cannot start %s",
                        watchdogs->settings->path);
        return r < 0 ? r : -EIO;
}

static void start_reading(Watchdogs *watchdogs) {
        g_clear_pointer(&watchdogs->devices, g_array_unref);
        watchdogs->devices = g_array_new(FALSE, FALSE, sizeof(Watchdog));
        watchdogs->systemd = (SystemdWatchdog){ 0 };
        lockups_init(&watchdogs->lockups);
        watchdogs->reading_ended = watchdogs->reading_bad = false;
        watchdogs->began_usec = clock_monotonic(watchdogs->clock);
        watchdogs->error = start_worker(watchdogs);
        if (watchdogs->error < 0) {
                conclude(watchdogs, watchdogs->error);
                answer_waiters(watchdogs, watchdogs->error, watchdogs->began_usec);
                return;
        }
        ask_systemd(watchdogs);
        if (sd_event_add_time_relative(watchdogs->event, &watchdogs->patience, CLOCK_MONOTONIC,
                                       PATIENCE_USEC, USEC_PER_MSEC, on_patience, watchdogs) < 0)
                log_error("Cannot add a timer for the watchdogs.");
}

Watchdogs *watchdogs_new(sd_event *event, sd_bus *bus, const WorkerSettings *settings, const Clock *clock) {
        Watchdogs *watchdogs = g_new0(Watchdogs, 1);

        watchdogs->event = sd_event_ref(event);
        watchdogs->bus = bus;
        watchdogs->settings = settings;
        watchdogs->clock = clock;
        watchdogs->waiters = g_array_new(FALSE, FALSE, sizeof(Waiting));
        return watchdogs;
}

void watchdogs_cancel(Watchdogs *watchdogs) {
        answer_waiters(watchdogs, -ECANCELED, UINT64_MAX);
}

void *watchdogs_free(Watchdogs *watchdogs) {
        if (watchdogs) {
                watchdogs_cancel(watchdogs);
                worker_process_free(watchdogs->worker);
                sd_event_source_disable_unref(watchdogs->patience);
                bus_question_free(watchdogs->timeout_question);
                bus_question_free(watchdogs->device_question);
                g_clear_pointer(&watchdogs->devices, g_array_unref);
                if (watchdogs->known.watchdogs)
                        g_array_unref((GArray *) watchdogs->known.watchdogs);
                g_array_unref(watchdogs->waiters);
                sd_event_unref(watchdogs->event);
                g_free(watchdogs);
        }
        return NULL;
}

const WatchdogReading *watchdogs_last(const Watchdogs *watchdogs, uint64_t not_before_usec) {
        return watchdogs->known.watchdogs && watchdogs->known_since_usec >= not_before_usec
                               ? &watchdogs->known
                               : NULL;
}

int watchdogs_error(const Watchdogs *watchdogs) {
        return watchdogs->outcome;
}

static bool has_failed_since(const Watchdogs *watchdogs, uint64_t usec) {
        return watchdogs->outcome < 0 && watchdogs->outcome_since_usec >= usec;
}

static void ask(Watchdogs *watchdogs, uint64_t not_before_usec, WatchdogsWaiter waiter, void *userdata) {
        Waiting waiting = { waiter, userdata, not_before_usec };

        if (watchdogs->overdue) {
                waiter(watchdogs->outcome, NULL, userdata);
                return;
        }
        g_array_append_val(watchdogs->waiters, waiting);
        if (!is_reading(watchdogs))
                start_reading(watchdogs);
}

/* A failure is shared as a reading is: else those who may not make lfad read often could, where it fails. */
int watchdogs_ask(Watchdogs *watchdogs, WatchdogsWaiter waiter, void *userdata) {
        uint64_t now = clock_monotonic(watchdogs->clock);
        uint64_t recent = now > WATCHDOGS_FRESH_USEC ? now - WATCHDOGS_FRESH_USEC : 0;
        const WatchdogReading *last = watchdogs_last(watchdogs, recent);

        if (last)
                waiter(0, last, userdata);
        else if (has_failed_since(watchdogs, recent))
                waiter(watchdogs->outcome, NULL, userdata);
        else if (watchdogs->waiters->len >= WATCHDOG_WAITERS_MAX)
                return -EDQUOT;
        else /* one under way will do, however long it takes */
                ask(watchdogs, is_reading(watchdogs) ? watchdogs->began_usec : recent, waiter, userdata);
        return 0;
}

void watchdogs_ask_since(Watchdogs *watchdogs, uint64_t not_before_usec, WatchdogsWaiter waiter,
                         void *userdata) {
        const WatchdogReading *last = watchdogs_last(watchdogs, not_before_usec);

        if (has_failed_since(watchdogs, not_before_usec))
                waiter(watchdogs->outcome, NULL, userdata);
        else if (last)
                waiter(0, last, userdata);
        else
                ask(watchdogs, not_before_usec, waiter, userdata);
}

void watchdogs_ask_anew(Watchdogs *watchdogs, WatchdogsWaiter waiter, void *userdata) {
        ask(watchdogs, clock_monotonic(watchdogs->clock), waiter, userdata);
}

void watchdogs_prepare(Watchdogs *watchdogs, uint64_t not_before_usec) {
        if (!is_reading(watchdogs) && !has_failed_since(watchdogs, not_before_usec) &&
            !watchdogs_last(watchdogs, not_before_usec))
                start_reading(watchdogs);
}

void watchdogs_forget(Watchdogs *watchdogs, void *userdata) {
        for (unsigned i = watchdogs->waiters->len; i-- > 0;)
                if (g_array_index(watchdogs->waiters, Waiting, i).userdata == userdata)
                        g_array_remove_index(watchdogs->waiters, i);
}
