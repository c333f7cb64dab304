/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The firmware models, asked as the driver asks them. */

#include "sim/firmware.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define VERSION(major, minor) ((uint64_t) (major) << 32 | (minor))

/* Ids in the default tables. */
enum {
        VERSIONED_RMM = 0,
        VERSIONED_BL31 = 1,
        TFA_BL31 = 0,
        TFA_RMM = 1,
        TFA_SP1 = 2,
        TFA_BL33 = 3,
};

static FirmwareComponent *component(Firmware *firmware, int id) {
        return firmware->components->pdata[id];
}

static FirmwareInventory inventory(Firmware *firmware, int id) {
        FirmwareInventory answer;

        assert_int_equal(firmware_get_inventory(firmware, id, &answer), LFA_SUCCESS);
        return answer;
}

/* Stages, asks for the inventory, primes. */
static void prime(Firmware *firmware, int id) {
        bool again;

        firmware_stage(firmware, component(firmware, id), VERSION(9, 9));
        (void) inventory(firmware, id);
        assert_int_equal(firmware_prime(firmware, id, &again), LFA_SUCCESS);
        assert_false(again);
}

static void versioned_tells_versions_and_tfa_never_does(void **state) {
        g_autoptr(Firmware) versioned = firmware_new(firmware_model_find("versioned"));
        g_autoptr(Firmware) tfa = firmware_new(firmware_model_find("tfa"));

        firmware_stage(versioned, component(versioned, VERSIONED_RMM), VERSION(1, 3));
        firmware_stage(tfa, component(tfa, TFA_RMM), VERSION(1, 3));
        assert_true(inventory(versioned, VERSIONED_RMM).current_version == VERSION(1, 2));
        assert_true(inventory(versioned, VERSIONED_RMM).pending_version == VERSION(1, 3));
        assert_true(inventory(tfa, TFA_RMM).pending);
        assert_int_equal(inventory(tfa, TFA_RMM).current_version, 0);
        assert_int_equal(inventory(tfa, TFA_RMM).pending_version, 0);
}

static void tfa_evaluates_pending_only_in_get_inventory(void **state) {
        g_autoptr(Firmware) firmware = firmware_new(firmware_model_find("tfa"));
        bool again;

        firmware_stage(firmware, component(firmware, TFA_RMM), VERSION(1, 3));
        assert_int_equal(firmware_prime(firmware, TFA_RMM, &again), LFA_WRONG_STATE);
        (void) inventory(firmware, TFA_RMM);
        assert_int_equal(firmware_prime(firmware, TFA_RMM, &again), LFA_SUCCESS);
}

static void tfa_component_without_activator_is_never_pending(void **state) {
        g_autoptr(Firmware) firmware = firmware_new(firmware_model_find("tfa"));
        FirmwareInventory bl33;

        firmware_stage(firmware, component(firmware, TFA_BL33), VERSION(2, 0));
        bl33 = inventory(firmware, TFA_BL33);
        assert_false(bl33.capable);
        assert_false(bl33.pending);
        assert_false(bl33.rendezvous_optional);
}

static void tfa_failed_prime_keeps_the_slot_until_cancel(void **state) {
        g_autoptr(Firmware) firmware = firmware_new(firmware_model_find("tfa"));
        bool again;

        firmware_stage(firmware, component(firmware, TFA_RMM), VERSION(1, 3));
        firmware_stage(firmware, component(firmware, TFA_SP1), VERSION(1, 3));
        (void) inventory(firmware, TFA_RMM);
        (void) inventory(firmware, TFA_SP1);
        firmware->faults.fail[SMC_PRIME].code = LFA_AUTH_ERROR;
        firmware->faults.fail[SMC_PRIME].left = 1;
        assert_int_equal(firmware_prime(firmware, TFA_RMM, &again), LFA_AUTH_ERROR);
        assert_int_equal(firmware_prime(firmware, TFA_SP1, &again), LFA_WRONG_STATE);
        assert_int_equal(firmware_cancel(firmware, TFA_SP1), LFA_INVALID_PARAMETERS);
        assert_int_equal(firmware_cancel(firmware, TFA_RMM), LFA_SUCCESS);
        assert_int_equal(firmware_prime(firmware, TFA_SP1, &again), LFA_SUCCESS);
}

static void tfa_newcomer_beside_a_complete_prime_is_accepted_but_can_not_activate(void **state) {
        g_autoptr(Firmware) firmware = firmware_new(firmware_model_find("tfa"));
        bool again;

        prime(firmware, TFA_RMM);
        prime(firmware, TFA_SP1);
        assert_int_equal(firmware_activate(firmware, TFA_SP1, true, &again), LFA_INVALID_PARAMETERS);
        assert_int_equal(firmware_cancel(firmware, TFA_SP1), LFA_INVALID_PARAMETERS);
        assert_int_equal(firmware_activate(firmware, TFA_RMM, true, &again), LFA_SUCCESS);
        assert_int_equal(firmware_prime(firmware, TFA_SP1, &again), LFA_SUCCESS);
        assert_int_equal(firmware_activate(firmware, TFA_SP1, true, &again), LFA_SUCCESS);
}

static void versioned_failed_prime_leaves_nothing_behind(void **state) {
        g_autoptr(Firmware) firmware = firmware_new(firmware_model_find("versioned"));
        bool again;

        firmware_stage(firmware, component(firmware, VERSIONED_RMM), VERSION(1, 3));
        firmware->faults.fail[SMC_PRIME].code = LFA_AUTH_ERROR;
        firmware->faults.fail[SMC_PRIME].left = 1;
        assert_int_equal(firmware_prime(firmware, VERSIONED_RMM, &again), LFA_AUTH_ERROR);
        prime(firmware, VERSIONED_BL31);
        assert_int_equal(firmware_cancel(firmware, VERSIONED_RMM), LFA_INVALID_PARAMETERS);
}

static void activate_without_prime_is_component_wrong_state(void **state) {
        g_autoptr(Firmware) firmware = firmware_new(firmware_model_find("versioned"));
        bool again;

        assert_int_equal(firmware_activate(firmware, VERSIONED_RMM, true, &again),
                         LFA_COMPONENT_WRONG_STATE);
        assert_int_equal(firmware_activate(firmware, -1, true, &again), LFA_INVALID_PARAMETERS);
        assert_int_equal(firmware_activate(firmware, 99, true, &again), LFA_INVALID_PARAMETERS);
}

static void skipping_a_rendezvous_that_is_required_is_refused(void **state) {
        g_autoptr(Firmware) firmware = firmware_new(firmware_model_find("versioned"));
        bool again;

        prime(firmware, VERSIONED_BL31);
        assert_int_equal(firmware_activate(firmware, VERSIONED_BL31, true, &again), LFA_INVALID_PARAMETERS);
        assert_int_equal(firmware_activate(firmware, VERSIONED_BL31, false, &again), LFA_SUCCESS);
        assert_int_equal(firmware->counters.activate_calls, 1 + firmware->n_cpus);
}

static void outcomes_change_what_activate_really_does(void **state) {
        g_autoptr(Firmware) firmware = firmware_new(firmware_model_find("versioned"));
        FirmwareComponent *rmm = component(firmware, VERSIONED_RMM);
        bool again;

        prime(firmware, VERSIONED_RMM);
        firmware->faults.outcome = OUTCOME_NO_CHANGE;
        assert_int_equal(firmware_activate(firmware, VERSIONED_RMM, false, &again), LFA_SUCCESS);
        assert_true(rmm->current_version == VERSION(1, 2) && rmm->staged);

        prime(firmware, VERSIONED_RMM);
        rmm->faults.outcome = OUTCOME_VERSION; /* the component's own comes first */
        rmm->faults.outcome_version = VERSION(7, 7);
        assert_int_equal(firmware_activate(firmware, VERSIONED_RMM, false, &again), LFA_SUCCESS);
        assert_true(rmm->current_version == VERSION(7, 7) && !rmm->staged);

        prime(firmware, VERSIONED_RMM);
        rmm->faults.outcome = OUTCOME_CHANGE_THEN_FAIL;
        assert_int_equal(firmware_activate(firmware, VERSIONED_RMM, false, &again), LFA_ACTIVATION_FAILED);
        assert_true(rmm->current_version == VERSION(9, 9));
        assert_int_equal(firmware_cancel(firmware, VERSIONED_RMM), LFA_INVALID_PARAMETERS);
}

static void faults_count_down_and_can_last_for_ever(void **state) {
        g_autoptr(Firmware) firmware = firmware_new(firmware_model_find("versioned"));
        unsigned count;

        firmware->faults.fail[SMC_INFO].code = LFA_DEVICE_ERROR;
        firmware->faults.fail[SMC_INFO].left = 2;
        assert_int_equal(firmware_get_info(firmware, &count), LFA_DEVICE_ERROR);
        assert_int_equal(firmware_get_info(firmware, &count), LFA_DEVICE_ERROR);
        assert_int_equal(firmware_get_info(firmware, &count), LFA_SUCCESS);
        firmware->faults.fail[SMC_INFO].left = FOR_EVER;
        for (int i = 0; i < 1000; i++)
                assert_int_equal(firmware_get_info(firmware, &count), LFA_DEVICE_ERROR);
}

static void vanished_ids_are_given_away_at_the_next_get_info(void **state) {
        g_autoptr(Firmware) firmware = firmware_new(firmware_model_find("versioned"));
        FirmwareInventory answer;
        unsigned count;

        component(firmware, VERSIONED_RMM)->vanished = true;
        assert_int_equal(firmware_get_inventory(firmware, VERSIONED_RMM, &answer), LFA_INVALID_PARAMETERS);
        assert_string_equal(inventory(firmware, VERSIONED_BL31).guid,
                            "47d4086d-4cfe-9846-9b95-2950cbbd5a00");
        assert_int_equal(firmware_get_info(firmware, &count), LFA_SUCCESS);
        assert_int_equal(count, 3);
        assert_string_equal(inventory(firmware, 0).guid, "47d4086d-4cfe-9846-9b95-2950cbbd5a00");
}

static void every_model_is_found_by_its_name(void **state) {
        const FirmwareModel *model;

        for (size_t i = 0; (model = firmware_model_at(i)); i++) {
                g_autoptr(Firmware) firmware = firmware_new(model);

                assert_ptr_equal(firmware_model_find(model->name), model);
                assert_int_equal(firmware->components->len, model->n_defaults);
        }
        assert_null(firmware_model_find("none"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(versioned_tells_versions_and_tfa_never_does),
                cmocka_unit_test(tfa_evaluates_pending_only_in_get_inventory),
                cmocka_unit_test(tfa_component_without_activator_is_never_pending),
                cmocka_unit_test(tfa_failed_prime_keeps_the_slot_until_cancel),
                cmocka_unit_test(tfa_newcomer_beside_a_complete_prime_is_accepted_but_can_not_activate),
                cmocka_unit_test(versioned_failed_prime_leaves_nothing_behind),
                cmocka_unit_test(activate_without_prime_is_component_wrong_state),
                cmocka_unit_test(skipping_a_rendezvous_that_is_required_is_refused),
                cmocka_unit_test(outcomes_change_what_activate_really_does),
                cmocka_unit_test(faults_count_down_and_can_last_for_ever),
                cmocka_unit_test(vanished_ids_are_given_away_at_the_next_get_info),
                cmocka_unit_test(every_model_is_found_by_its_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
