/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the driver's tree is read. */

#include "daemon/scanner.h"
#include "util/log.h"
#include "util/macros.h"

/* A healthy image shows the values of a dropped one for milliseconds; a dropped one's directory goes within
 * 3 ms, under load within a second (kernel driver, observed). */
#define CONFIRM_USEC (250 * USEC_PER_MSEC)
#define CONFIRMATIONS_MAX 8
#define WAIT_MAX_USEC (10 * USEC_PER_SEC)
#define SETTLE_STRETCH 5
/* Whoever may ask for readings may not keep firmware busy with them. */
#define ASKED_INTERVAL_USEC (200 * USEC_PER_MSEC)

typedef struct Waiting {
        uint64_t not_before_usec, deadline_usec;
        ScanWaiter waiter;
        void *userdata;
} Waiting;

struct Scanner {
        sd_event *event;
        const WorkerSettings *settings;
        const Clock *clock;
        uint64_t poll_usec;
        const ScannerCallbacks *callbacks;
        void *userdata;

        sd_event_source *poll_source, *scan_source, *timeout_source;
        uint64_t dirty_since_usec; /* 0 = clean */
        bool held;
        bool tainted; /* an activation began while the running scan read: what it saw does not count */
        bool again;   /* a scan was asked for while one ran or scans were held */

        WorkerProcess *worker;
        Tree *reading;      /* what the running scan has said so far */
        bool reading_ended; /* its "end" came */
        int reading_error;
        uint64_t began_usec;

        Tree *candidate; /* a reading that waits for a second one to agree */
        unsigned confirmations;
        Tree *published;
        uint64_t published_began_usec;
        GArray *waiters; /* Waiting */
};

static void start_scan(Scanner *scanner);

static uint64_t now_usec(const Scanner *scanner) {
        return clock_monotonic(scanner->clock);
}

/* (Re)arms one of the scanner's timers; the callback gets the scanner. */
static void arm_timer(Scanner *scanner, sd_event_source **source, uint64_t at_usec, uint64_t accuracy_usec,
                      sd_event_time_handler_t handler, const char *description) {
        int r;

        if (*source) {
                (void) sd_event_source_set_time(*source, at_usec);
                (void) sd_event_source_set_enabled(*source, SD_EVENT_ONESHOT);
                return;
        }
        r = sd_event_add_time(scanner->event, source, CLOCK_MONOTONIC, at_usec, accuracy_usec, handler,
                              scanner);
        if (r < 0) {
                log_error_errno(r, "Cannot add timer '%s'", description);
                return;
        }
        (void) sd_event_source_set_description(*source, description);
}

/* Waiters may add new ones while they are called, so each is taken out first. */
static void answer_waiters(Scanner *scanner, int error) {
        for (unsigned i = 0; i < scanner->waiters->len;) {
                Waiting waiting = g_array_index(scanner->waiters, Waiting, i);

                if (error >= 0 && waiting.not_before_usec > scanner->published_began_usec) {
                        i++;
                        continue;
                }
                g_array_remove_index(scanner->waiters, i);
                waiting.waiter(error, waiting.userdata);
        }
}

static void publish(Scanner *scanner, Tree *tree) {
        tree_free(scanner->published);
        scanner->published = tree;
        scanner->published_began_usec = scanner->began_usec;
        scanner->candidate = tree_free(scanner->candidate);
        scanner->confirmations = 0;
        scanner->callbacks->tree_read(tree, scanner->userdata);
}

static int on_scan_time(sd_event_source *source, uint64_t usec, void *userdata) {
        start_scan(userdata);
        return 0;
}

static void scan_at(Scanner *scanner, uint64_t at_usec) {
        arm_timer(scanner, &scanner->scan_source, at_usec, USEC_PER_MSEC, on_scan_time, "scan");
}

/* A reading that may be a glimpse of a refresh counts when the next one says the same. */
static void judge_reading(Scanner *scanner, Tree *tree) {
        bool doubtful = scanner->published && tree_change_needs_confirmation(scanner->published, tree);

        if (doubtful && scanner->confirmations < CONFIRMATIONS_MAX &&
            (!scanner->candidate || !tree_equal(scanner->candidate, tree))) {
                tree_free(scanner->candidate);
                scanner->candidate = tree;
                scanner->confirmations++;
                scan_at(scanner, now_usec(scanner) + CONFIRM_USEC);
                return;
        }
        publish(scanner, tree);
        answer_waiters(scanner, 0);
}

static void on_answer(const Answer *answer, void *userdata) {
        Scanner *scanner = userdata;

        switch (answer->type) {
        case ANSWER_DRIVER:
                scanner->reading->driver_state = answer->driver.state;
                scanner->reading->profile = answer->driver.profile;
                break;
        case ANSWER_IMAGE:
                if (scanner->reading->images->len < TREE_IMAGES_MAX)
                        g_array_append_val(scanner->reading->images, answer->image);
                break;
        case ANSWER_END:
                scanner->reading_ended = true;
                scanner->reading_error = -answer->error;
                break;
        default:
                break;
        }
}

static void on_ended(bool clean, void *userdata) {
        Scanner *scanner = userdata;
        Tree *tree = g_steal_pointer(&scanner->reading);
        int error = !clean || !scanner->reading_ended ? -EBADMSG : scanner->reading_error;

        scanner->worker = worker_process_free(scanner->worker);
        if (scanner->again && !scanner->held)
                scan_at(scanner, 0);
        if (scanner->tainted) {
                scanner->tainted = false;
                tree_free(tree);
                return;
        }
        if (error < 0) {
                log_warning_errno(error, "Reading the driver's tree failed");
                tree_free(tree);
                answer_waiters(scanner, error);
                return;
        }
        tree_sort(tree);
        judge_reading(scanner, tree);
}

static const WorkerCallbacks worker_callbacks = { .answer = on_answer, .ended = on_ended };

static void start_scan(Scanner *scanner) {
        g_autoptr(GPtrArray) arguments = NULL;
        int r;

        if (scanner->worker || scanner->held) {
                scanner->again = true;
                return;
        }
        scanner->again = false;
        scanner->dirty_since_usec = 0;
        if (scanner->scan_source)
                (void) sd_event_source_set_enabled(scanner->scan_source, SD_EVENT_OFF);

        arguments = g_ptr_array_new();
        g_ptr_array_add(arguments, (char *) "scan");
        scanner->began_usec = now_usec(scanner);
        scanner->reading = tree_new();
        scanner->reading_ended = false;
        r = worker_process_start(scanner->event, scanner->settings, arguments, -EBADF, &worker_callbacks,
                                 scanner, &scanner->worker);
        if (r < 0) {
                log_error_errno(r, "Cannot start %s", scanner->settings->path);
                scanner->reading = tree_free(scanner->reading);
                answer_waiters(scanner, r);
        }
}

static int on_poll(sd_event_source *source, uint64_t usec, void *userdata) {
        Scanner *scanner = userdata;

        arm_timer(scanner, &scanner->poll_source, now_usec(scanner) + scanner->poll_usec, USEC_PER_SEC,
                  on_poll, "poll");
        scanner->callbacks->polled(scanner->userdata);
        start_scan(scanner);
        return 0;
}

Scanner *scanner_new(sd_event *event, const WorkerSettings *settings, const Clock *clock, uint64_t poll_usec,
                     const ScannerCallbacks *callbacks, void *userdata) {
        Scanner *scanner = g_new0(Scanner, 1);

        scanner->event = sd_event_ref(event);
        scanner->settings = settings;
        scanner->clock = clock;
        scanner->poll_usec = poll_usec;
        scanner->callbacks = callbacks;
        scanner->userdata = userdata;
        scanner->waiters = g_array_new(FALSE, FALSE, sizeof(Waiting));
        arm_timer(scanner, &scanner->poll_source, now_usec(scanner) + poll_usec, USEC_PER_SEC, on_poll,
                  "poll");
        return scanner;
}

void scanner_mark_dirty(Scanner *scanner, uint64_t settle_usec) {
        uint64_t now = now_usec(scanner), at;

        if (scanner->dirty_since_usec == 0)
                scanner->dirty_since_usec = now;
        at = MIN(now + settle_usec, scanner->dirty_since_usec + SETTLE_STRETCH * settle_usec);
        scan_at(scanner, at);
}

void scanner_scan(Scanner *scanner) {
        start_scan(scanner);
}

void scanner_hold(Scanner *scanner, bool hold) {
        scanner->held = hold;
        if (hold && scanner->worker)
                scanner->tainted = scanner->again = true;
        if (!hold && scanner->again)
                start_scan(scanner);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        Scanner *scanner = userdata;
        uint64_t now = now_usec(scanner), next = UINT64_MAX;

        for (unsigned i = 0; i < scanner->waiters->len;) {
                Waiting waiting = g_array_index(scanner->waiters, Waiting, i);

                if (waiting.deadline_usec > now) {
                        next = MIN(next, waiting.deadline_usec);
                        i++;
                        continue;
                }
                g_array_remove_index(scanner->waiters, i);
                waiting.waiter(-ETIMEDOUT, waiting.userdata);
        }
        if (next != UINT64_MAX)
                arm_timer(scanner, &scanner->timeout_source, next, USEC_PER_MSEC, on_timeout,
                          "scan-timeout");
        return 0;
}

bool scanner_wait(Scanner *scanner, uint64_t not_before_usec, ScanWaiter waiter, void *userdata) {
        uint64_t now = now_usec(scanner);
        Waiting waiting = { not_before_usec, now + WAIT_MAX_USEC, waiter, userdata };

        if (scanner->published && scanner->published_began_usec >= not_before_usec)
                return true;
        if (scanner->waiters->len == 0)
                arm_timer(scanner, &scanner->timeout_source, waiting.deadline_usec, USEC_PER_MSEC,
                          on_timeout, "scan-timeout");
        g_array_append_val(scanner->waiters, waiting);
        /* A scan that runs, or a confirmation that is due, may have begun too early for this one. */
        if (scanner->worker && scanner->began_usec >= not_before_usec)
                return false;
        if (now < scanner->began_usec + ASKED_INTERVAL_USEC && scanner->began_usec > 0)
                scan_at(scanner, scanner->began_usec + ASKED_INTERVAL_USEC);
        else
                start_scan(scanner);
        return false;
}

void scanner_forget(Scanner *scanner, void *userdata) {
        for (unsigned i = 0; i < scanner->waiters->len;) {
                if (g_array_index(scanner->waiters, Waiting, i).userdata == userdata)
                        g_array_remove_index(scanner->waiters, i);
                else
                        i++;
        }
}

bool scanner_has_read(const Scanner *scanner) {
        return scanner->published != NULL;
}

void *scanner_free(Scanner *scanner) {
        if (!scanner)
                return NULL;
        answer_waiters(scanner, -ECANCELED);
        worker_process_free(scanner->worker);
        sd_event_source_disable_unref(scanner->poll_source);
        sd_event_source_disable_unref(scanner->scan_source);
        sd_event_source_disable_unref(scanner->timeout_source);
        tree_free(scanner->reading);
        tree_free(scanner->candidate);
        tree_free(scanner->published);
        g_array_unref(scanner->waiters);
        sd_event_unref(scanner->event);
        g_free(scanner);
        return NULL;
}
