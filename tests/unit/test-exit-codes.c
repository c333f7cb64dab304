/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl's exit codes: every error and every result has one on purpose. */

#include "core/enum-names.h"
#include "core/errors.h"
#include "core/gates.h"
#include "ctl/exit-codes.h"
#include "unit.h"

static void every_error_has_a_code_of_its_own(void **state) {
        for (ErrorId error = 1; error < _LFA_ERROR_MAX; error++)
                if (!exit_code_knows_error(error_bus_name(error)))
                        fail_msg("%s has no exit code", error_bus_name(error));
        assert_false(exit_code_knows_error("org.arm.LFA1.Error.OfALaterLfad"));
        assert_int_equal(exit_code_from_error("org.arm.LFA1.Error.OfALaterLfad"), EXIT_FAILED);
}

/* A timer that comes again is for those only. */
static void what_passes_by_itself_is_no_denial(void **state) {
        assert_int_equal(exit_code_from_result("refused", "org.arm.LFA1.Error.SystemNotReady"),
                         EXIT_DEFERRED);
        assert_int_equal(exit_code_from_result("refused", "org.arm.LFA1.Error.Held"), EXIT_DEFERRED);
        assert_int_equal(exit_code_from_result("refused", "org.arm.LFA1.Error.SystemStopping"), EXIT_DENIED);
        assert_int_equal(exit_code_from_result("refused", "org.arm.LFA1.Error.Quarantined"), EXIT_DENIED);
        assert_int_equal(exit_code_from_result("refused", "org.arm.LFA1.Error.NoPermission"), EXIT_DENIED);
        assert_int_equal(exit_code_from_result("refused", "org.arm.LFA1.Error.OfALaterLfad"), EXIT_DENIED);
}

static void every_result_has_a_code(void **state) {
        for (JobResult result = RESULT_NONE + 1; result < _JOB_RESULT_MAX; result++)
                if (result != RESULT_UNKNOWN)
                        assert_int_not_equal(exit_code_from_result(job_result_to_string(result), ""),
                                             EXIT_UNKNOWN);
        assert_int_equal(exit_code_from_result("unknown", ""), EXIT_UNKNOWN);
        assert_int_equal(exit_code_from_result("of a later lfad", ""), EXIT_UNKNOWN);
}

static void of_several_the_worst_counts(void **state) {
        static const ExitCode order[] = { 1, 5, 2, 6, 7, 8, 4, 3, 9, 0 };

        assert_int_equal(G_N_ELEMENTS(order), _EXIT_CODE_MAX);
        for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(order); j++)
                        assert_int_equal(exit_code_worse(order[i], order[j]), order[MIN(i, j)]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_error_has_a_code_of_its_own),
                cmocka_unit_test(what_passes_by_itself_is_no_denial),
                cmocka_unit_test(every_result_has_a_code),
                cmocka_unit_test(of_several_the_worst_counts),
        };

        return cmocka_run_group_tests_name("exit-codes", tests, NULL, NULL);
}
