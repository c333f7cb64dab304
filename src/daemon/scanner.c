/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the driver's tree is read. */

#include "daemon/scanner.h"
#include "util/log.h"
#include "util/macros.h"
#include "util/ratelimit.h"

/* A healthy image shows the values of a dropped one for milliseconds; a dropped one's directory goes within
 * 3 ms, under load within a second (kernel driver, observed). */
#define CONFIRM_USEC (250 * USEC_PER_MSEC)
#define CONFIRMATIONS_MAX 8
#define WAIT_MAX_USEC (10 * USEC_PER_SEC)
#define SETTLE_STRETCH 5
/* Whoever may ask for readings may not keep firmware busy with them: a burst, then one a second; and scans
 * that take long leave four times as long between them. */
#define ASKED_PAUSE_USEC (200 * USEC_PER_MSEC)
#define ASKED_PAUSE_FACTOR 4
#define ASKED_PAUSE_MAX_USEC                                                                                \
        USEC_PER_SEC /* far below WAIT_MAX_USEC: one slow scan must not refuse those who ask later */
#define ASKED_BURST 10
#define ASKED_REFILL_USEC USEC_PER_SEC

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
        uint64_t polled_usec; /* CLOCK_MONOTONIC of the last poll, at first of the start */
        const ScannerCallbacks *callbacks;
        void *userdata;

        sd_event_source *poll_source, *scan_source, *dirty_source, *timeout_source;
        uint64_t scan_due_usec;    /* what scan_source is set to; UINT64_MAX = off */
        uint64_t dirty_since_usec; /* 0 = clean */
        bool held;
        bool tainted; /* an activation began while the running scan read: what it saw does not count */
        bool again;   /* a scan was asked for while one ran or scans were held */

        WorkerProcess *worker;
        Tree *reading;      /* what the running scan has said so far */
        bool reading_ended; /* its "end" came */
        int reading_error;
        uint64_t began_usec, ended_usec;

        uint64_t asked_scan_usec; /* when the next scan that somebody asked for is due, 0 = none */
        unsigned asked_tokens;
        uint64_t asked_refilled_usec;

        Tree *candidate; /* a reading that waits for a second one to agree */
        unsigned confirmations;
        uint64_t confirm_usec;   /* a reading that began earlier confirms nothing */
        RateLimit failure_limit; /* of log lines */
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

static void stop_timer(sd_event_source *source) {
        if (source)
                (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

/* Waiters may add new ones while they are called, so each is taken out first. */
static void answer_waiters(Scanner *scanner, int error) {
        for (unsigned i = 0; i < scanner->waiters->len;) {
                Waiting waiting = g_array_index(scanner->waiters, Waiting, i);

                if (waiting.not_before_usec >
                    (error >= 0 ? scanner->published_began_usec : scanner->began_usec)) {
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
        Scanner *scanner = userdata;

        if (source == scanner->scan_source)
                scanner->scan_due_usec = UINT64_MAX; /* it has fired */
        start_scan(scanner);
        return 0;
}

/* The earlier time counts when one is set already. */
static void scan_at(Scanner *scanner, uint64_t at_usec) {
        if (scanner->scan_due_usec <= at_usec)
                return;
        scanner->scan_due_usec = at_usec;
        arm_timer(scanner, &scanner->scan_source, at_usec, USEC_PER_MSEC, on_scan_time, "scan");
}

/* A reading that may be a glimpse of a refresh counts when the next one says the same. */
static void judge_reading(Scanner *scanner, Tree *tree) {
        g_autoptr(Tree) nothing = tree_new();
        bool doubtful = tree_change_needs_confirmation(scanner->published ? scanner->published : nothing,
                                                       tree);

        if (doubtful && scanner->confirmations < CONFIRMATIONS_MAX &&
            (!scanner->candidate || scanner->began_usec < scanner->confirm_usec ||
             !tree_equal(scanner->candidate, tree))) {
                tree_free(scanner->candidate);
                scanner->candidate = tree;
                if (scanner->confirmations == 0 || scanner->began_usec >= scanner->confirm_usec)
                        scanner->confirm_usec = now_usec(scanner) + CONFIRM_USEC;
                scanner->confirmations++;
                scan_at(scanner, scanner->confirm_usec);
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
                scanner->reading->id = answer->driver.tree;
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

static uint64_t asked_pause_end(const Scanner *scanner) {
        uint64_t duration = scanner->ended_usec - MIN(scanner->ended_usec, scanner->began_usec);

        return scanner->ended_usec +
               CLAMP(ASKED_PAUSE_FACTOR * duration, ASKED_PAUSE_USEC, ASKED_PAUSE_MAX_USEC);
}

static void on_ended(bool clean, void *userdata) {
        Scanner *scanner = userdata;
        Tree *tree = g_steal_pointer(&scanner->reading);
        int error = !clean || !scanner->reading_ended ? -EBADMSG : scanner->reading_error;

        scanner->worker = worker_process_free(scanner->worker);
        scanner->ended_usec = now_usec(scanner);
        if (scanner->again && !scanner->held)
                scan_at(scanner, 0);
        else if (scanner->asked_scan_usec > 0 && !scanner->held)
                scan_at(scanner, MAX(scanner->asked_scan_usec, asked_pause_end(scanner)));
        if (scanner->tainted) {
                scanner->tainted = false;
                tree_free(tree);
                return;
        }
        if (error < 0) {
                if (ratelimit_pass(&scanner->failure_limit, scanner->ended_usec))
                        log_event_errno(LFA_MESSAGE_DRIVER_UNREADABLE, error, NULL,
                                        "Reading the driver's tree failed");
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
        scanner->dirty_since_usec = scanner->asked_scan_usec = 0;
        stop_timer(scanner->scan_source);
        stop_timer(scanner->dirty_source);
        scanner->scan_due_usec = UINT64_MAX;

        arguments = g_ptr_array_new();
        g_ptr_array_add(arguments, (char *) "scan");
        scanner->began_usec = now_usec(scanner);
        scanner->reading = tree_new();
        scanner->reading_ended = false;
        r = worker_process_start(scanner->event, scanner->settings, arguments, -EBADF, &worker_callbacks,
                                 scanner, &scanner->worker);
        if (r > 0) /* it runs, and nobody hears it */
                r = -EIO;
        if (r < 0) {
                log_event_errno(LFA_MESSAGE_WORKER_FAILED, r, NULL, "Cannot start %s",
                                scanner->settings->path);
                scanner->reading = tree_free(scanner->reading);
                answer_waiters(scanner, r);
        }
}

static int on_poll(sd_event_source *source, uint64_t usec, void *userdata);

static void arm_poll(Scanner *scanner) {
        arm_timer(scanner, &scanner->poll_source, scanner->polled_usec + scanner->poll_usec, USEC_PER_SEC,
                  on_poll, "poll");
}

static int on_poll(sd_event_source *source, uint64_t usec, void *userdata) {
        Scanner *scanner = userdata;

        scanner->polled_usec = now_usec(scanner);
        arm_poll(scanner);
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
        scanner->failure_limit = (RateLimit){ .interval_usec = 60 * USEC_PER_SEC, .burst = 5 };
        scanner->poll_usec = poll_usec;
        scanner->callbacks = callbacks;
        scanner->userdata = userdata;
        scanner->scan_due_usec = UINT64_MAX;
        scanner->asked_tokens = ASKED_BURST;
        scanner->asked_refilled_usec = clock_monotonic(clock);
        scanner->waiters = g_array_new(FALSE, FALSE, sizeof(Waiting));
        scanner->polled_usec = now_usec(scanner);
        arm_poll(scanner);
        return scanner;
}

void scanner_set_poll(Scanner *scanner, uint64_t poll_usec) {
        scanner->poll_usec = poll_usec;
        arm_poll(scanner);
}

void scanner_mark_dirty(Scanner *scanner, uint64_t settle_usec) {
        uint64_t now = now_usec(scanner), at;

        if (scanner->dirty_since_usec == 0)
                scanner->dirty_since_usec = now;
        at = MIN(now + settle_usec, scanner->dirty_since_usec + SETTLE_STRETCH * settle_usec);
        /* A timer of its own: events that keep coming may put off this scan, not those that somebody waits for. */
        arm_timer(scanner, &scanner->dirty_source, at, USEC_PER_MSEC, on_scan_time, "dirty");
}

void scanner_scan(Scanner *scanner) {
        start_scan(scanner);
}

void scanner_hold(Scanner *scanner, bool hold) {
        scanner->held = hold;
        if (hold && scanner->worker)
                scanner->tainted = scanner->again = true;
        if (!hold && (scanner->again || scanner->asked_scan_usec > 0))
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

/* Returns true when a good enough reading was published already; else the waiter is in the list. */
static bool add_waiter(Scanner *scanner, uint64_t not_before_usec, ScanWaiter waiter, void *userdata) {
        Waiting waiting = { not_before_usec, now_usec(scanner) + WAIT_MAX_USEC, waiter, userdata };

        if (scanner->published && scanner->published_began_usec >= not_before_usec)
                return true;
        if (scanner->waiters->len == 0)
                arm_timer(scanner, &scanner->timeout_source, waiting.deadline_usec, USEC_PER_MSEC,
                          on_timeout, "scan-timeout");
        g_array_append_val(scanner->waiters, waiting);
        return false;
}

/* Whether the scan that runs will do for one who wants a reading not older than that. */
static bool runs_since(const Scanner *scanner, uint64_t not_before_usec) {
        return scanner->worker && scanner->began_usec >= not_before_usec;
}

void scanner_prepare(Scanner *scanner, uint64_t not_before_usec) {
        if (!scanner_has_read_since(scanner, not_before_usec) && !runs_since(scanner, not_before_usec))
                start_scan(scanner);
}

bool scanner_wait(Scanner *scanner, uint64_t not_before_usec, ScanWaiter waiter, void *userdata) {
        if (add_waiter(scanner, not_before_usec, waiter, userdata))
                return true;
        if (!runs_since(scanner, not_before_usec))
                start_scan(scanner);
        return false;
}

/* When the next asked scan may begin; takes a token. */
static uint64_t plan_asked_scan(Scanner *scanner) {
        uint64_t now = now_usec(scanner), refills;

        refills = now > scanner->asked_refilled_usec
                                  ? (now - scanner->asked_refilled_usec) / ASKED_REFILL_USEC
                                  : 0;
        if (scanner->asked_tokens + refills >= ASKED_BURST) {
                scanner->asked_tokens = ASKED_BURST;
                scanner->asked_refilled_usec = now;
        } else {
                scanner->asked_tokens += (unsigned) refills;
                scanner->asked_refilled_usec += refills * ASKED_REFILL_USEC;
        }
        if (scanner->asked_tokens > 0) {
                scanner->asked_tokens--;
                return now;
        }
        /* the next token, taken in advance */
        scanner->asked_refilled_usec = MIN(scanner->asked_refilled_usec, now) + ASKED_REFILL_USEC;
        return scanner->asked_refilled_usec;
}

bool scanner_ask(Scanner *scanner, uint64_t not_before_usec, ScanWaiter waiter, void *userdata) {
        uint64_t at;

        if (add_waiter(scanner, not_before_usec, waiter, userdata))
                return true;
        if (runs_since(scanner, not_before_usec) || scanner->asked_scan_usec > 0)
                return false;
        at = MAX(plan_asked_scan(scanner), 1);
        scanner->asked_scan_usec = at;
        if (scanner->worker || scanner->held)
                return false; /* its end looks here */
        if (scanner->ended_usec > 0)
                at = MAX(at, asked_pause_end(scanner));
        if (at <= now_usec(scanner))
                start_scan(scanner);
        else
                scan_at(scanner, at);
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

bool scanner_has_read_since(const Scanner *scanner, uint64_t usec) {
        return scanner->published && scanner->published_began_usec >= usec;
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
        sd_event_source_disable_unref(scanner->dirty_source);
        sd_event_source_disable_unref(scanner->timeout_source);
        tree_free(scanner->reading);
        tree_free(scanner->candidate);
        tree_free(scanner->published);
        g_array_unref(scanner->waiters);
        sd_event_unref(scanner->event);
        g_free(scanner);
        return NULL;
}
