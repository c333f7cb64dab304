/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's own detectors of standstill: reading their limits, whatever is in the files, and judging them. */

#include "kernel/lockup-reader.h"
#include "unit.h"
#include "util/macros.h"

#include <string.h>

#define NO LOCKUP_ABSENT

typedef struct Row {
        const char *title;
        LockupId id;
        int64_t limit, enabled, panic; /* enabled: where the detector has a switch */
        uint64_t need;                 /* s */
        bool within, panics;
        uint64_t limit_s;
} Row;

static const Row rows[] = {
        { "hard, as the kernel has it", LOCKUP_HARD, 10, 1, 0, 10, true, false, 10 },
        { "hard, panics", LOCKUP_HARD, 10, 1, 1, 10, true, true, 10 },
        { "hard, no NMI watchdog", LOCKUP_HARD, 10, 0, 1, 10, false, false, 0 },
        { "hard, longer", LOCKUP_HARD, 11, 1, 1, 10, false, false, 0 },
        { "hard, v1nv", LOCKUP_HARD, 11, 1, 0, 20, true, false, 11 },
        { "soft, as the kernel has it", LOCKUP_SOFT, 10, 1, 1, 10, false, false, 0 },
        { "soft, v1nv", LOCKUP_SOFT, 10, 1, 1, 20, true, true, 20 },
        { "soft, no switch shown", LOCKUP_SOFT, 5, NO, NO, 10, true, false, 10 },
        { "soft, off", LOCKUP_SOFT, 0, 1, 1, 10, false, false, 0 },
        { "soft, not there", LOCKUP_SOFT, NO, 1, 1, 10, false, false, 0 },
        { "RCU, as the kernel has it", LOCKUP_RCU, 21, NO, 1, 10, false, false, 0 },
        { "RCU, short", LOCKUP_RCU, 3, NO, 1, 10, true, true, 3 },
        { "RCU, no limit of the driver's", LOCKUP_RCU, 21, NO, 0, UINT64_MAX, true, false, 21 },
        { "task, as the kernel has it", LOCKUP_TASK, 120, NO, 1, 10, false, false, 0 },
        { "task, short", LOCKUP_TASK, 10, NO, 1, 10, true, true, 10 },
        { "task, off", LOCKUP_TASK, 0, NO, 1, UINT64_MAX, false, false, 0 },
        { "task, huge", LOCKUP_TASK, LOCKUP_VALUE_MAXIMUM, NO, 1, UINT64_MAX, true, true,
          LOCKUP_VALUE_MAXIMUM },
};

static const LockupNumber limits[] = { LOCKUP_WATCHDOG_THRESH, LOCKUP_WATCHDOG_THRESH,
                                       LOCKUP_RCU_STALL_TIMEOUT, LOCKUP_HUNG_TASK_TIMEOUT };
static const LockupNumber switches[] = { LOCKUP_SOFT_WATCHDOG, LOCKUP_NMI_WATCHDOG };
static const LockupNumber panics[] = { LOCKUP_SOFTLOCKUP_PANIC, LOCKUP_HARDLOCKUP_PANIC,
                                       LOCKUP_PANIC_ON_RCU_STALL, LOCKUP_HUNG_TASK_PANIC };

static void every_case_is_judged_as_the_table_says(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                const Row *row = &rows[i];
                uint64_t need = row->need == UINT64_MAX ? UINT64_MAX : row->need * USEC_PER_SEC, limit = 0;
                bool panic = false, within;
                Lockups lockups;
                g_autofree char *text = NULL;

                lockups_init(&lockups);
                lockups.numbers[limits[row->id]] = row->limit;
                if (row->id <= LOCKUP_HARD)
                        lockups.numbers[switches[row->id]] = row->enabled;
                lockups.numbers[panics[row->id]] = row->panic;
                within = lockup_is_within(&lockups, row->id, need, &limit, &panic);
                text = lockup_explain(row->id, need, limit, panic);
                if (within != row->within || panic != row->panics || limit != row->limit_s * USEC_PER_SEC)
                        fail_msg("%s: %d, %d, %" G_GUINT64_FORMAT, row->title, within, panic, limit);
                assert_true(g_str_has_suffix(text, "."));
        }
}

static void what_makes_no_sense_is_absent(void **state) {
        const TempFolder *folder = *state;
        static const char *const bad[] = { "", "-1\n", "x\n", "1x\n", "4294967296\n", "1\n2\n", "0x10\n" };
        g_autofree char *procfs = temp_path(folder, "proc"), *sysfs = temp_path(folder, "sys");
        Lockups lockups;

        lockups_read(sysfs, procfs, &lockups); /* neither is there */
        for (int i = 0; i < _LOCKUP_NUMBER_MAX; i++)
                assert_true(lockups.numbers[i] == LOCKUP_ABSENT);
        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
                temp_write_text(folder, "proc/sys/kernel/watchdog_thresh", bad[i]);
                lockups_read(sysfs, procfs, &lockups);
                assert_true(lockups.numbers[LOCKUP_WATCHDOG_THRESH] == LOCKUP_ABSENT);
        }
        temp_write_text(folder, "proc/sys/kernel/watchdog_thresh", "10\n");
        temp_write_text(folder, "proc/sys/kernel/hung_task_timeout_secs", "4294967295\n");
        temp_write_text(folder, "sys/module/rcupdate/parameters/rcu_cpu_stall_timeout", "21\n");
        lockups_read(sysfs, procfs, &lockups);
        assert_true(lockups.numbers[LOCKUP_WATCHDOG_THRESH] == 10);
        assert_true(lockups.numbers[LOCKUP_HUNG_TASK_TIMEOUT] == LOCKUP_VALUE_MAXIMUM);
        assert_true(lockups.numbers[LOCKUP_RCU_STALL_TIMEOUT] == 21);
        assert_true(lockups.numbers[LOCKUP_SOFTLOCKUP_PANIC] == LOCKUP_ABSENT);
}

static void enumerations_round_trip(void **state) {
        for (int i = 0; i < _LOCKUP_NUMBER_MAX; i++)
                assert_int_equal(lockup_number_from_string(lockup_number_to_string((LockupNumber) i)), i);
        for (int i = 0; i < _LOCKUP_MAX; i++)
                assert_int_equal(lockup_from_string(lockup_to_string((LockupId) i)), i);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_case_is_judged_as_the_table_says),
                unit_test_with_folder(what_makes_no_sense_is_absent),
                cmocka_unit_test(enumerations_round_trip),
        };

        return cmocka_run_group_tests_name("lockup", tests, NULL, NULL);
}
