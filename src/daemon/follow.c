/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Following a worker that an earlier lfad started: by its pid's descriptor, and by the lock that it holds,
 * never by waiting for the lock. */

#include "daemon/activation-lock.h"
#include "daemon/conclude.h"
#include "daemon/manager.h"
#include "util/log.h"
#include "util/macros.h"

#include <sys/syscall.h>

#define LOOK_AGAIN_USEC USEC_PER_SEC

static void follow(Manager *manager);

static void stop_following(Manager *manager) {
        manager->follow_source = sd_event_source_disable_unref(manager->follow_source);
        manager->follow_timer = sd_event_source_disable_unref(manager->follow_timer);
}

/* Whether the worker has ended, seen by the lock. When the lock cannot be looked at, it has not. */
static bool lock_is_free(Manager *manager) {
        _cleanup_close_ int fd = activation_lock_take(manager->settings->runtime_folder);

        return fd >= 0;
}

static void worker_ended(Manager *manager) {
        Job *job = manager->current;
        ActivationReport report;
        int r;

        stop_following(manager);
        if (manager->foreign_activation) {
                manager->foreign_activation = false;
                manager->observer->manager_changed(MANAGER_PROPERTY_ACTIVATING, manager->userdata);
        }
        if (!job) {
                guard_release(manager->guard, NULL);
                manager->tree_stable_since_usec = clock_monotonic(manager->clock);
                queue_forget_patience(manager);
                scanner_hold(manager->scanner, false);
                scanner_scan(manager->scanner);
                queue_schedule(manager);
                return;
        }
        r = activation_report_read(manager->settings->runtime_folder, job->id,
                                   history_boot_id(manager->history), &report);
        job_conclude(job, r >= 0 ? &report : NULL, false);
}

static int on_worker_exit(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Manager *manager = userdata;

        manager->follow_source = sd_event_source_disable_unref(manager->follow_source);
        follow(manager);
        return 0;
}

static int on_follow_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        follow(userdata);
        return 0;
}

static void look_again_later(Manager *manager) {
        int r;

        if (manager->follow_timer) {
                (void) sd_event_source_set_time_relative(manager->follow_timer, LOOK_AGAIN_USEC);
                (void) sd_event_source_set_enabled(manager->follow_timer, SD_EVENT_ONESHOT);
                return;
        }
        r = sd_event_add_time_relative(manager->event, &manager->follow_timer, CLOCK_MONOTONIC,
                                       LOOK_AGAIN_USEC, USEC_PER_MSEC * 100, on_follow_timer, manager);
        if (r < 0)
                log_error_errno(r, "Cannot add a timer to follow the activation");
}

/* The pid in the lock is a hint: it may not be written yet, or be somebody else's by now. The lock decides.
 */
static void watch_holder(Manager *manager) {
        uint32_t job;
        pid_t pid = activation_lock_holder(manager->settings->runtime_folder, &job);
        int fd, r;

        if (pid <= 0 || manager->follow_source)
                return;
        fd = (int) syscall(SYS_pidfd_open, pid, 0);
        if (fd < 0)
                return;
        r = sd_event_add_io(manager->event, &manager->follow_source, fd, EPOLLIN, on_worker_exit, manager);
        if (r < 0) {
                close(fd);
                return;
        }
        (void) sd_event_source_set_io_fd_own(manager->follow_source, true);
        (void) sd_event_source_set_description(manager->follow_source, "earlier-worker");
}

static void follow(Manager *manager) {
        if (lock_is_free(manager)) {
                worker_ended(manager);
                return;
        }
        watch_holder(manager);
        look_again_later(manager);
}

void activation_adopt(Manager *manager, Job *job) {
        g_queue_remove(&manager->queue, job);
        manager->current = job;
        /* The first reading is let through, so that there is something to show; it may sleep. */
        scanner_hold(manager->scanner, scanner_has_read(manager->scanner));
        job_set_state(job, JOB_ACTIVATING);
        manager->observer->manager_changed(MANAGER_PROPERTY_CURRENT_JOB | MANAGER_PROPERTY_ACTIVATING,
                                           manager->userdata);
        guard_adopt(manager->guard, job);
        activation_watch_for_long_write(manager);
        follow(manager);
}

void activation_watch_foreign(Manager *manager) {
        if (manager->foreign_activation)
                return;
        log_event(LFA_MESSAGE_WORKER_FOLLOWED, NULL,
                  "A worker of an earlier lfad still holds the activation lock; waiting for its end.");
        manager->foreign_activation = true;
        guard_adopt(manager->guard, NULL);
        manager->observer->manager_changed(MANAGER_PROPERTY_ACTIVATING, manager->userdata);
        scanner_hold(manager->scanner, scanner_has_read(manager->scanner));
        follow(manager);
}

void activation_follow(Manager *manager) {
        follow(manager);
}
