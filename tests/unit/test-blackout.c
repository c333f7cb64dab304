/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blackouts: which wake-ups are late, by how much, and what of it counts. */

#include "core/blackout.h"
#include "unit.h"

#define STEP 500

/* A meter whose sampler last woke up at 0, with this floor. */
static BlackoutMeter new_meter(uint64_t floor_usec) {
        BlackoutMeter meter;

        blackout_meter_init(&meter, STEP, 0);
        blackout_meter_calibrate(&meter, STEP, STEP + floor_usec);
        blackout_meter_skip(&meter, 0);
        return meter;
}

static void assert_result(const BlackoutMeter *meter, uint64_t usec, unsigned count, uint64_t sum_usec) {
        assert_true(meter->result.measured);
        assert_int_equal(meter->result.usec, usec);
        assert_int_equal(meter->result.count, count);
        assert_int_equal(meter->result.sum_usec, sum_usec);
}

static void nothing_is_measured_before_something_is_taken(void **state) {
        BlackoutMeter meter;

        blackout_meter_init(&meter, STEP, 7);
        blackout_meter_calibrate(&meter, STEP, 7 + 100 * STEP);
        blackout_meter_skip(&meter, 200 * STEP);
        assert_false(meter.result.measured);
        assert_int_equal(meter.result.count, 0);
}

static void the_floor_is_the_worst_of_the_calibration_and_never_below_the_step(void **state) {
        static const uint64_t late[] = { 0, STEP - 1, STEP, 3 * STEP, 2 * STEP };
        static const uint64_t floors[] = { STEP, STEP, STEP, 3 * STEP, 3 * STEP };
        BlackoutMeter meter;
        uint64_t now = 1000;

        blackout_meter_init(&meter, STEP, now);
        assert_int_equal(meter.result.floor_usec, STEP);
        for (size_t i = 0; i < G_N_ELEMENTS(late); i++) {
                uint64_t slept = i % 2 ? STEP : STEP / 4;

                now += slept + late[i];
                blackout_meter_calibrate(&meter, slept, now);
                assert_int_equal(meter.result.floor_usec, floors[i]);
        }
}

static void punctual_and_early_wake_ups_are_no_blackout(void **state) {
        BlackoutMeter meter = new_meter(STEP);
        uint64_t now = 0;

        for (unsigned i = 0; i < 1000; i++) {
                now += i % 2 ? STEP : STEP / 2;
                blackout_meter_take(&meter, 0, now);
        }
        assert_result(&meter, 0, 0, 0);
}

static void what_is_above_the_floor_counts_whole_and_what_is_not_does_not(void **state) {
        BlackoutMeter meter = new_meter(2000);

        blackout_meter_take(&meter, 0, STEP + 2000);
        assert_result(&meter, 0, 0, 0);
        blackout_meter_take(&meter, 0, 2 * STEP + 4001);
        assert_result(&meter, 2001, 1, 2001);
}

static void the_longest_the_number_and_the_sum_are_told(void **state) {
        static const uint64_t stalls[] = { 20000, 0, 502000, 20500, 0, 600 };
        BlackoutMeter meter = new_meter(STEP);
        uint64_t now = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(stalls); i++) {
                now += STEP + stalls[i];
                blackout_meter_take(&meter, 0, now);
        }
        assert_result(&meter, 502000, 4, 20000 + 502000 + 20500 + 600);
}

/* One long call is one blackout; the same in 41 calls is 41. */
static void stalls_with_a_wake_up_between_them_are_several(void **state) {
        BlackoutMeter meter = new_meter(STEP);
        uint64_t now = 0;

        for (unsigned i = 0; i < 41; i++) {
                now += STEP + 20500;
                blackout_meter_take(&meter, 0, now);
                now += STEP;
                blackout_meter_take(&meter, 0, now);
        }
        assert_result(&meter, 20500, 41, 41 * 20500);
}

static void what_lies_before_the_begin_does_not_count(void **state) {
        BlackoutMeter meter = new_meter(STEP);

        blackout_meter_take(&meter, 100000, 102000); /* late since STEP */
        assert_result(&meter, 2000, 1, 2000);
        meter = new_meter(STEP);
        blackout_meter_take(&meter, 100000, 90000); /* begun after the sample */
        assert_result(&meter, 0, 0, 0);
        meter = new_meter(STEP);
        blackout_meter_skip(&meter, 100000);
        blackout_meter_take(&meter, 100000 - STEP, 100000 + STEP);
        assert_result(&meter, 0, 0, 0);
}

/* Wherever in a step the stall begins: never too long, and at most a step too short. */
static void a_stall_is_measured_up_to_a_step_too_short_and_never_too_long(void **state) {
        static const uint64_t length = 10000;

        for (uint64_t begin = 0; begin <= STEP; begin++) {
                BlackoutMeter meter = new_meter(STEP);

                blackout_meter_take(&meter, 0,
                                    begin + length); /* due within the stall: woken up at its end */
                assert_in_range(meter.result.usec, length - STEP, length);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_is_measured_before_something_is_taken),
                cmocka_unit_test(the_floor_is_the_worst_of_the_calibration_and_never_below_the_step),
                cmocka_unit_test(punctual_and_early_wake_ups_are_no_blackout),
                cmocka_unit_test(what_is_above_the_floor_counts_whole_and_what_is_not_does_not),
                cmocka_unit_test(the_longest_the_number_and_the_sum_are_told),
                cmocka_unit_test(stalls_with_a_wake_up_between_them_are_several),
                cmocka_unit_test(what_lies_before_the_begin_does_not_count),
                cmocka_unit_test(a_stall_is_measured_up_to_a_step_too_short_and_never_too_long),
        };

        return cmocka_run_group_tests_name("blackout", tests, NULL, NULL);
}
