/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree over time: refresh, stale directories, events, notifications, unbind and bind. */

#include "world.h"

#include "util/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void succeed(World *world, const char *guid) {
        world_offer(world, guid, world_component(world, guid)->current_version + 1);
        assert_int_equal(world_activate(world, guid), 1);
}

static void forget_events(World *world) {
        g_free(world_events(world));
}

static void statement_33_activate_in_the_cleanup_window_is_busy_on_nvnew(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");

        world->driver->cleanup_window_usec = 5 * USEC_PER_MSEC;
        succeed(world, RMM);
        world_offer(world, SCP, VERSION(3, 2));
        assert_int_equal(world_activate(world, SCP), -EBUSY);
        world_pass(world, 6 * USEC_PER_MSEC);
        assert_int_equal(world_activate(world, SCP), 1);
}

static void statement_33_without_a_removal_the_window_is_empty(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");

        succeed(world, RMM);
        succeed(world, SCP);
}

static void statement_40_new_directories_exist_before_the_write_returns(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");
        FirmwareComponent *sp1;

        assert_int_equal(firmware_add(world->firmware, SP1, VERSION(1, 0), &sp1), 0);
        assert_null(driver_find(world->driver, SP1));
        world_offer(world, RMM, VERSION(1, 3));
        assert_int_equal(world_write(world, RMM, ATTRIBUTE_ACTIVATE, "1"), 1);
        assert_string_equal(world_read(world, SP1, ATTRIBUTE_CURRENT_VERSION, NULL), "1.0");
}

static void statement_41_stale_directories_go_later_and_their_files_first(void **state) {
        g_autoptr(World) world = world_new("v3", "versioned");

        world->driver->cleanup_window_usec = 2 * USEC_PER_MSEC;
        world_component(world, SCP)->vanished = true;
        succeed(world, RMM);
        assert_false(world_image(world, SCP)->files_gone);
        world_pass(world, 2 * USEC_PER_MSEC);
        assert_true(world_image(world, SCP)->files_gone);
        world_pass(world, USEC_PER_MSEC);
        assert_null(driver_find(world->driver, SCP));
        assert_true(driver_is_idle(world->driver));
}

static void removal_waits_for_whoever_sits_in_a_read(void **state) {
        g_autoptr(World) world = world_new("v3", "versioned");
        DriverCall *reading;

        world_component(world, SCP)->vanished = true;
        succeed(world, RMM);
        reading = driver_call_read(world->driver, world_image(world, SCP), ATTRIBUTE_NAME);
        world_pass(world, 50 * USEC_PER_MSEC);
        assert_true(world_image(world, SCP)->files_gone);
        reading = driver_call_free(reading);
        world_pass(world, USEC_PER_MSEC);
        assert_null(driver_find(world->driver, SCP));
}

static void statement_42_values_of_a_stale_directory(void **state) {
        static const char *const profiles[] = { "v3", "nvnew" };

        for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
                g_autoptr(World) world = world_new(profiles[i], "versioned");
                bool newest = strcmp(profiles[i], "nvnew") == 0;
                uint64_t calls;
                int error = 0;

                world->driver->cleanup_window_usec = USEC_PER_SEC;
                world_component(world, BL31)->vanished = true;
                succeed(world, RMM);
                assert_string_equal(world_read(world, BL31, ATTRIBUTE_ACTIVATION_CAPABLE, NULL), "0");
                assert_string_equal(world_read(world, BL31, ATTRIBUTE_CPU_RENDEZVOUS, NULL), "0");
                assert_string_equal(world_read(world, BL31, ATTRIBUTE_CURRENT_VERSION, NULL), "0.0");
                calls = world->firmware->counters.smc[SMC_INVENTORY];
                assert_string_equal(world_read(world, BL31, ATTRIBUTE_PENDING_VERSION, NULL), "N/A");
                assert_int_equal(world->firmware->counters.smc[SMC_INVENTORY] - calls, newest ? 0 : 1);
                if (newest) {
                        assert_null(world_read(world, BL31, ATTRIBUTE_ACTIVATION_PENDING, &error));
                        assert_int_equal(error, ENOENT);
                } else {
                        assert_string_equal(world_read(world, BL31, ATTRIBUTE_ACTIVATION_PENDING, NULL),
                                            "0");
                }
        }
}

static void statement_34_cancel_and_activate_of_a_stale_image(void **state) {
        g_autoptr(World) newest = world_new("nvnew", "versioned"), v3 = world_new("v3", "versioned");
        World *worlds[] = { newest, v3 };

        for (size_t i = 0; i < G_N_ELEMENTS(worlds); i++) {
                World *world = worlds[i];

                world->driver->cleanup_window_usec = USEC_PER_SEC;
                world_component(world, SCP)->vanished = true;
                succeed(world, RMM);
                assert_int_equal(world_write(world, SCP, ATTRIBUTE_CANCEL, "1"),
                                 world == newest ? -ENOENT : -EINVAL);
                assert_int_equal(world_activate(world, SCP), world == newest ? -EBUSY : -ECANCELED);
        }
}

static void statement_44_survivors_keep_everything_and_returners_start_anew(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");
        uint64_t rmm = world_image(world, RMM)->generation, scp = world_image(world, SCP)->generation;
        FirmwareComponent *again;

        world_image(world, RMM)->auto_activate = true;
        world_image(world, SCP)->auto_activate = true;
        world_image(world, RMM)->force_rendezvous = false;
        world_component(world, SCP)->vanished = true;
        succeed(world, RMM);
        world_pass(world, USEC_PER_SEC);
        assert_null(driver_find(world->driver, SCP));
        assert_int_equal(firmware_add(world->firmware, SCP, VERSION(3, 1), &again), 0);
        succeed(world, RMM);

        assert_int_equal(world_image(world, RMM)->generation, rmm);
        assert_true(world_image(world, RMM)->auto_activate && !world_image(world, RMM)->force_rendezvous);
        assert_int_not_equal(world_image(world, SCP)->generation, scp);
        assert_true(!world_image(world, SCP)->auto_activate && world_image(world, SCP)->force_rendezvous);
}

static void statement_45_renumbering_is_invisible(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");

        world_component(world, RMM)->vanished = true;
        succeed(world, SCP);
        assert_int_equal(world_image(world, SCP)->id, 1);
        world_pass(world, USEC_PER_SEC);
        succeed(world, UNKNOWN);
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_CURRENT_VERSION, NULL), "3.2");
}

static void statement_46_success_with_a_failed_refresh_shows_old_values(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");
        g_autofree char *events = NULL;

        forget_events(world);
        world_component(world, SCP)->vanished = true;
        world_offer(world, RMM, VERSION(1, 3));
        world->firmware->faults.fail[SMC_INFO].code = LFA_DEVICE_ERROR;
        world->firmware->faults.fail[SMC_INFO].left = 1;
        assert_int_equal(world_activate(world, RMM), 1);
        world_pass(world, USEC_PER_SEC);
        events = world_events(world);
        assert_string_equal(events, "");
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_CURRENT_VERSION, NULL), "1.2");
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_CURRENT_VERSION, NULL), "3.1");
        assert_int_equal(world_logged(world, "Error getting number of LFA components"), 1);
        assert_int_equal(world_logged(world, "TF-RMM: successfully activated"), 1);
}

static void statement_47_an_id_whose_inventory_fails_loses_its_directory(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");

        world_component(world, SCP)->faults.fail[SMC_INVENTORY].code = LFA_DEVICE_ERROR;
        world_component(world, SCP)->faults.fail[SMC_INVENTORY].left = 1;
        succeed(world, RMM);
        world_pass(world, USEC_PER_SEC);
        assert_null(driver_find(world->driver, SCP));
        succeed(world, RMM);
        assert_non_null(driver_find(world->driver, SCP));
}

static void statement_48_a_refresh_shows_zeros_of_healthy_images(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");
        g_autoptr(DriverCall) run = NULL;
        Step step;

        world_offer(world, RMM, VERSION(1, 3));
        world->driver->refresh_usec = 20 * USEC_PER_MSEC;
        run = world_start(world, RMM);
        step = driver_call_step(run, world->now);
        assert_int_equal(step.kind, STEP_STALL);
        assert_int_equal(step.usec, 20 * USEC_PER_MSEC);
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_ACTIVATION_CAPABLE, NULL), "0");
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_CURRENT_VERSION, NULL), "0.0");
        world->now += step.usec;
        assert_int_equal(world_drive(world, run), 1);
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_CURRENT_VERSION, NULL), "3.1");
}

static void statement_49_on_the_fvp_pending_is_back_at_once(void **state) {
        g_autoptr(World) world = world_new("nvnew", "tfa-fvp");

        assert_int_equal(world_activate(world, RMM), 1);
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_ACTIVATION_PENDING, NULL), "1");
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_CURRENT_VERSION, NULL), "0.0");
}

static void statement_50_a_notification_without_opt_in_only_renews_pending_bits(void **state) {
        static const char *const profiles[] = { "v3", "nv3", "nvnew" };

        for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
                g_autoptr(World) world = world_new(profiles[i], "versioned");
                g_autofree char *events = NULL;
                bool renews = strcmp(profiles[i], "v3") != 0;
                guint n_lines = world->driver->log->length;

                forget_events(world);
                firmware_stage(world->firmware, world_component(world, RMM), VERSION(1, 3));
                driver_notify(world->driver, world->now);
                world_pass(world, USEC_PER_SEC);
                events = world_events(world);
                assert_string_equal(events, "");
                assert_int_equal(world->driver->log->length, n_lines);
                assert_string_equal(world_read(world, RMM, ATTRIBUTE_PENDING_VERSION, NULL),
                                    renews ? "1.3" : "N/A");
        }
}

static void statement_51_v1nv_activates_everything_on_notification(void **state) {
        g_autoptr(World) world = world_new("v1nv", "versioned");

        firmware_stage(world->firmware, world_component(world, RMM), VERSION(1, 3));
        firmware_stage(world->firmware, world_component(world, SCP), VERSION(3, 2));
        driver_notify(world->driver, world->now);
        world_pass(world, USEC_PER_SEC);
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_CURRENT_VERSION, NULL), "1.3");
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_CURRENT_VERSION, NULL), "3.2");
}

static void statement_52_the_first_failure_ends_the_round(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");

        world_image(world, RMM)->auto_activate = true;
        world_image(world, SCP)->auto_activate = true;
        firmware_stage(world->firmware, world_component(world, RMM), VERSION(1, 3));
        firmware_stage(world->firmware, world_component(world, SCP), VERSION(3, 2));
        world->firmware->faults.fail[SMC_ACTIVATE].code = LFA_ACTIVATION_FAILED;
        world->firmware->faults.fail[SMC_ACTIVATE].left = 1;
        driver_notify(world->driver, world->now);
        world_pass(world, USEC_PER_SEC);
        assert_true(driver_is_idle(world->driver));
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_CURRENT_VERSION, NULL), "1.2");
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_CURRENT_VERSION, NULL), "3.1");
        assert_int_equal(world_logged(world, "notified image activation failed: -11"), 1);

        driver_notify(world->driver, world->now);
        world_pass(world, USEC_PER_SEC);
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_CURRENT_VERSION, NULL), "3.2");
        assert_int_equal(world_logged(world, "automatic activation succeeded"), 2);
}

static void statement_52_userspace_is_busy_during_a_round(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");

        world_image(world, RMM)->auto_activate = true;
        world_offer(world, RMM, VERSION(1, 3));
        world_offer(world, SCP, VERSION(3, 2));
        world->firmware->timing.prime = USEC_PER_SEC;
        driver_notify(world->driver, world->now);
        world_pass(world, USEC_PER_MSEC);
        assert_int_equal(world_activate(world, SCP), -EBUSY);
}

static void a_round_takes_prime_busy_for_nothing_to_do(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");

        world_image(world, RMM)->auto_activate = true;
        firmware_stage(world->firmware, world_component(world, RMM), VERSION(1, 3));
        world->firmware->faults.busy[SMC_PRIME] = 1;
        driver_notify(world->driver, world->now);
        world_pass(world, USEC_PER_SEC);
        assert_true(driver_is_idle(world->driver));
        assert_int_equal(world_logged(world, "notified image"), 0);
}

static void statement_53_opting_in_does_nothing_until_a_notification(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");

        world_offer(world, RMM, VERSION(1, 3));
        assert_int_equal(world_write(world, RMM, ATTRIBUTE_AUTO_ACTIVATE, "1"), 1);
        world_pass(world, 60 * USEC_PER_SEC);
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_CURRENT_VERSION, NULL), "1.2");
}

static void statement_54_a_new_component_is_not_seen_by_notification(void **state) {
        g_autoptr(World) newest = world_new("nvnew", "versioned"), v1nv = world_new("v1nv", "versioned");
        World *worlds[] = { newest, v1nv };

        for (size_t i = 0; i < G_N_ELEMENTS(worlds); i++) {
                FirmwareComponent *sp1;

                assert_int_equal(firmware_add(worlds[i]->firmware, SP1, VERSION(1, 0), &sp1), 0);
                driver_notify(worlds[i]->driver, worlds[i]->now);
                world_pass(worlds[i], USEC_PER_SEC);
                assert_int_equal(driver_find(worlds[i]->driver, SP1) != NULL, worlds[i] == v1nv);
        }
}

static void statement_58_one_change_after_the_stale_directories_are_gone(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");
        g_autofree char *early = NULL, *late = NULL;

        forget_events(world);
        world->driver->cleanup_window_usec = 3 * USEC_PER_MSEC;
        world_component(world, SCP)->vanished = true;
        succeed(world, RMM);
        early = world_events(world);
        assert_string_equal(early, "");
        world_pass(world, USEC_PER_SEC);
        late = world_events(world);
        assert_string_equal(late, "change");
        assert_null(driver_find(world->driver, SCP));
}

static void statement_59_no_change_for_anything_but_a_settled_success(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");
        g_autofree char *events = NULL;

        forget_events(world);
        assert_int_equal(world_activate(world, RMM), -ECANCELED);
        assert_int_equal(world_write(world, RMM, ATTRIBUTE_CANCEL, "1"), -EINVAL);
        assert_int_equal(world_write(world, RMM, ATTRIBUTE_FORCE_CPU_RENDEZVOUS, "0"), 1);
        world_offer(world, RMM, VERSION(1, 3));
        world_pass(world, USEC_PER_SEC);
        events = world_events(world);
        assert_string_equal(events, "");
}

static void statement_62_unbind_on_nvnew_ends_a_run_and_firmware_sees_a_cancel(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");
        DriverCall *run;

        world_offer(world, RMM, VERSION(1, 3));
        world->firmware->faults.call_again[SMC_PRIME] = FOR_EVER;
        run = world_start(world, RMM);
        assert_int_equal(driver_call_step(run, world->now).kind, STEP_SLEEP);
        assert_int_equal(driver_unbind(world->driver, world->now), 0);
        assert_true(driver_has_root(world->driver));
        world->now += 10 * USEC_PER_MSEC;
        assert_int_equal(world_drive(world, run), -ECANCELED);
        run = driver_call_free(run);
        world_pass(world, USEC_PER_MSEC);
        assert_false(driver_has_root(world->driver));
        assert_int_equal(world->firmware->counters.smc[SMC_CANCEL], 1);
}

static void statement_62_unbind_on_v3_waits_for_a_run_that_succeeds(void **state) {
        g_autoptr(World) world = world_new("v3", "versioned");
        DriverCall *run;

        world_offer(world, RMM, VERSION(1, 3));
        world->firmware->faults.call_again[SMC_PRIME] = 3;
        run = world_start(world, RMM);
        assert_int_equal(driver_call_step(run, world->now).kind, STEP_SLEEP);
        assert_int_equal(driver_unbind(world->driver, world->now), 0);
        world_pass(world, USEC_PER_SEC);
        assert_true(driver_has_root(world->driver));
        assert_int_equal(world_drive(world, run), 1);
        run = driver_call_free(run);
        world_pass(world, USEC_PER_MSEC);
        assert_false(driver_has_root(world->driver));
}

static void statement_62_binding_again_restores_defaults(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");
        uint64_t before = world_image(world, RMM)->generation, root = world->driver->root_generation;
        g_autofree char *events = NULL;

        world_image(world, RMM)->auto_activate = true;
        forget_events(world);
        assert_int_equal(driver_unbind(world->driver, world->now), 0);
        assert_false(driver_has_root(world->driver));
        assert_int_equal(driver_unbind(world->driver, world->now), -ENODEV);
        assert_int_equal(driver_bind(world->driver, world->now), 0);
        assert_int_equal(driver_bind(world->driver, world->now), -EBUSY);
        events = world_events(world);
        assert_string_equal(events, "unbind bind change");
        assert_false(world_image(world, RMM)->auto_activate);
        assert_int_not_equal(world_image(world, RMM)->generation, before);
        assert_int_not_equal(world->driver->root_generation, root);
}

static void statement_63_primed_firmware_survives_unbind_and_bind(void **state) {
        g_autoptr(World) world = world_new("nvnew", "tfa");

        world_offer(world, RMM, VERSION(1, 3));
        world->firmware->faults.fail[SMC_PRIME].code = LFA_AUTH_ERROR;
        world->firmware->faults.fail[SMC_PRIME].left = 1;
        assert_int_equal(world_activate(world, RMM), -ECANCELED);
        assert_int_equal(driver_unbind(world->driver, world->now), 0);
        assert_int_equal(driver_bind(world->driver, world->now), 0);
        assert_int_equal(world->firmware->counters.smc[SMC_CANCEL], 0);
        world_offer(world, SP1, VERSION(1, 3));
        assert_int_equal(world_activate(world, SP1), -ECANCELED);
}

static void statement_65_an_endless_round_ends_at_the_cap_or_when_opted_out(void **state) {
        g_autoptr(World) world = world_new("nvnew", "tfa-fvp");

        world_image(world, RMM)->auto_activate = true;
        world->driver->round.cap = 20;
        driver_notify(world->driver, world->now);
        world_pass(world, USEC_PER_SEC);
        assert_true(driver_is_idle(world->driver));
        assert_int_equal(world_logged(world, "automatic activation succeeded"), 20);

        world->driver->round.cap = FOR_EVER;
        driver_notify(world->driver, world->now);
        world_pass(world, USEC_PER_SEC / 10);
        assert_false(driver_is_idle(world->driver));
        assert_int_equal(world_write(world, RMM, ATTRIBUTE_AUTO_ACTIVATE, "0"), 1);
        world_pass(world, USEC_PER_SEC / 10);
        assert_true(driver_is_idle(world->driver));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(statement_33_activate_in_the_cleanup_window_is_busy_on_nvnew),
                cmocka_unit_test(statement_33_without_a_removal_the_window_is_empty),
                cmocka_unit_test(statement_40_new_directories_exist_before_the_write_returns),
                cmocka_unit_test(statement_41_stale_directories_go_later_and_their_files_first),
                cmocka_unit_test(removal_waits_for_whoever_sits_in_a_read),
                cmocka_unit_test(statement_42_values_of_a_stale_directory),
                cmocka_unit_test(statement_34_cancel_and_activate_of_a_stale_image),
                cmocka_unit_test(statement_44_survivors_keep_everything_and_returners_start_anew),
                cmocka_unit_test(statement_45_renumbering_is_invisible),
                cmocka_unit_test(statement_46_success_with_a_failed_refresh_shows_old_values),
                cmocka_unit_test(statement_47_an_id_whose_inventory_fails_loses_its_directory),
                cmocka_unit_test(statement_48_a_refresh_shows_zeros_of_healthy_images),
                cmocka_unit_test(statement_49_on_the_fvp_pending_is_back_at_once),
                cmocka_unit_test(statement_50_a_notification_without_opt_in_only_renews_pending_bits),
                cmocka_unit_test(statement_51_v1nv_activates_everything_on_notification),
                cmocka_unit_test(statement_52_the_first_failure_ends_the_round),
                cmocka_unit_test(statement_52_userspace_is_busy_during_a_round),
                cmocka_unit_test(a_round_takes_prime_busy_for_nothing_to_do),
                cmocka_unit_test(statement_53_opting_in_does_nothing_until_a_notification),
                cmocka_unit_test(statement_54_a_new_component_is_not_seen_by_notification),
                cmocka_unit_test(statement_58_one_change_after_the_stale_directories_are_gone),
                cmocka_unit_test(statement_59_no_change_for_anything_but_a_settled_success),
                cmocka_unit_test(statement_62_unbind_on_nvnew_ends_a_run_and_firmware_sees_a_cancel),
                cmocka_unit_test(statement_62_unbind_on_v3_waits_for_a_run_that_succeeds),
                cmocka_unit_test(statement_62_binding_again_restores_defaults),
                cmocka_unit_test(statement_63_primed_firmware_survives_unbind_and_bind),
                cmocka_unit_test(statement_65_an_endless_round_ends_at_the_cap_or_when_opted_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
