/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What attributes show and when that changes; settings; probing. */

#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void statement_1_no_components_no_directory(void **state) {
        g_autoptr(Firmware) firmware = firmware_new(firmware_model_find("versioned"));
        g_autoptr(Driver) driver = driver_new(driver_traits_find("nvnew"), firmware);
        g_autoptr(Driver) rfc = driver_new(driver_traits_find("rfc1"), firmware);

        g_ptr_array_set_size(firmware->components, 0);
        assert_int_equal(driver_bind(driver, 0), -ENODEV);
        assert_false(driver_has_root(driver));
        assert_int_equal(driver_bind(rfc, 0), 0);
        assert_true(driver_has_root(rfc));
        assert_int_equal(rfc->images->len, 0);
}

static void statement_9_current_version_is_zero_when_firmware_gives_none(void **state) {
        g_autoptr(World) world = world_new("nvnew", "tfa");

        assert_string_equal(world_read(world, RMM, ATTRIBUTE_CURRENT_VERSION, NULL), "0.0");
        world_offer(world, RMM, VERSION(1, 3));
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_PENDING_VERSION, NULL), "N/A");
}

static void statement_10_name_of_an_unknown_guid(void **state) {
        static const struct {
                const char *profile, *name;
        } rows[] = {
                { "rfc1", "(unknown)" }, { "v1", "(unknown)" }, { "v2s", "" }, { "v2", "" }, { "v3", "" },
                { "nv3", UNKNOWN },      { "nvnew", UNKNOWN },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(World) world = world_new(rows[i].profile, "versioned");

                assert_string_equal(world_read(world, UNKNOWN, ATTRIBUTE_NAME, NULL), rows[i].name);
        }
}

static void statement_10_v1nv_knows_only_the_rmm(void **state) {
        g_autoptr(World) world = world_new("v1nv", "versioned");

        assert_string_equal(world_read(world, RMM, ATTRIBUTE_NAME, NULL), "TF-RMM");
        assert_false(g_utf8_validate(world_read(world, BL31, ATTRIBUTE_NAME, NULL), -1, NULL));
}

static void statement_11_pending_follows_firmware_at_each_read(void **state) {
        g_autoptr(World) world = world_new("v3", "versioned");

        assert_string_equal(world_read(world, RMM, ATTRIBUTE_ACTIVATION_PENDING, NULL), "0");
        world_offer(world, RMM, VERSION(1, 3));
        firmware_unstage(world_component(world, RMM));
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_ACTIVATION_PENDING, NULL), "0");
}

static void statement_12_other_values_wait_for_a_success(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");
        FirmwareComponent *scp = world_component(world, SCP);

        scp->capable = false;
        scp->may_reset = true;
        scp->rendezvous_optional = false;
        scp->current_version = VERSION(8, 8);
        (void) world_read(world, SCP, ATTRIBUTE_ACTIVATION_PENDING, NULL);
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_ACTIVATION_CAPABLE, NULL), "1");
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_MAY_RESET_CPU, NULL), "0");
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_CPU_RENDEZVOUS, NULL), "0");
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_CURRENT_VERSION, NULL), "3.1");

        world_offer(world, RMM, VERSION(1, 3));
        assert_int_equal(world_activate(world, RMM), 1);
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_ACTIVATION_CAPABLE, NULL), "0");
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_MAY_RESET_CPU, NULL), "1");
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_CPU_RENDEZVOUS, NULL), "1");
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_CURRENT_VERSION, NULL), "8.8");
}

static void statement_12_rfc_flags_follow_a_pending_read(void **state) {
        g_autoptr(World) world = world_new("rfc1", "versioned");

        world_component(world, SCP)->capable = false;
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_ACTIVATION_CAPABLE, NULL), "1");
        (void) world_read(world, SCP, ATTRIBUTE_ACTIVATION_PENDING, NULL);
        assert_string_equal(world_read(world, SCP, ATTRIBUTE_ACTIVATION_CAPABLE, NULL), "0");
}

static void statement_13_pending_version_needs_a_pending_read(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");

        firmware_stage(world->firmware, world_component(world, RMM), VERSION(1, 3));
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_PENDING_VERSION, NULL), "N/A");
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_ACTIVATION_PENDING, NULL), "1");
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_PENDING_VERSION, NULL), "1.3");
}

static void statement_13_a_stale_pending_bit_still_lets_a_version_through(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");

        world_offer(world, RMM, VERSION(1, 3));
        firmware_stage(world->firmware, world_component(world, RMM), VERSION(1, 4));
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_PENDING_VERSION, NULL), "1.4");
        firmware_unstage(world_component(world, RMM));
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_PENDING_VERSION, NULL), "N/A");
}

static void statement_14_pending_with_version_zero_is_not_available(void **state) {
        g_autoptr(World) world = world_new("v3", "versioned"), old = world_new("v1", "versioned");

        world_offer(world, RMM, 0);
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_PENDING_VERSION, NULL), "N/A");
        assert_string_not_equal(world_read(old, RMM, ATTRIBUTE_PENDING_VERSION, NULL), "N/A");
}

static void statement_15_a_failing_inventory_call_is_silent(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");

        world_offer(world, RMM, VERSION(1, 3));
        firmware_unstage(world_component(world, RMM));
        world->firmware->faults.fail[SMC_INVENTORY].code = LFA_DEVICE_ERROR;
        world->firmware->faults.fail[SMC_INVENTORY].left = 2;
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_ACTIVATION_PENDING, NULL), "1");
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_PENDING_VERSION, NULL), "N/A");
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_ACTIVATION_PENDING, NULL), "0");
}

static void statement_16_one_firmware_call_per_pending_read_and_none_for_others(void **state) {
        g_autoptr(World) world = world_new("nvnew", "versioned");
        const uint64_t *calls = &world->firmware->counters.smc[SMC_INVENTORY];

        for (SysfsAttribute i = 0; i < _ATTRIBUTE_MAX; i++) {
                bool asks = i == ATTRIBUTE_ACTIVATION_PENDING || i == ATTRIBUTE_PENDING_VERSION;
                uint64_t before = *calls;

                if (i == ATTRIBUTE_ACTIVATE || i == ATTRIBUTE_CANCEL)
                        continue;
                assert_non_null(world_read(world, RMM, i, NULL));
                assert_int_equal(*calls - before, asks ? 1 : 0);
        }
}

static void statement_37_settings_go_by_the_first_characters(void **state) {
        static const struct {
                const char *text;
                int value; /* negative: refused */
        } rows[] = {
                { "Y", 1 },   { "on", 1 }, { "1foo", 1 }, { "yes", 1 }, { "0x", 0 }, { "oFF", 0 },
                { "n\n", 0 }, { "2", -1 }, { "\n", -1 },  { "x", -1 },  { "o", -1 }, { "-1", -1 },
        };
        g_autoptr(World) world = world_new("nvnew", "versioned");

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                bool before = world_image(world, RMM)->auto_activate;
                ssize_t r = world_write(world, RMM, ATTRIBUTE_AUTO_ACTIVATE, rows[i].text);

                assert_int_equal(r, rows[i].value < 0 ? -EINVAL : (int) strlen(rows[i].text));
                assert_int_equal(world_image(world, RMM)->auto_activate,
                                 rows[i].value < 0 ? before : rows[i].value);
        }
}

static void statement_38_defaults_of_the_settings(void **state) {
        g_autoptr(World) world = world_new("v3", "versioned");

        assert_string_equal(world_read(world, RMM, ATTRIBUTE_FORCE_CPU_RENDEZVOUS, NULL), "1");
        assert_string_equal(world_read(world, RMM, ATTRIBUTE_AUTO_ACTIVATE, NULL), "0");
}

static void statement_57_probing_sends_bind_and_on_nvnew_one_change(void **state) {
        g_autoptr(World) newest = world_new("nvnew", "versioned"), v3 = world_new("v3", "versioned");
        g_autoptr(World) v1 = world_new("v1", "versioned");
        g_autofree char *with = world_events(newest), *without = world_events(v3), *none = world_events(v1);

        assert_string_equal(with, "bind change");
        assert_string_equal(without, "bind");
        assert_string_equal(none, "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(statement_1_no_components_no_directory),
                cmocka_unit_test(statement_9_current_version_is_zero_when_firmware_gives_none),
                cmocka_unit_test(statement_10_name_of_an_unknown_guid),
                cmocka_unit_test(statement_10_v1nv_knows_only_the_rmm),
                cmocka_unit_test(statement_11_pending_follows_firmware_at_each_read),
                cmocka_unit_test(statement_12_other_values_wait_for_a_success),
                cmocka_unit_test(statement_12_rfc_flags_follow_a_pending_read),
                cmocka_unit_test(statement_13_pending_version_needs_a_pending_read),
                cmocka_unit_test(statement_13_a_stale_pending_bit_still_lets_a_version_through),
                cmocka_unit_test(statement_14_pending_with_version_zero_is_not_available),
                cmocka_unit_test(statement_15_a_failing_inventory_call_is_silent),
                cmocka_unit_test(statement_16_one_firmware_call_per_pending_read_and_none_for_others),
                cmocka_unit_test(statement_37_settings_go_by_the_first_characters),
                cmocka_unit_test(statement_38_defaults_of_the_settings),
                cmocka_unit_test(statement_57_probing_sends_bind_and_on_nvnew_one_change),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
