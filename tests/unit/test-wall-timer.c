/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The timer by the clock on the wall: it elapses when it should, and tells that the clock was set. Nobody sets the clock
 * here: the kernel's answer to that is put in place of its own (read and timerfd_settime are wrapped). */

#include "daemon/wall-timer.h"
#include "unit.h"
#include "util/clock.h"
#include "util/macros.h"

#include <sys/timerfd.h>

static bool read_is_cancelled, set_is_cancelled;

ssize_t __real_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size) {
        ssize_t n = __real_read(fd, buffer, size);

        if (!read_is_cancelled)
                return n;
        read_is_cancelled = false;
        errno = ECANCELED;
        return -1;
}

int __real_timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old) {
        int r = __real_timerfd_settime(fd, flags, new, old);

        assert_int_equal(flags, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
        if (r < 0 || !set_is_cancelled)
                return r;
        set_is_cancelled = false;
        errno = ECANCELED;
        return -1;
}

typedef struct World {
        sd_event *event;
        WallTimer *timer;
        unsigned elapsed, set;
} World;

static void on_elapsed(bool clock_was_set, void *userdata) {
        World *world = userdata;

        world->elapsed++;
        world->set += clock_was_set;
}

static int setup(void **state) {
        World *world = g_new0(World, 1);

        assert_true(sd_event_new(&world->event) >= 0);
        assert_int_equal(wall_timer_new(world->event, on_elapsed, world, &world->timer), 0);
        *state = world;
        return 0;
}

static int teardown(void **state) {
        World *world = *state;

        wall_timer_free(world->timer);
        sd_event_unref(world->event);
        g_free(world);
        return 0;
}

/* Returns whether it elapsed. */
static bool run(World *world, uint64_t patience_usec) {
        unsigned before = world->elapsed;
        uint64_t end = clock_monotonic(&system_clock) + patience_usec;

        do {
                uint64_t now = clock_monotonic(&system_clock);

                assert_true(sd_event_run(world->event, now < end ? end - now : 0) >= 0);
        } while (world->elapsed == before && clock_monotonic(&system_clock) < end);
        return world->elapsed != before;
}

static uint64_t from_now(uint64_t usec) {
        return clock_realtime(&system_clock) + usec;
}

static void it_elapses_once_at_its_time(void **state) {
        World *world = *state;
        uint64_t when = from_now(20 * USEC_PER_MSEC);

        assert_int_equal(wall_timer_set(world->timer, when), 0);
        assert_true(run(world, 10 * USEC_PER_SEC));
        assert_true(clock_realtime(&system_clock) >= when);
        assert_false(run(world, 0));
        assert_int_equal(world->set, 0);
}

static void what_has_gone_by_elapses_at_once(void **state) {
        assert_int_equal(wall_timer_set(((World *) *state)->timer, 0), 0);
        assert_true(run(*state, 10 * USEC_PER_SEC));
        assert_int_equal(wall_timer_set(((World *) *state)->timer, from_now(0) - 3600 * USEC_PER_SEC), 0);
        assert_true(run(*state, 10 * USEC_PER_SEC));
}

static void what_is_never_does_not_elapse(void **state) {
        World *world = *state;

        assert_false(run(world, 0)); /* as it is made */
        assert_int_equal(wall_timer_set(world->timer, 0), 0);
        assert_int_equal(wall_timer_set(world->timer, UINT64_MAX), 0);
        assert_false(run(world, 0));
        assert_int_equal(wall_timer_set(world->timer, UINT64_MAX / 2), 0);
        assert_false(run(world, 0));
}

static void a_clock_that_is_set_is_told(void **state) {
        World *world = *state;

        assert_int_equal(wall_timer_set(world->timer, 0), 0);
        read_is_cancelled = true;
        assert_true(run(world, 10 * USEC_PER_SEC));
        assert_int_equal(world->set, 1);
        assert_int_equal(wall_timer_set(world->timer, 0), 0);
        assert_true(run(world, 10 * USEC_PER_SEC));
        assert_int_equal(world->set, 1); /* the last one told nothing of the kind */
}

static void so_is_one_that_is_set_while_the_timer_is(void **state) {
        World *world = *state;

        set_is_cancelled = true;
        assert_int_equal(wall_timer_set(world->timer, UINT64_MAX), 0);
        assert_true(run(world, 10 * USEC_PER_SEC));
        assert_int_equal(world->set, 1);
        assert_int_equal(world->elapsed, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(it_elapses_once_at_its_time, setup, teardown),
                cmocka_unit_test_setup_teardown(what_has_gone_by_elapses_at_once, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_never_does_not_elapse, setup, teardown),
                cmocka_unit_test_setup_teardown(a_clock_that_is_set_is_told, setup, teardown),
                cmocka_unit_test_setup_teardown(so_is_one_that_is_set_while_the_timer_is, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
