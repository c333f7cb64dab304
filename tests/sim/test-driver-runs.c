/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Activations step by step under virtual time: budgets, refusals, cancel in between, two at once, locks. */

#include "world.h"

#include "util/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void fail_next(World *world, SmcKind kind, int code) {
        world->firmware->faults.fail[kind].code = code;
        world->firmware->faults.fail[kind].left = 1;
}

static uint64_t calls(const World *world, SmcKind kind) {
        return world->firmware->counters.smc[kind];
}

/* Steps until the call pauses or waits or is done. */
static Step step_once(World *world, DriverCall *call) {
        Step step = driver_call_step(call, world->now);

        if (step.kind == STEP_SLEEP || step.kind == STEP_STALL)
                world->now += step.usec;
        return step;
}

static void statement_17_any_data_starts_a_run(void **state) {
        static const char *const data[] = { "0", "\n", "no", "1" };
        g_autoptr(World) world = world_new("nvnew", "versioned");

        for (size_t i = 0; i < G_N_ELEMENTS(data); i++) {
                world_offer(world, RMM, VERSION(2, (uint64_t) i));
                assert_int_equal(world_write(world, RMM, ATTRIBUTE_ACTIVATE, data[i]), strlen(data[i]));
                assert_int_equal(calls(world, SMC_ACTIVATE), i + 1);
        }
}

static void statement_19_firmware_refuses_what_is_not_pending(void **state) {
        g_autoptr(World) world = world_new("v3", "versioned"), rfc = world_new("rfc1", "versioned");

        assert_int_equal(world_activate(world, RMM), -ECANCELED);
        assert_int_equal(calls(world, SMC_PRIME), 1);
        assert_int_equal(world_logged(world, "LFA_PRIME for image TF-RMM failed: LFA_WRONG_STATE"), 1);
        assert_int_equal(world_activate(rfc, RMM), -EIO);
}

static void statement_20_an_image_that_may_reset_cpus_never_reaches_firmware(void **state) {
        static const struct {
                const char *profile;
                int error;
        } rows[] = { { "v3", ECANCELED }, { "nvnew", ECANCELED }, { "v1", ECANCELED }, { "rfc2", EINVAL } };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(World) world = world_new(rows[i].profile, "tfa-fvp");

                world->driver->oopses = false;
                assert_int_equal(world_activate(world, BL31), -rows[i].error);
                assert_int_equal(calls(world, SMC_PRIME), 0);
                assert_int_equal(world_logged(world, "CPU reset not supported by kernel driver"), 1);
        }
}

/* Those with budgets, and what they are. The pause is the driver's; the scheduler's rounding is not modelled. */
static const struct {
        const char *profile;
        uint64_t prime_seconds, prime_pause, activate_seconds;
} budgets[] = {
        { "v1nv", 20, 150, 20 },
        { "v2s", 30, 10 * USEC_PER_MSEC, 10 },
        { "v2", 30, 10 * USEC_PER_MSEC, 10 },
        { "v2bos", 30, 10 * USEC_PER_MSEC, 10 },
        { "v3", 30, 10 * USEC_PER_MSEC, 10 },
        { "nv3", 30, 10 * USEC_PER_MSEC, 10 },
        { "nvnew", 30, 10 * USEC_PER_MSEC, 10 },
};

static void statement_21_each_call_again_of_prime_pauses_ten_milliseconds(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(budgets); i++) {
                g_autoptr(World) world = world_new(budgets[i].profile, "versioned");
                uint64_t before;

                world_offer(world, RMM, VERSION(1, 3));
                world->firmware->faults.call_again[SMC_PRIME] = 1900;
                before = world->now;
                assert_int_equal(world_activate(world, RMM), 1);
                assert_int_equal(world->now - before, 1900 * budgets[i].prime_pause);
                assert_int_equal(calls(world, SMC_PRIME), 1901);
        }
}

static void statement_22_budgets_of_prime_to_the_microsecond(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(budgets); i++) {
                g_autoptr(World) world = world_new(budgets[i].profile, "versioned");
                uint64_t before, budget = budgets[i].prime_seconds * USEC_PER_SEC;

                world->driver->oopses = false;
                world_offer(world, RMM, VERSION(1, 3));
                world->firmware->faults.call_again[SMC_PRIME] = FOR_EVER;
                before = world->now;
                assert_int_equal(world_activate(world, RMM), -ECANCELED);
                /* looked at between calls, so it is found out one pause late at most */
                assert_in_range(world->now - before, budget + 1, budget + budgets[i].prime_pause);
                assert_int_equal(calls(world, SMC_CANCEL), 1);
                assert_int_equal(world_logged(world, "timed out"), 1);
        }
}

static void statement_23_an_endless_activate_ends_after_ten_seconds(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(budgets); i++) {
                g_autoptr(World) world = world_new(budgets[i].profile, "versioned");
                bool lies = strcmp(budgets[i].profile, "v1nv") == 0;
                uint64_t before, budget = budgets[i].activate_seconds * USEC_PER_SEC;

                world_offer(world, RMM, VERSION(1, 3));
                world->firmware->faults.call_again[SMC_ACTIVATE] = FOR_EVER;
                before = world->now;
                assert_int_equal(world_activate(world, RMM), lies ? 1 : -ECANCELED);
                assert_in_range(world->now - before, budget + 1, budget + 10 * USEC_PER_MSEC);
                assert_int_equal(calls(world, SMC_CANCEL), 1);
                assert_true(world_logged(world, "for image TF-RMM failed: LFA_DEVICE_ERROR") >= 1);
        }
}

static void the_budget_is_not_looked_at_during_a_firmware_call(void **state) {
        g_autoptr(World) world = world_new("v3", "versioned");

        world_offer(world, RMM, VERSION(1, 3));
        world->firmware->timing.activate = 13 * USEC_PER_SEC;
        assert_int_equal(world_activate(world, RMM), 1);
}

static void statement_24_activate_busy_is_retried_or_not(void **state) {
        static const struct {
                const char *profile;
                bool retried;
        } rows[] = { { "v2s", false }, { "v2", false }, { "v2bos", true },
                     { "v3", true },   { "nv3", true }, { "nvnew", true } };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(World) world = world_new(rows[i].profile, "versioned");

                world_offer(world, RMM, VERSION(1, 3));
                world->firmware->faults.busy[SMC_ACTIVATE] = 5;
                assert_int_equal(world_activate(world, RMM), rows[i].retried ? 1 : -ECANCELED);
                assert_int_equal(calls(world, SMC_ACTIVATE), rows[i].retried ? 6 : 1);
        }
}

static void statement_25_prime_busy_fails_at_once(void **state) {
        const DriverTraits *traits;

        for (size_t i = 0; (traits = driver_traits_at(i)); i++) {
                g_autoptr(World) world = world_new(traits->name, "versioned");

                world_offer(world, RMM, VERSION(1, 3));
                world->firmware->faults.busy[SMC_PRIME] = 1;
                assert_int_equal(world_activate(world, RMM), -traits->prime_busy_errno);
                assert_int_equal(calls(world, SMC_PRIME), 1);
        }
}

static void statement_26_a_failed_activate_may_look_like_success(void **state) {
        const DriverTraits *traits;

        for (size_t i = 0; (traits = driver_traits_at(i)); i++) {
                g_autoptr(World) world = world_new(traits->name, "versioned");
                bool lies = g_str_has_prefix(traits->name, "v1");

                world_offer(world, RMM, VERSION(1, 3));
                fail_next(world, SMC_ACTIVATE, LFA_ACTIVATION_FAILED);
                assert_int_equal(world_activate(world, RMM), lies ? 1 : -traits->failure_errno);
                assert_string_equal(world_read(world, RMM, ATTRIBUTE_ACTIVATION_PENDING, NULL), "1");
                assert_int_equal(calls(world, SMC_CANCEL), strcmp(traits->name, "rfc1") == 0 ? 0 : 1);
        }
}

static void statement_27_no_cancel_after_a_refused_first_prime(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");

        world_offer(world, RMM, VERSION(1, 3));
        fail_next(world, SMC_PRIME, LFA_AUTH_ERROR);
        assert_int_equal(world_activate(world, RMM), -ECANCELED);
        assert_int_equal(calls(world, SMC_CANCEL), 0);
        assert_int_equal(world_logged(world, "LFA_PRIME for image TF-RMM failed: LFA_AUTH_ERROR"), 1);
}

static void nvnew_cancels_when_an_earlier_prime_was_accepted(void **state) {
        g_autoptr(World) newest = world_new("nvnew", "versioned"), v3 = world_new("v3", "versioned");
        World *worlds[] = { newest, v3 };

        for (size_t i = 0; i < G_N_ELEMENTS(worlds); i++) {
                World *world = worlds[i];

                world_offer(world, RMM, VERSION(1, 3));
                world->firmware->faults.call_again[SMC_PRIME] = 1;
                g_autoptr(DriverCall) call = world_start(world, RMM);

                assert_int_equal(step_once(world, call).kind, STEP_SLEEP);
                fail_next(world, SMC_PRIME, LFA_NO_MEMORY);
                assert_int_equal(world_drive(world, call), -ECANCELED);
                assert_int_equal(calls(world, SMC_CANCEL), i == 0 ? 1 : 0);
        }
}

static void statement_28_with_tfa_a_failed_prime_blocks_other_images_until_cancel(void **state) {
        g_autoptr(World) world = world_new("nvnew", "tfa");

        world_offer(world, RMM, VERSION(1, 3));
        world_offer(world, SP1, VERSION(1, 3));
        fail_next(world, SMC_PRIME, LFA_AUTH_ERROR);
        assert_int_equal(world_activate(world, RMM), -ECANCELED);
        assert_int_equal(world_activate(world, SP1), -ECANCELED);
        assert_int_equal(world_write(world, RMM, ATTRIBUTE_CANCEL, "1"), 1);
        assert_int_equal(world_activate(world, SP1), 1);
}

static void statement_29_with_tfa_pending_must_be_read_before_activate(void **state) {
        g_autoptr(World) world = world_new("nvnew", "tfa");

        firmware_stage(world->firmware, world_component(world, RMM), VERSION(1, 3));
        assert_int_equal(world_activate(world, RMM), -ECANCELED);
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_ACTIVATION_PENDING, NULL), "1");
        assert_int_equal(world_activate(world, RMM), 1);
}

static void statement_31_a_signal_only_shortens_pauses(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned"), old = world_new("v1nv", "versioned");
        g_autoptr(DriverCall) call = NULL, other = NULL;

        world_offer(world, RMM, VERSION(1, 3));
        call = world_start(world, RMM);
        driver_call_signal(call);
        assert_true(driver_call_is_hurried(call));
        assert_int_equal(world_drive(world, call), 1);
        other = world_start(old, RMM);
        driver_call_signal(other);
        assert_false(driver_call_is_hurried(other));
}

static void statement_32_a_second_activate_on_nvnew_is_busy_at_once(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");
        g_autoptr(DriverCall) first = NULL;

        world_offer(world, RMM, VERSION(1, 3));
        world_offer(world, SCP, VERSION(3, 2));
        world->firmware->faults.call_again[SMC_PRIME] = 1;
        first = world_start(world, RMM);
        assert_int_equal(step_once(world, first).kind, STEP_SLEEP);
        assert_int_equal(world_activate(world, SCP), -EBUSY);
        assert_int_equal(world_drive(world, first), 1);
        assert_int_equal(world_activate(world, SCP), 1);
}

static void statement_32_a_second_activate_on_v3_reaches_firmware(void **state) {
        g_autoptr(World) world = world_new("v3", "versioned");
        g_autoptr(DriverCall) first = NULL;

        world_offer(world, RMM, VERSION(1, 3));
        world_offer(world, SCP, VERSION(3, 2));
        world->firmware->faults.call_again[SMC_PRIME] = 1;
        first = world_start(world, RMM);
        assert_int_equal(step_once(world, first).kind, STEP_SLEEP);
        assert_int_equal(world_activate(world, SCP), 1);
        assert_int_equal(world_drive(world, first), 1);
}

static void statement_32_a_second_activate_on_v1nv_waits(void **state) {
        g_autoptr(World) world = world_new("v1nv", "versioned");
        g_autoptr(DriverCall) first = NULL, second = NULL;

        world->driver->oopses = false; /* they follow each other closely */
        world_offer(world, RMM, VERSION(1, 3));
        world_offer(world, SCP, VERSION(3, 2));
        world->firmware->faults.call_again[SMC_PRIME] = 1;
        first = world_start(world, RMM);
        assert_int_equal(step_once(world, first).kind, STEP_SLEEP);
        second = world_start(world, SCP);
        assert_int_equal(step_once(world, second).kind, STEP_WAIT);
        assert_int_equal(world_drive(world, first), 1);
        assert_int_equal(world_drive(world, second), 1);
}

static void statement_34_cancel_with_nothing_primed(void **state) {
        g_autoptr(World) world = world_new("nvnew", "tfa"), rfc = world_new("rfc1", "tfa");

        assert_int_equal(world_write(world, RMM, ATTRIBUTE_CANCEL, "1"), -EINVAL);
        assert_int_equal(world_logged(world,
                                      "Activation not cancelled for image TF-RMM: LFA_INVALID_PARAMETERS"),
                         1);
        assert_int_equal(world_write(rfc, RMM, ATTRIBUTE_CANCEL, "1"), -EIO);
}

static void statement_35_cancel_between_two_primes_does_not_end_the_run(void **state) {
        g_autoptr(World) world = world_new("nvnew", "tfa");
        g_autoptr(DriverCall) call = NULL;

        world_offer(world, RMM, VERSION(1, 3));
        world->firmware->faults.call_again[SMC_PRIME] = 2;
        call = world_start(world, RMM);
        assert_int_equal(step_once(world, call).kind, STEP_SLEEP);
        assert_int_equal(world_write(world, RMM, ATTRIBUTE_CANCEL, "1"), 1);
        assert_int_equal(world_drive(world, call), 1);
}

static void statement_35_cancel_between_two_activates_ends_the_run(void **state) {
        static const char *const profiles[] = { "v2s", "nv3", "v3", "nvnew" };

        for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
                g_autoptr(World) world = world_new(profiles[i], "tfa");
                g_autoptr(DriverCall) call = NULL;

                world_offer(world, RMM, VERSION(1, 3));
                world->firmware->faults.call_again[SMC_ACTIVATE] = 1;
                call = world_start(world, RMM);
                assert_int_equal(step_once(world, call).kind, STEP_SLEEP);
                assert_int_equal(world_write(world, RMM, ATTRIBUTE_CANCEL, "1"), 1);
                assert_int_equal(world_drive(world, call), -ECANCELED);
                assert_int_equal(calls(world, SMC_CANCEL), 2);
                assert_int_equal(world_logged(world, "LFA_COMPONENT_WRONG_STATE"), 1);
        }
}

static void statement_36_pending_reads_and_cancel_wait_for_an_attempt(void **state) {
        g_autoptr(World) world = world_new("v3", "versioned");
        g_autoptr(DriverCall) run = NULL, reading = NULL, cancelling = NULL;

        world_offer(world, RMM, VERSION(1, 3));
        world->firmware->timing.activate = USEC_PER_SEC;
        run = world_start(world, RMM);
        assert_int_equal(step_once(world, run).kind, STEP_STALL);
        reading = driver_call_read(world->driver, world_image(world, SCP), ATTRIBUTE_ACTIVATION_PENDING);
        cancelling = driver_call_write(world->driver, world_image(world, SCP), ATTRIBUTE_CANCEL, "1", 1,
                                       world->now);
        assert_int_equal(step_once(world, reading).kind, STEP_WAIT);
        assert_int_equal(step_once(world, cancelling).kind, STEP_WAIT);
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_NAME, NULL), "TF-RMM");
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_CURRENT_VERSION, NULL), "1.2");
        assert_int_equal(world_drive(world, run), 1);
        assert_int_equal(world_drive(world, reading), 2);
        assert_int_equal(world_drive(world, cancelling), -EINVAL);
}

static void an_attempt_waits_for_readers_and_new_readers_wait_for_it(void **state) {
        g_autoptr(World) world = world_new("v3", "versioned");
        g_autoptr(DriverCall) run = NULL, early = NULL, late = NULL;

        world_offer(world, RMM, VERSION(1, 3));
        world->firmware->timing.hang_read = true;
        early = driver_call_read(world->driver, world_image(world, SCP), ATTRIBUTE_ACTIVATION_PENDING);
        assert_int_equal(step_once(world, early).kind, STEP_WAIT);
        run = world_start(world, RMM);
        assert_int_equal(step_once(world, run).kind, STEP_WAIT);
        late = driver_call_read(world->driver, world_image(world, SCP), ATTRIBUTE_ACTIVATION_PENDING);
        assert_int_equal(step_once(world, late).kind, STEP_WAIT);
        world->firmware->timing.hang_read = false;
        assert_int_equal(world_drive(world, early), 2);
        assert_int_equal(step_once(world, late).kind, STEP_WAIT);
        assert_int_equal(world_drive(world, run), 1);
        assert_int_equal(world_drive(world, late), 2);
}

static void a_call_given_up_releases_its_locks(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");
        DriverCall *run;

        world_offer(world, RMM, VERSION(1, 3));
        world->firmware->timing.hang_activate = true;
        run = world_start(world, RMM);
        assert_int_equal(step_once(world, run).kind, STEP_WAIT);
        run = driver_call_free(run);
        world->firmware->timing.hang_activate = false;
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_ACTIVATION_PENDING, NULL), "1");
        assert_int_equal(world_activate(world, RMM), 1);
        assert_true(driver_is_idle(world->driver));
}

static void the_whole_loop_in_stop_machine_freezes_every_read(void **state) {
        g_autoptr(World) world = world_new("v1nv", "versioned");
        g_autoptr(DriverCall) run = NULL, reading = NULL;

        world_offer(world, RMM, VERSION(1, 3));
        world->firmware->faults.call_again[SMC_ACTIVATE] = 1;
        run = world_start(world, RMM);
        assert_int_equal(step_once(world, run).kind, STEP_STALL);
        reading = driver_call_read(world->driver, world_image(world, SCP), ATTRIBUTE_NAME);
        assert_int_equal(step_once(world, reading).kind, STEP_WAIT);
        assert_int_equal(world_drive(world, run), 1);
        assert_true(world_drive(world, reading) > 0);
}

static void statement_39_skip_needs_force_off_and_rendezvous_optional(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");
        const FirmwareCounters *counters = &world->firmware->counters;

        world_offer(world, RMM, VERSION(1, 3));
        assert_int_equal(world_activate(world, RMM), 1);
        assert_int_equal(counters->skip_rendezvous, 0);
        assert_int_equal(counters->activate_calls, world->firmware->n_cpus);

        assert_int_equal(world_write(world, RMM, ATTRIBUTE_FORCE_CPU_RENDEZVOUS, "0"), 1);
        world_offer(world, RMM, VERSION(1, 4));
        assert_int_equal(world_activate(world, RMM), 1);
        assert_int_equal(counters->skip_rendezvous, 1);
        assert_int_equal(counters->activate_calls, world->firmware->n_cpus + 1);

        assert_int_equal(world_write(world, BL31, ATTRIBUTE_FORCE_CPU_RENDEZVOUS, "0"), 1);
        world_offer(world, BL31, VERSION(2, 11));
        assert_int_equal(world_activate(world, BL31), 1);
        assert_int_equal(counters->skip_rendezvous, 1);
}

static void a_refused_cancel_is_logged_before_the_reason_of_the_failure(void **state) {
        g_autoptr(World) world = world_new("v3", "versioned");
        const DriverLogLine *last, *before;

        world_offer(world, RMM, VERSION(1, 3));
        world->firmware->faults.outcome = OUTCOME_CHANGE_THEN_FAIL;
        assert_int_equal(world_activate(world, RMM), -ECANCELED);
        last = world->driver->log->tail->data;
        before = world->driver->log->tail->prev->data;
        assert_string_equal(last->text,
                            "Arm LFA: LFA_ACTIVATE for image TF-RMM failed: LFA_ACTIVATION_FAILED");
        assert_string_equal(before->text,
                            "Arm LFA: Activation not cancelled for image TF-RMM: LFA_INVALID_PARAMETERS");
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_CURRENT_VERSION, NULL), "1.2");
        assert_true(world_component(world, RMM)->current_version == VERSION(1, 3));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(statement_17_any_data_starts_a_run),
                cmocka_unit_test(statement_19_firmware_refuses_what_is_not_pending),
                cmocka_unit_test(statement_20_an_image_that_may_reset_cpus_never_reaches_firmware),
                cmocka_unit_test(statement_21_each_call_again_of_prime_pauses_ten_milliseconds),
                cmocka_unit_test(statement_22_budgets_of_prime_to_the_microsecond),
                cmocka_unit_test(statement_23_an_endless_activate_ends_after_ten_seconds),
                cmocka_unit_test(the_budget_is_not_looked_at_during_a_firmware_call),
                cmocka_unit_test(statement_24_activate_busy_is_retried_or_not),
                cmocka_unit_test(statement_25_prime_busy_fails_at_once),
                cmocka_unit_test(statement_26_a_failed_activate_may_look_like_success),
                cmocka_unit_test(statement_27_no_cancel_after_a_refused_first_prime),
                cmocka_unit_test(nvnew_cancels_when_an_earlier_prime_was_accepted),
                cmocka_unit_test(statement_28_with_tfa_a_failed_prime_blocks_other_images_until_cancel),
                cmocka_unit_test(statement_29_with_tfa_pending_must_be_read_before_activate),
                cmocka_unit_test(statement_31_a_signal_only_shortens_pauses),
                cmocka_unit_test(statement_32_a_second_activate_on_nvnew_is_busy_at_once),
                cmocka_unit_test(statement_32_a_second_activate_on_v3_reaches_firmware),
                cmocka_unit_test(statement_32_a_second_activate_on_v1nv_waits),
                cmocka_unit_test(statement_34_cancel_with_nothing_primed),
                cmocka_unit_test(statement_35_cancel_between_two_primes_does_not_end_the_run),
                cmocka_unit_test(statement_35_cancel_between_two_activates_ends_the_run),
                cmocka_unit_test(statement_36_pending_reads_and_cancel_wait_for_an_attempt),
                cmocka_unit_test(an_attempt_waits_for_readers_and_new_readers_wait_for_it),
                cmocka_unit_test(a_call_given_up_releases_its_locks),
                cmocka_unit_test(the_whole_loop_in_stop_machine_freezes_every_read),
                cmocka_unit_test(statement_39_skip_needs_force_off_and_rendezvous_optional),
                cmocka_unit_test(a_refused_cancel_is_logged_before_the_reason_of_the_failure),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
