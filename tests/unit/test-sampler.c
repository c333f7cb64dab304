/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sampler thread: its life, and what it claims. What it measures of a process that really stood still:
 * tests/component/test-blackout.py. */

#include "unit.h"
#include "worker/sampler.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_usec(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
        return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}

static unsigned count_threads(void) {
        g_autoptr(GDir) tasks = g_dir_open("/proc/self/task", 0, NULL);
        unsigned n = 0;

        assert_non_null(tasks);
        while (g_dir_read_name(tasks))
                n++;
        return n;
}

static void assert_nothing_measured(const Blackout *blackout) {
        assert_false(blackout->measured);
        assert_int_equal(blackout->usec, 0);
        assert_int_equal(blackout->count, 0);
        assert_int_equal(blackout->sum_usec, 0);
}

static void a_sampler_that_watched_nothing_measured_nothing(void **state) {
        Sampler *sampler = sampler_start();
        Blackout blackout;

        assert_non_null(sampler);
        blackout = sampler_stop(sampler);
        assert_nothing_measured(&blackout);
}

static void no_thread_is_left(void **state) {
        unsigned before = count_threads();
        Sampler *sampler = sampler_start();

        assert_int_equal(count_threads(), before + 1);
        sampler_begin(sampler);
        sampler_end(sampler);
        (void) sampler_stop(sampler);
        for (int i = 0; i < 1000 && count_threads() > before; i++)
                g_usleep(10000); /* pthread_join(3) does not wait until the kernel lists it no more */
        assert_int_equal(count_threads(), before);
}

/* Whatever the machine does meanwhile, and however short it was: what is claimed lies within the time that
 * was watched. */
static void what_is_claimed_fits_into_what_was_watched(void **state) {
        for (unsigned i = 0; i < 50; i++) {
                Sampler *sampler = sampler_start();
                uint64_t before = now_usec(), length;
                struct timespec pause = { .tv_nsec = (long) (i % 5) * 400000 };
                Blackout blackout;

                sampler_begin(sampler);
                nanosleep(&pause, NULL);
                sampler_end(sampler);
                length = now_usec() - before;
                blackout = sampler_stop(sampler);
                assert_true(blackout.measured);
                assert_in_range(blackout.sum_usec, 0, length);
                assert_in_range(blackout.usec, 0, blackout.sum_usec);
                assert_true(blackout.floor_usec >= 500);
                assert_true((blackout.count > 0) == (blackout.usec > blackout.floor_usec));
                assert_true(blackout.count > 1 || blackout.usec == blackout.sum_usec);
        }
}

/* In a process that may have so many threads. */
static int run_without_threads(rlim_t limit) {
        const struct rlimit none = { limit, limit };
        Sampler *sampler;
        Blackout blackout;

        if ((geteuid() == 0 && setresuid(65534, 65534, 65534) < 0) || setrlimit(RLIMIT_NPROC, &none) < 0)
                return 2;
        sampler = sampler_start();
        sampler_begin(sampler);
        sampler_end(sampler);
        blackout = sampler_stop(sampler);
        return sampler || blackout.measured ? 1 : 0;
}

static bool set_policy(int policy, int priority) {
        const struct sched_param param = { .sched_priority = priority };

        return sched_setscheduler(0, policy, &param) == 0;
}

/* The policy of the only other thread; negative when there is none. */
static int other_policy(void) {
        g_autoptr(GDir) tasks = g_dir_open("/proc/self/task", 0, NULL);
        const char *name;

        while (tasks && (name = g_dir_read_name(tasks)))
                if (atoi(name) != getpid())
                        return sched_getscheduler(atoi(name));
        return -1;
}

/* In a process without privileges: whether the sampler has what the limit allows, and nobody else has. */
static int run_with_priority_limit(rlim_t limit) {
        const struct rlimit priority = { limit, limit };
        Sampler *sampler;
        bool allowed, right;

        (void) setrlimit(RLIMIT_RTPRIO, &priority); /* root of a container may not raise it */
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
                return 2;
        allowed = set_policy(SCHED_FIFO, 1);
        if ((allowed && limit == 0) || (allowed && !set_policy(SCHED_OTHER, 0)))
                return 2;
        sampler = sampler_start();
        if (!sampler)
                return 3;
        right = other_policy() == (allowed ? SCHED_FIFO : SCHED_OTHER) &&
                sched_getscheduler(0) == SCHED_OTHER;
        (void) sampler_stop(sampler);
        return right ? 0 : 1;
}

static void assert_child(int (*run)(rlim_t), rlim_t limit) {
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0)
                _exit(run(limit));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void where_no_thread_can_be_nothing_is_measured_and_nothing_fails(void **state) {
        assert_child(run_without_threads, 0);
}

/* 1 is what the service unit grants. */
static void the_priority_is_what_the_limit_allows(void **state) {
        assert_child(run_with_priority_limit, 0);
        assert_child(run_with_priority_limit, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_thread_is_left), /* the first: none of another is left */
                cmocka_unit_test(a_sampler_that_watched_nothing_measured_nothing),
                cmocka_unit_test(what_is_claimed_fits_into_what_was_watched),
                cmocka_unit_test(where_no_thread_can_be_nothing_is_measured_and_nothing_fails),
                cmocka_unit_test(the_priority_is_what_the_limit_allows),
        };

        return cmocka_run_group_tests_name("sampler", tests, NULL, NULL);
}
