/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The timer by the clock on the wall. sd-event has timers of that clock, but they do not tell when it was set: the kernel
 * does (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET), of timers that are armed. */

#include "daemon/wall-timer.h"
#include "util/macros.h"

#include <errno.h>
#include <glib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* The kernel's largest time is in ns; no host lives to see this one. */
#define NEVER_SEC (INT64_C(200) * 365 * 24 * 3600)

struct WallTimer {
        WallTimerElapsed elapsed;
        void *userdata;
        sd_event_source *source; /* owns the descriptor */
        int fd;
        bool was_set; /* the clock, as was found while the timer was set */
};

static int on_ready(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        WallTimer *timer = userdata;
        bool was_set = timer->was_set;
        uint64_t times;

        if (read(fd, &times, sizeof(times)) < 0) {
                if (errno != ECANCELED)
                        return 0; /* it was set anew meanwhile */
                was_set = true;
        }
        timer->was_set = false;
        timer->elapsed(was_set, timer->userdata);
        return 0;
}

static int arm(WallTimer *timer, struct timespec when) {
        const struct itimerspec spec = { .it_value = when };
        int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;

        return timerfd_settime(timer->fd, flags, &spec, NULL) < 0 ? -errno : 0;
}

int wall_timer_set(WallTimer *timer, uint64_t usec) {
        struct timespec when = { .tv_sec = NEVER_SEC };
        int r;

        if (usec / USEC_PER_SEC < (uint64_t) NEVER_SEC) {
                when.tv_sec = (time_t) (usec / USEC_PER_SEC);
                when.tv_nsec = (long) (usec % USEC_PER_SEC) * 1000 + 1; /* 0 would disarm it */
        }
        r = arm(timer, when);
        if (r != -ECANCELED)
                return r;
        /* The clock was set, and this was the only time that the kernel says so. */
        timer->was_set = true;
        return arm(timer, (struct timespec){ .tv_nsec = 1 });
}

int wall_timer_new(sd_event *event, WallTimerElapsed elapsed, void *userdata, WallTimer **ret) {
        _cleanup_close_ int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
        WallTimer *timer;
        int r;

        if (fd < 0)
                return -errno;
        timer = g_new(WallTimer, 1);
        *timer = (WallTimer){ .elapsed = elapsed, .userdata = userdata, .fd = fd };
        r = wall_timer_set(timer, UINT64_MAX);
        if (r >= 0)
                r = sd_event_add_io(event, &timer->source, fd, EPOLLIN, on_ready, timer);
        if (r < 0) {
                g_free(timer);
                return r;
        }
        fd = -EBADF;
        (void) sd_event_source_set_io_fd_own(timer->source, true);
        (void) sd_event_source_set_description(timer->source, "wall-timer");
        *ret = timer;
        return 0;
}

void *wall_timer_free(WallTimer *timer) {
        if (timer) {
                sd_event_source_disable_unref(timer->source);
                g_free(timer);
        }
        return NULL;
}
