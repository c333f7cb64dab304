/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was seen when the real drivers ran and no interface promises: oopses, a corrupted work queue, a
 * deadlock, lost trees, the shape of stalls. Under virtual time. */

#include "world.h"

#include "util/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

/* It waits, and time does not help. */
static void assert_lost(World *world, DriverCall *call) {
        assert_int_equal(driver_call_step(call, world->now).kind, STEP_WAIT);
        world_pass(world, USEC_PER_SEC / 10);
        assert_int_equal(driver_call_step(call, world->now).kind, STEP_WAIT);
}

/* Steps through pauses until the call waits for others. */
static void drive_until_lost(World *world, DriverCall *call) {
        Step step;

        while ((step = driver_call_step(call, world->now)).kind != STEP_WAIT) {
                assert_int_not_equal(step.kind, STEP_DONE);
                world->now += step.usec;
        }
        assert_lost(world, call);
}

static ssize_t activate_next(World *world, const char *guid) {
        world_offer(world, guid, world_component(world, guid)->current_version + 1);
        return world_activate(world, guid);
}

static void a_write_to_an_image_that_may_reset_cpus_oopses_and_keeps_the_mutex(void **state) {
        static const char *const profiles[] = { "v1", "v1nv" };

        for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
                g_autoptr(World) world = world_new(profiles[i], "tfa-fvp");
                g_autoptr(DriverCall) first = world_start(world, BL31), second = NULL;

                assert_lost(world, first);
                assert_int_equal(world->driver->counters.oopses, 1);
                assert_int_equal(world_logged(world, "Unable to handle kernel paging request"), 1);
                second = world_start(world, RMM);
                assert_lost(world, second);
                assert_int_equal(world->firmware->counters.smc[SMC_PRIME], 0);
                assert_string_equal(world_read(world, RMM, ATTRIBUTE_NAME, NULL), "TF-RMM");
        }
}

static void a_refused_cancel_after_a_failed_activate_oopses(void **state) {
        static const char *const profiles[] = { "v1", "v1nv" };

        for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
                g_autoptr(World) world = world_new(profiles[i], "versioned");
                g_autoptr(DriverCall) run = NULL;

                world_offer(world, RMM, VERSION(1, 3));
                world->firmware->faults.outcome = OUTCOME_CHANGE_THEN_FAIL;
                run = world_start(world, RMM);
                drive_until_lost(world, run);
                assert_int_equal(world->driver->counters.oopses, 1);
                assert_null(world->driver->frozen_by);
        }
}

static void a_prime_time_out_of_v1nv_oopses(void **state) {
        g_autoptr(World) world = world_new("v1nv", "versioned");
        g_autoptr(DriverCall) run = NULL;
        uint64_t before = world->now;

        world_offer(world, RMM, VERSION(1, 3));
        world->firmware->faults.call_again[SMC_PRIME] = FOR_EVER;
        run = world_start(world, RMM);
        drive_until_lost(world, run);
        assert_int_equal(world->firmware->counters.smc[SMC_CANCEL], 1);
        assert_int_equal(world->driver->counters.oopses, 1);
        assert_true(world->now - before >= 20 * USEC_PER_SEC);
}

static void a_notification_of_v1nv_oopses_on_an_image_that_may_reset_cpus(void **state) {
        g_autoptr(World) world = world_new("v1nv", "tfa-fvp");

        driver_notify(world->driver, world->now);
        world_pass(world, USEC_PER_SEC);
        assert_int_equal(world->driver->counters.oopses, 1);
        assert_false(driver_is_idle(world->driver));
        assert_int_equal(world->firmware->counters.smc[SMC_PRIME], 0);
}

static void a_stale_image_of_v1nv_oopses_before_the_worker_begins(void **state) {
        g_autoptr(World) world = world_new("v1nv", "versioned"), quiet = world_new("v1nv", "versioned");
        g_autoptr(DriverCall) run = NULL;
        World *worlds[] = { world, quiet };

        quiet->driver->oopses = false;
        for (size_t i = 0; i < G_N_ELEMENTS(worlds); i++) {
                worlds[i]->driver->cleanup_window_usec = worlds[i]->driver->cleanup_idle_usec = USEC_PER_SEC;
                world_component(worlds[i], SCP)->vanished = true;
                assert_int_equal(activate_next(worlds[i], RMM), 1);
        }
        assert_int_equal(world_activate(quiet, SCP), -ECANCELED);
        run = world_start(world, SCP);
        drive_until_lost(world, run);
        assert_int_equal(world->driver->counters.oopses, 1);
}

static void a_writer_on_a_stale_directory_and_the_worker_wait_for_each_other(void **state) {
        g_autoptr(World) world = world_new("v1nv", "versioned");
        g_autoptr(DriverCall) stale = NULL, healthy = NULL;

        world->driver->cleanup_window_usec = USEC_PER_MSEC;
        world_component(world, SCP)->vanished = true;
        assert_int_equal(activate_next(world, RMM), 1);
        stale = world_start(world, SCP);
        assert_lost(world, stale);
        assert_int_equal(world->driver->counters.oopses, 0);
        healthy = world_start(world, RMM);
        assert_lost(world, healthy);
        assert_non_null(driver_find(world->driver, SCP));
        assert_true(world_image(world, SCP)->files_gone);
}

static void successes_of_v1nv_two_milliseconds_apart_corrupt_the_work_queue(void **state) {
        static const struct {
                uint64_t apart;
                bool fatal;
        } rows[] = { { 2 * USEC_PER_MSEC, true }, { 50 * USEC_PER_MSEC, false } };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(World) world = world_new("v1nv", "versioned");
                g_autoptr(DriverCall) run = NULL, reading = NULL;

                assert_int_equal(activate_next(world, RMM), 1);
                world_pass(world, rows[i].apart);
                world_offer(world, SCP, VERSION(3, 2));
                run = world_start(world, SCP);
                if (!rows[i].fatal) {
                        assert_int_equal(world_drive(world, run), 1);
                        continue;
                }
                drive_until_lost(world, run);
                reading = driver_call_read(world->driver, world_image(world, RMM), ATTRIBUTE_NAME);
                assert_lost(world, reading);
        }
}

static void an_endless_activate_of_v1nv_freezes_everything_and_then_succeeds(void **state) {
        g_autoptr(World) world = world_new("v1nv", "versioned");
        g_autoptr(DriverCall) run = NULL, reading = NULL;
        const DriverCounters *counters = &world->driver->counters;
        uint64_t before;

        world_offer(world, RMM, VERSION(1, 3));
        world->firmware->faults.call_again[SMC_ACTIVATE] = FOR_EVER;
        before = world->now;
        run = world_start(world, RMM);
        assert_int_equal(driver_call_step(run, world->now).kind, STEP_STALL);
        reading = driver_call_read(world->driver, world_image(world, SCP), ATTRIBUTE_NAME);
        assert_int_equal(driver_call_step(reading, world->now).kind, STEP_WAIT);
        assert_int_equal(world_drive(world, run), 1);
        assert_in_range(world->now - before, 20 * USEC_PER_SEC, 20 * USEC_PER_SEC + USEC_PER_MSEC);
        assert_true(world_drive(world, reading) > 0);
        assert_int_equal(counters->stalls, 1);
        assert_true(counters->stall_largest >= 20 * USEC_PER_SEC);
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_CURRENT_VERSION, NULL), "1.2");
}

static void without_a_rendezvous_no_cpu_but_the_callers_stops(void **state) {
        g_autoptr(World) world = world_new("v1nv", "versioned");
        g_autoptr(DriverCall) run = NULL;

        world_offer(world, RMM, VERSION(1, 3));
        world_image(world, RMM)->force_rendezvous = false;
        world->firmware->faults.call_again[SMC_ACTIVATE] = 1;
        run = world_start(world, RMM);
        assert_int_equal(driver_call_step(run, world->now).kind, STEP_STALL);
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_CURRENT_VERSION, NULL), "3.1");
        world->now += USEC_PER_MSEC;
        assert_int_equal(world_drive(world, run), 1);
        assert_int_equal(world->driver->counters.stalls, 0);
}

static void one_long_activate_is_one_stall_and_call_agains_are_many(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");
        DriverCounters *counters = &world->driver->counters;

        world->firmware->timing.activate = 500 * USEC_PER_MSEC;
        assert_int_equal(activate_next(world, RMM), 1);
        assert_int_equal(counters->stalls, 1);
        assert_int_equal(counters->stall_largest, 500 * USEC_PER_MSEC);
        memset(counters, 0, sizeof(*counters));

        world->firmware->timing.activate = 20 * USEC_PER_MSEC;
        world->firmware->faults.call_again[SMC_ACTIVATE] = 40;
        assert_int_equal(activate_next(world, RMM), 1);
        assert_int_equal(counters->stalls, 41);
        assert_int_equal(counters->stall_largest, 20 * USEC_PER_MSEC);
        assert_int_equal(counters->stall_sum, 41 * 20 * USEC_PER_MSEC);
}

static const char *const losers[] = { "v2s", "v2", "v2bos", "v3", "nv3" };

static void a_success_right_after_another_loses_the_tree(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(losers); i++) {
                g_autoptr(World) world = world_new(losers[i], "versioned");

                world->driver->cleanup_window_usec = 5 * USEC_PER_MSEC;
                assert_int_equal(activate_next(world, RMM), 1);
                assert_int_equal(activate_next(world, SCP), 1);
                world_pass(world, USEC_PER_SEC);
                assert_int_equal(world->driver->images->len, 0);
                assert_int_equal(world_logged(world,
                                              "sysfs: cannot create duplicate filename '/firmware/lfa/" RMM
                                              "'"),
                                 1);
                assert_int_equal(driver_unbind(world->driver, world->now), 0);
                assert_int_equal(driver_bind(world->driver, world->now), 0);
                assert_int_equal(world->driver->images->len, 4);
        }
}

static void a_success_after_the_worker_keeps_the_tree(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(losers); i++) {
                g_autoptr(World) world = world_new(losers[i], "versioned");
                uint64_t generation = world_image(world, RMM)->generation;

                assert_int_equal(activate_next(world, RMM), 1);
                world_pass(world, 2 * USEC_PER_MSEC);
                assert_int_equal(activate_next(world, SCP), 1);
                world_pass(world, USEC_PER_SEC);
                assert_int_equal(world->driver->images->len, 4);
                assert_int_equal(world_image(world, RMM)->generation, generation);
        }
}

static void the_fault_loses_as_many_directories_as_told_until_the_next_success(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(losers); i++) {
                g_autoptr(World) world = world_new(losers[i], "versioned");
                uint64_t generation = world_image(world, RMM)->generation;

                world->driver->refresh_usec = 10 * USEC_PER_MSEC;
                world->driver->lose_tree = 2;
                assert_int_equal(activate_next(world, SCP), 1);
                world_pass(world, USEC_PER_SEC);
                assert_int_equal(world->driver->images->len, 2);
                assert_int_equal(world_logged(world, "cannot create duplicate filename"), 2);
                assert_null(driver_find(world->driver, RMM));
                assert_int_equal(activate_next(world, SCP), 1);
                world_pass(world, USEC_PER_SEC);
                assert_int_equal(world->driver->images->len, 4);
                assert_int_not_equal(world_image(world, RMM)->generation, generation);
        }
}

static void nvnew_and_the_first_versions_never_lose_it(void **state) {
        static const char *const keepers[] = { "rfc1", "rfc2", "nvrfc", "v1", "v1nv", "nvnew" };

        for (size_t i = 0; i < G_N_ELEMENTS(keepers); i++) {
                g_autoptr(World) world = world_new(keepers[i], "versioned");

                assert_false(driver_loses_trees(world->driver));
                world->driver->oopses = false;
                for (int n = 0; n < 100; n++)
                        assert_int_equal(activate_next(world, RMM), 1);
                world_pass(world, USEC_PER_SEC);
                assert_int_equal(world->driver->images->len, 4);
        }
}

static void a_lost_prime_leaves_the_image_primed(void **state) {
        g_autoptr(World) world = world_new("v1nv", "versioned");

        world->driver->lost_primes = 1;
        assert_int_equal(activate_next(world, RMM), -ECANCELED);
        assert_int_equal(world_component(world, RMM)->prime, PRIME_COMPLETE);
        assert_int_equal(world->firmware->counters.smc[SMC_CANCEL], 0);
        assert_int_equal(world->firmware->counters.smc[SMC_ACTIVATE], 0);
        assert_int_equal(world_activate(world, RMM), 1);
}

static void one_busy_cpu_fails_a_run_that_replaced_the_firmware(void **state) {
        g_autoptr(World) world = world_new("v3", "versioned");

        world->firmware->faults.outcome = OUTCOME_CHANGE_THEN_BUSY;
        assert_int_equal(activate_next(world, RMM), -ECANCELED);
        assert_int_equal(world->firmware->counters.smc[SMC_ACTIVATE], 2);
        assert_int_equal(world_logged(world, "LFA_COMPONENT_WRONG_STATE"), 1);
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_CURRENT_VERSION, NULL), "1.2");
        assert_true(world_component(world, RMM)->current_version == VERSION(1, 3));
}

static void an_endless_round_sends_about_seven_hundred_events_a_second(void **state) {
        static const char *const profiles[] = { "v2bos", "nvnew" };

        for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
                g_autoptr(World) world = world_new(profiles[i], "tfa-fvp");

                g_free(world_events(world));
                world_image(world, RMM)->auto_activate = true;
                driver_notify(world->driver, world->now);
                world_pass(world, USEC_PER_SEC);
                assert_in_range(g_queue_get_length(world->driver->events), 600, 800);
                assert_int_equal(world->driver->images->len, 6);
        }
}

static void a_round_goes_on_while_nvnew_is_being_removed(void **state) {
        g_autoptr(World) world = world_new("nvnew", "tfa-fvp");
        uint64_t before;

        world_image(world, RMM)->auto_activate = true;
        driver_notify(world->driver, world->now);
        world_pass(world, USEC_PER_SEC / 10);
        assert_int_equal(driver_unbind(world->driver, world->now), 0);
        before = world->firmware->counters.smc[SMC_ACTIVATE];
        world_pass(world, USEC_PER_SEC);
        assert_true(world->firmware->counters.smc[SMC_ACTIVATE] > before + 500);
        assert_true(driver_has_root(world->driver));
        assert_int_equal(world_write(world, RMM, ATTRIBUTE_AUTO_ACTIVATE, "0"), 1);
        world_pass(world, USEC_PER_SEC / 10);
        assert_false(driver_has_root(world->driver));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_write_to_an_image_that_may_reset_cpus_oopses_and_keeps_the_mutex),
                cmocka_unit_test(a_refused_cancel_after_a_failed_activate_oopses),
                cmocka_unit_test(a_prime_time_out_of_v1nv_oopses),
                cmocka_unit_test(a_notification_of_v1nv_oopses_on_an_image_that_may_reset_cpus),
                cmocka_unit_test(a_stale_image_of_v1nv_oopses_before_the_worker_begins),
                cmocka_unit_test(a_writer_on_a_stale_directory_and_the_worker_wait_for_each_other),
                cmocka_unit_test(successes_of_v1nv_two_milliseconds_apart_corrupt_the_work_queue),
                cmocka_unit_test(an_endless_activate_of_v1nv_freezes_everything_and_then_succeeds),
                cmocka_unit_test(without_a_rendezvous_no_cpu_but_the_callers_stops),
                cmocka_unit_test(one_long_activate_is_one_stall_and_call_agains_are_many),
                cmocka_unit_test(a_success_right_after_another_loses_the_tree),
                cmocka_unit_test(a_success_after_the_worker_keeps_the_tree),
                cmocka_unit_test(the_fault_loses_as_many_directories_as_told_until_the_next_success),
                cmocka_unit_test(nvnew_and_the_first_versions_never_lose_it),
                cmocka_unit_test(an_endless_round_sends_about_seven_hundred_events_a_second),
                cmocka_unit_test(a_round_goes_on_while_nvnew_is_being_removed),
                cmocka_unit_test(a_lost_prime_leaves_the_image_primed),
                cmocka_unit_test(one_busy_cpu_fails_a_run_that_replaced_the_firmware),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
