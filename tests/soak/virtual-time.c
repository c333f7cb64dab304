/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into the lfad that ships and into its workers: their clocks are what the page says (virtual-time.h),
 * so that a minute costs nothing. Whoever moves the time wakes the futex, and a thread sets lfad's timers anew, as
 * the kernel does with those of a clock that was set. A worker's pauses move the time and are over.
 * CLOCK_MONOTONIC_RAW stays real: by it the sampler measures. */

#include "virtual-time.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define USEC_PER_SEC 1000000
#define NSEC_PER_USEC 1000
#define TIMERS_MAX 1024 /* by descriptor */

typedef struct Timer {
        bool known, armed, tells_set, was_set;
        int clock;
        int64_t usec; /* by its clock */
} Timer;

static VirtualTime *page;
static bool is_daemon;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Timer timers[TIMERS_MAX];

static void *next_symbol(const char *name) {
        void *symbol = dlsym(RTLD_NEXT, name);

        if (!symbol)
                abort();
        return symbol;
}

#define NEXT(name) ((__typeof__(&name)) next_symbol(#name))

static int64_t real_usec(clockid_t clock) {
        struct timespec ts;

        syscall(SYS_clock_gettime, clock, &ts);
        return (int64_t) ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / NSEC_PER_USEC;
}

static bool is_wall(clockid_t clock) {
        return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_REALTIME_ALARM;
}

static bool is_virtual(clockid_t clock) {
        return page && (is_wall(clock) || clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE ||
                        clock == CLOCK_BOOTTIME || clock == CLOCK_BOOTTIME_ALARM);
}

static int64_t ahead_usec(clockid_t clock) {
        if (!is_virtual(clock))
                return 0;
        return atomic_load(&page->ahead_usec) + (is_wall(clock) ? atomic_load(&page->wall_usec) : 0);
}

static int64_t now_usec(clockid_t clock) {
        return real_usec(clock) + ahead_usec(clock);
}

/* -- clocks */

int clock_gettime(clockid_t clock, struct timespec *ret) {
        int64_t ahead = ahead_usec(clock), nsec;

        if (syscall(SYS_clock_gettime, clock, ret) < 0)
                return -1;
        nsec = ret->tv_nsec + ahead % USEC_PER_SEC * NSEC_PER_USEC;
        ret->tv_sec += ahead / USEC_PER_SEC;
        if (nsec >= 1000000000 || nsec < 0) {
                ret->tv_sec += nsec < 0 ? -1 : 1;
                nsec += nsec < 0 ? 1000000000 : -1000000000;
        }
        ret->tv_nsec = (long) nsec;
        return 0;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone) {
        int64_t now = now_usec(CLOCK_REALTIME);

        *ret = (struct timeval){ .tv_sec = now / USEC_PER_SEC, .tv_usec = now % USEC_PER_SEC };
        return 0;
}

time_t time(time_t *ret) {
        time_t now = (time_t) (now_usec(CLOCK_REALTIME) / USEC_PER_SEC);

        if (ret)
                *ret = now;
        return now;
}

static void wake(VirtualTime *where) {
        atomic_fetch_add(&where->moved, 1);
        syscall(SYS_futex, &where->moved, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* A pause of a worker: half a millisecond of it is real, since what it waits for is. */
int nanosleep(const struct timespec *request, struct timespec *left) {
        static const struct timespec moment = { .tv_nsec = 500000 };

        if (page && (request->tv_sec > 0 || request->tv_nsec > moment.tv_nsec)) {
                atomic_fetch_add(&page->ahead_usec, (int64_t) request->tv_sec * USEC_PER_SEC +
                                                                    request->tv_nsec / NSEC_PER_USEC);
                wake(page);
                request = &moment;
        }
        return syscall(SYS_nanosleep, request, left) < 0 ? -1 : 0;
}

/* -- timers: all is with the lock held */

static int set_real(int fd, int64_t in_usec) {
        struct itimerspec spec = { 0 };

        if (in_usec <= 0)
                spec.it_value.tv_nsec = 1;
        else {
                spec.it_value.tv_sec = in_usec / USEC_PER_SEC;
                spec.it_value.tv_nsec = in_usec % USEC_PER_SEC * NSEC_PER_USEC + 1;
        }
        return (int) syscall(SYS_timerfd_settime, fd, 0, &spec, NULL);
}

static void publish_next(void) {
        int64_t now = now_usec(CLOCK_MONOTONIC), next = INT64_MAX;

        for (int fd = 0; fd < TIMERS_MAX; fd++) {
                const Timer *timer = &timers[fd];

                if (timer->armed && timer->usec < INT64_MAX) {
                        int64_t in_usec = timer->usec - now_usec(timer->clock);

                        if (now + in_usec < next)
                                next = now + in_usec;
                }
        }
        atomic_store(&page->next_usec, next);
}

static void set_all(bool wall_was_set) {
        for (int fd = 0; fd < TIMERS_MAX; fd++) {
                Timer *timer = &timers[fd];

                if (!timer->armed)
                        continue;
                if (wall_was_set && timer->tells_set)
                        timer->was_set = true;
                (void) set_real(fd, timer->was_set ? 0 : timer->usec - now_usec(timer->clock));
        }
        publish_next();
}

static void *follow_time(void *userdata) {
        uint32_t seen = atomic_load(&page->moved), seen_set = atomic_load(&page->wall_was_set);

        for (;;) {
                uint32_t now, now_set;

                syscall(SYS_futex, &page->moved, FUTEX_WAIT, seen, NULL, NULL, 0);
                now = atomic_load(&page->moved);
                if (now == seen)
                        continue;
                seen = now;
                now_set = atomic_load(&page->wall_was_set);
                pthread_mutex_lock(&lock);
                set_all(now_set != seen_set);
                pthread_mutex_unlock(&lock);
                seen_set = now_set;
        }
        return NULL;
}

int timerfd_create(int clock, int flags) {
        int fd = (int) syscall(SYS_timerfd_create, clock, flags);

        if (fd >= 0 && fd < TIMERS_MAX && is_daemon && is_virtual(clock)) {
                pthread_mutex_lock(&lock);
                timers[fd] = (Timer){ .known = true, .clock = clock };
                pthread_mutex_unlock(&lock);
        }
        return fd;
}

/* Returns whether it was told of a clock that was set since, which the kernel says once. */
static bool set_timer(int fd, Timer *timer, int flags, const struct itimerspec *value) {
        bool was_set = timer->was_set;

        timer->armed = value->it_value.tv_sec > 0 || value->it_value.tv_nsec > 0;
        timer->tells_set = flags & TFD_TIMER_CANCEL_ON_SET;
        timer->was_set = false;
        timer->usec = value->it_value.tv_sec >= INT64_MAX / USEC_PER_SEC / 1000
                                      ? INT64_MAX
                                      : (int64_t) value->it_value.tv_sec * USEC_PER_SEC +
                                                        value->it_value.tv_nsec / NSEC_PER_USEC;
        if (timer->armed && !(flags & TFD_TIMER_ABSTIME))
                timer->usec += now_usec(timer->clock);
        if (timer->armed)
                (void) set_real(fd, timer->usec - now_usec(timer->clock));
        else
                (void) syscall(SYS_timerfd_settime, fd, 0, value, NULL);
        publish_next();
        return was_set;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old) {
        bool was_set;

        if (!page || fd < 0 || fd >= TIMERS_MAX || !timers[fd].known)
                return (int) syscall(SYS_timerfd_settime, fd, flags, value, old);
        pthread_mutex_lock(&lock);
        was_set = set_timer(fd, &timers[fd], flags, value);
        pthread_mutex_unlock(&lock);
        if (!was_set)
                return 0;
        errno = ECANCELED;
        return -1;
}

ssize_t read(int fd, void *buffer, size_t size) {
        ssize_t n = syscall(SYS_read, fd, buffer, size);
        bool was_set;

        if (!page || fd < 0 || fd >= TIMERS_MAX || !timers[fd].known)
                return n;
        pthread_mutex_lock(&lock);
        was_set = timers[fd].was_set;
        timers[fd].was_set = false;
        if (n > 0 && !was_set)
                timers[fd].armed = false;
        if (was_set)
                (void) set_real(fd, timers[fd].usec - now_usec(timers[fd].clock));
        publish_next();
        pthread_mutex_unlock(&lock);
        if (!was_set)
                return n;
        errno = ECANCELED;
        return -1;
}

int close(int fd) {
        if (page && fd >= 0 && fd < TIMERS_MAX && timers[fd].known) {
                pthread_mutex_lock(&lock);
                timers[fd] = (Timer){ 0 };
                publish_next();
                pthread_mutex_unlock(&lock);
        }
        return (int) syscall(SYS_close, fd);
}

/* -- what the soak has to know of lfad */

int epoll_wait(int fd, struct epoll_event *events, int size, int timeout) {
        int n, error;

        if (page && is_daemon)
                atomic_store(&page->sleeps, timeout != 0);
        n = (int) syscall(SYS_epoll_pwait, fd, events, size, timeout, NULL, 0);
        error = errno;
        if (page && is_daemon)
                atomic_store(&page->sleeps, 0);
        errno = error;
        return n;
}

static bool is_worker(const char *path) {
        const char *name = strrchr(path, '/');

        return strcmp(name ? name + 1 : path, "lfad-worker") == 0;
}

/* The worker's environment is lfad's choice: what it needs for the same time is added. */
int posix_spawn(pid_t *restrict ret, const char *restrict path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
                char *const envp[restrict]) {
        char preload[PATH_MAX], name[PATH_MAX];
        char *environment[8] = { preload, name };
        const char *damaged = getenv("LFAD_SOAK_DAMAGED");
        int n = 2, r;

        if (!page || !is_worker(path))
                return NEXT(posix_spawn)(ret, path, actions, attributes, argv, envp);
        snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", getenv("LD_PRELOAD"));
        snprintf(name, sizeof(name), VIRTUAL_TIME_PAGE "=%s", getenv(VIRTUAL_TIME_PAGE));
        for (int i = 0; envp[i] && n < 7; i++)
                environment[n++] = envp[i];
        r = NEXT(posix_spawn)(ret, damaged && atomic_load(&page->damaged) ? damaged : path, actions,
                              attributes, argv, environment);
        if (r == 0)
                atomic_fetch_add(&page->workers, 1);
        return r;
}

int waitid(idtype_t type, id_t id, siginfo_t *info, int options) {
        int r = (int) syscall(SYS_waitid, type, id, info, options, NULL);

        if (r == 0 && page && is_daemon && info && info->si_pid > 0 && !(options & WNOWAIT))
                atomic_fetch_sub(&page->workers, 1);
        return r;
}

/* -- for the soak itself, which has the page at another address */

void virtual_time_move(VirtualTime *where, int64_t usec, int64_t wall_usec, uint32_t was_set) {
        atomic_fetch_add(&where->ahead_usec, usec);
        atomic_fetch_add(&where->wall_usec, wall_usec);
        atomic_fetch_add(&where->wall_was_set, was_set);
        wake(where);
}

/* -- the beginning */

VirtualTime *virtual_time_page(void) {
        return page;
}

static void start_following(void) {
        sigset_t all, before;
        pthread_t thread;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        if (pthread_create(&thread, NULL, follow_time, NULL) != 0)
                abort();
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_detach(thread);
}

__attribute__((constructor)) static void begin(void) {
        const char *path = getenv(VIRTUAL_TIME_PAGE);
        char program[PATH_MAX] = "";
        int fd;

        if (!path)
                return;
        fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                abort();
        page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        syscall(SYS_close, fd);
        if (page == MAP_FAILED)
                abort();
        if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
                abort();
        is_daemon = strlen(program) > 5 && strcmp(program + strlen(program) - 5, "/lfad") == 0;
        if (!is_daemon)
                return;
        atomic_store(&page->workers, 0);
        atomic_store(&page->bus_slots, 0);
        atomic_store(&page->sleeps, 0);
        atomic_store(&page->next_usec, INT64_MAX);
        /* With huge pages what lfad takes of memory grows by 2 MiB whenever the kernel likes. */
        (void) prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
        start_following();
}
