/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verdict table. The oracle below is the documented table as rows of predicates, read top down; every
 * combination of evidence is put to it and to verdict_find. Comparing an absent value with anything fits
 * nothing: what is not there is neither the same nor different. */

#include "core/verdict.h"
#include "unit.h"

#include <stdio.h>

/* One combination of evidence. "" = absent, p1 -1 = absent. */
typedef struct Case {
        bool other_boot, report, gone, stale, prime_named, fell_before;
        ReportStage stage;
        int error;
        DriverProfile profile;
        const char *c0, *c1, *e, *q1;
        int p1;
} Case;

static bool known(const char *version) {
        return *version != 0;
}

static bool same(const char *a, const char *b) {
        return known(a) && known(b) && strcmp(a, b) == 0;
}

static bool differ(const char *a, const char *b) {
        return known(a) && known(b) && strcmp(a, b) != 0;
}

/* Values of an image that is gone or stale count as absent. */
static const char *c1_of(const Case *c) {
        return c->gone || c->stale ? "" : c->c1;
}

static bool begun_in_another_boot(const Case *c) {
        return c->other_boot;
}

static bool worker_saw_another_version(const Case *c) {
        return c->report && c->stage == STAGE_CHANGED;
}

static bool is_rfc(const Case *c) {
        return c->profile == PROFILE_RFC1 || c->profile == PROFILE_RFC2 || c->profile == PROFILE_NVRFC;
}

static bool is_v1(const Case *c) {
        return c->profile == PROFILE_V1 || c->profile == PROFILE_V1NV;
}

static bool nothing_reached_the_driver(const Case *c) {
        return c->report && (c->stage == STAGE_OPEN || c->error == EBUSY || c->error == EAGAIN ||
                             c->error == ENODEV || (c->error == EINVAL && is_rfc(c)));
}

static bool moved_as_wanted(const Case *c) {
        return differ(c->c0, c1_of(c)) && (!known(c->e) || same(c1_of(c), c->e));
}

static bool moved(const Case *c) {
        return differ(c->c0, c1_of(c));
}

static bool no_report(const Case *c) {
        return !c->report;
}

static bool accepted(const Case *c) {
        return c->error == 0;
}

static bool vanished(const Case *c) {
        return c->gone || c->stale;
}

static bool vanished_accepted(const Case *c) {
        return vanished(c) && accepted(c);
}

static bool unreadable(const Case *c) {
        return c->p1 < 0 || (known(c->c0) && !known(c->c1));
}

static bool unreadable_accepted(const Case *c) {
        return unreadable(c) && accepted(c);
}

static bool accepted_and_pending_fell(const Case *c) {
        return accepted(c) && c->p1 == 0;
}

static bool still_pending_as_it_was(const Case *c) {
        return same(c->q1, c->e) && differ(c->e, c->c0);
}

static bool accepted_without_effect(const Case *c) {
        return accepted(c) && c->p1 == 1 && known(c->c0) && (still_pending_as_it_was(c) || is_v1(c));
}

static bool accepted_v1(const Case *c) {
        return accepted(c) && is_v1(c);
}

static bool error_proved(const Case *c) {
        bool no_versions = !known(c->c0) && !known(c->c1) && !known(c->e) && !known(c->q1);

        if (accepted(c))
                return false;
        return c->p1 == 1 &&
               (c->prime_named || still_pending_as_it_was(c) || (no_versions && c->fell_before));
}

static bool always(const Case *c) {
        return true;
}

#define OWN_ERROR ((ErrorId) -1) /* the errno's own */

static const struct {
        VerdictRow row;
        bool (*fits)(const Case *c);
        JobResult result;
        ErrorId error;
        bool repeat;
} table[] = {
        { 1, begun_in_another_boot, RESULT_UNKNOWN, LFA_ERROR_HOST_RESTARTED, false },
        { 2, worker_saw_another_version, RESULT_REFUSED, LFA_ERROR_VERSION_CHANGED, false },
        { 2, nothing_reached_the_driver, RESULT_FAILED, OWN_ERROR, false },
        { 3, moved_as_wanted, RESULT_SUCCEEDED, LFA_ERROR_NONE, false },
        { 3, moved, RESULT_FAILED, LFA_ERROR_UNEXPECTED_VERSION, false },
        { 4, no_report, RESULT_UNKNOWN, LFA_ERROR_NO_REPORT, false },
        { 5, vanished_accepted, RESULT_UNVERIFIED, LFA_ERROR_IMAGE_GONE, false },
        { 5, vanished, RESULT_UNKNOWN, LFA_ERROR_IMAGE_GONE, false },
        { 6, unreadable_accepted, RESULT_UNVERIFIED, LFA_ERROR_UNREADABLE, false },
        { 6, unreadable, RESULT_UNKNOWN, LFA_ERROR_UNREADABLE, false },
        { 7, accepted_and_pending_fell, RESULT_UNVERIFIED, LFA_ERROR_NONE, false },
        { 8, accepted_without_effect, RESULT_FAILED, LFA_ERROR_NO_EFFECT, false },
        { 9, accepted_v1, RESULT_UNKNOWN, LFA_ERROR_UNPROVEN, true },
        { 9, accepted, RESULT_UNVERIFIED, LFA_ERROR_NONE, true },
        { 10, error_proved, RESULT_FAILED, LFA_ERROR_ACTIVATION_FAILED, false },
        { 11, always, RESULT_UNKNOWN, LFA_ERROR_UNPROVEN, false },
};

static const struct {
        int error;
        ErrorId own;
} errors[] = {
        { 0, LFA_ERROR_INPUT_OUTPUT },         { ECANCELED, LFA_ERROR_INPUT_OUTPUT },
        { EBUSY, LFA_ERROR_KERNEL_BUSY },      { EAGAIN, LFA_ERROR_KERNEL_BUSY },
        { ENODEV, LFA_ERROR_IMAGE_GONE },      { ENOENT, LFA_ERROR_IMAGE_GONE },
        { EINVAL, LFA_ERROR_NEEDS_CPU_RESET }, { EACCES, LFA_ERROR_NO_PERMISSION },
        { EROFS, LFA_ERROR_READ_ONLY },        { EIO, LFA_ERROR_INPUT_OUTPUT },
};

static ErrorId own_error(int error) {
        for (size_t i = 0; i < G_N_ELEMENTS(errors); i++)
                if (errors[i].error == error)
                        return errors[i].own;
        fail_msg("errno %d is not in the table", error);
        return LFA_ERROR_NONE;
}

static uint64_t n_cases, n_hits[G_N_ELEMENTS(table)];

static void describe_and_fail(const Case *c, size_t row, const Verdict *verdict) {
        fail_msg("other_boot=%d report=%d gone=%d stale=%d prime=%d fell=%d stage=%d errno=%d profile=%d "
                 "c0='%s' c1='%s' e='%s' q1='%s' p1=%d: row %d (entry %zu) expected, got row %d result %d "
                 "error %d repeat %d",
                 c->other_boot, c->report, c->gone, c->stale, c->prime_named, c->fell_before, (int) c->stage,
                 c->error, (int) c->profile, c->c0, c->c1, c->e, c->q1, c->p1, (int) table[row].row, row,
                 (int) verdict->row, (int) verdict->result, (int) verdict->error, verdict->repeat);
}

static void check_case(const Case *c, const VerdictFacts *facts) {
        Verdict verdict = verdict_find(facts);
        size_t row = 0;
        ErrorId error;

        while (!table[row].fits(c))
                row++;
        error = table[row].error == OWN_ERROR ? own_error(c->error) : table[row].error;
        if (verdict.row != table[row].row || verdict.result != table[row].result || verdict.error != error ||
            verdict.repeat != table[row].repeat)
                describe_and_fail(c, row, &verdict);
        n_cases++;
        n_hits[row]++;
}

static void fill_report(const Case *c, ActivationReport *report) {
        report->profile = c->profile;
        report->stage = c->stage;
        report->error = c->error;
        report->gone = c->gone;
        report->stale = c->stale;
        report->after.pending = (int8_t) c->p1;
        strcpy(report->before.current_version, c->c0);
        strcpy(report->before.pending_version, c->e);
        strcpy(report->after.current_version, c->c1);
        strcpy(report->after.pending_version, c->q1);
}

/* other_boot, gone, stale, prime_named, fell_before */
static void check_flags(Case *c, ActivationReport *report) {
        VerdictFacts facts = { .report = report, .from = "", .to = "" };

        for (unsigned bits = 0; bits < 32; bits++) {
                c->other_boot = facts.other_boot = bits & 1;
                c->gone = bits & 2;
                c->stale = bits & 4;
                c->prime_named = facts.log_names_prime = bits & 8;
                c->fell_before = facts.pending_fell_before = bits & 16;
                fill_report(c, report);
                check_case(c, &facts);
        }
}

static const char *const versions[] = { "", "1.0", "1.1", "2.0" }; /* absent, A, B, C */

/* c0: absent, A; c1 and q1: absent, A, B, C; e: absent, A, B; p1: absent, 0, 1 */
static void check_values(Case *c, ActivationReport *report) {
        for (unsigned i = 0; i < 2 * 4 * 3 * 4 * 3; i++) {
                c->c0 = versions[i % 2];
                c->c1 = versions[i / 2 % 4];
                c->e = versions[i / 8 % 3];
                c->q1 = versions[i / 24 % 4];
                c->p1 = (int) (i / 96) - 1;
                check_flags(c, report);
        }
}

static void check_all_reports(void) {
        ActivationReport report = { 0 };
        Case c = { .report = true };

        for (c.stage = 0; c.stage < _STAGE_MAX; c.stage++)
                for (size_t i = 0; i < G_N_ELEMENTS(errors); i++)
                        for (c.profile = 0; c.profile < _PROFILE_MAX; c.profile++) {
                                c.error = errors[i].error;
                                check_values(&c, &report);
                        }
}

/* seen: none, or a reading with c1, healthy or as the driver shows an image that it drops */
static void check_all_without_report(void) {
        static const char guid[] = "6c0762a6-12f2-4b56-92cb-ba8f633606d9";

        for (unsigned i = 0; i < 2 * 3 * 4 * 2 * 2 * 2; i++) {
                Case c = { .c0 = versions[i % 2], .e = versions[i / 2 % 3], .q1 = "", .p1 = -1 };
                VerdictFacts facts = { .from = c.c0, .to = c.e };
                ImageValues seen;

                image_values_init(&seen, guid);
                seen.may_reset_cpu = seen.cpu_rendezvous = 0;
                seen.capable = seen.pending = i / 24 % 2;
                c.other_boot = facts.other_boot = i / 48 % 2;
                c.c1 = i / 96 % 2 ? versions[i / 6 % 4] : "";
                strcpy(seen.current_version, c.c1);
                facts.seen = i / 96 % 2 ? &seen : NULL;
                check_case(&c, &facts);
        }
}

static void every_combination_of_evidence_gets_the_row_of_the_table(void **state) {
        check_all_reports();
        check_all_without_report();
        for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
                if (n_hits[i] == 0)
                        fail_msg("no combination reaches entry %zu (row %d)", i, (int) table[i].row);
                print_message("row %2d entry %2zu: %8ju combinations\n", (int) table[i].row, i,
                              (uintmax_t) n_hits[i]);
        }
        print_message("verdicts: %ju combinations\n", (uintmax_t) n_cases);
        assert_int_equal(_VERDICT_ROW_MAX, 12);
}

/* --- the cases that a reader may want to see by name --- */

typedef struct Story {
        DriverProfile profile;
        int error;
        const char *c0, *e; /* before */
        int p1;
        const char *c1, *q1; /* after */
} Story;

static Verdict judge(const Story *story, bool prime_named, bool fell_before) {
        ActivationReport report = {
                .profile = story->profile,
                .stage = STAGE_WRITE,
                .error = story->error,
                .attempts = 1,
        };
        VerdictFacts facts = {
                .report = &report,
                .from = "",
                .to = "",
                .log_names_prime = prime_named,
                .pending_fell_before = fell_before,
        };

        strcpy(report.before.current_version, story->c0);
        strcpy(report.before.pending_version, story->e);
        strcpy(report.after.current_version, story->c1);
        strcpy(report.after.pending_version, story->q1);
        report.after.pending = (int8_t) story->p1;
        return verdict_find(&facts);
}

static void assert_verdict(Verdict verdict, JobResult result, ErrorId error, bool repeat) {
        assert_int_equal(verdict.result, result);
        assert_int_equal(verdict.error, error);
        assert_int_equal(verdict.repeat, repeat);
}

static void success_that_v1nv_reports_for_a_failure_is_a_failure(void **state) {
        Story story = { PROFILE_V1NV, 0, "1.0", "", 1, "1.0", "" };

        assert_verdict(judge(&story, false, false), RESULT_FAILED, LFA_ERROR_NO_EFFECT, false);
}

static void an_error_with_the_new_firmware_running_succeeded(void **state) {
        Story story = { PROFILE_NVNEW, ECANCELED, "1.0", "1.1", 0, "1.1", "" };

        assert_verdict(judge(&story, false, false), RESULT_SUCCEEDED, LFA_ERROR_NONE, false);
}

static void another_version_than_the_pending_one_failed(void **state) {
        Story story = { PROFILE_V3, 0, "1.0", "1.1", 0, "0.9", "" };

        assert_verdict(judge(&story, false, false), RESULT_FAILED, LFA_ERROR_UNEXPECTED_VERSION, false);
}

static void firmware_without_versions_is_unverified_when_pending_fell(void **state) {
        Story story = { PROFILE_V3, 0, "", "", 0, "", "" };

        assert_verdict(judge(&story, false, false), RESULT_UNVERIFIED, LFA_ERROR_NONE, false);
}

static void firmware_that_stays_pending_is_unverified_and_not_repeated(void **state) {
        Story story = { PROFILE_V3, 0, "", "", 1, "", "" };

        assert_verdict(judge(&story, false, false), RESULT_UNVERIFIED, LFA_ERROR_NONE, true);
}

static void an_error_proves_nothing_when_the_cached_version_stayed(void **state) {
        Story story = { PROFILE_V3, ECANCELED, "1.0", "1.1", 0, "1.0", "" };

        assert_verdict(judge(&story, false, false), RESULT_UNKNOWN, LFA_ERROR_UNPROVEN, false);
}

static void an_error_with_the_same_version_still_pending_failed(void **state) {
        Story story = { PROFILE_V3, ECANCELED, "1.0", "1.1", 1, "1.0", "1.1" };

        assert_verdict(judge(&story, false, false), RESULT_FAILED, LFA_ERROR_ACTIVATION_FAILED, false);
}

static void an_error_without_versions_failed_only_when_pending_is_known_to_fall(void **state) {
        Story story = { PROFILE_V3, ECANCELED, "", "", 1, "", "" };

        assert_verdict(judge(&story, false, false), RESULT_UNKNOWN, LFA_ERROR_UNPROVEN, false);
        assert_verdict(judge(&story, false, true), RESULT_FAILED, LFA_ERROR_ACTIVATION_FAILED, false);
        assert_verdict(judge(&story, true, false), RESULT_FAILED, LFA_ERROR_ACTIVATION_FAILED, false);
}

static void einval_is_a_refusal_on_rfc_drivers_only(void **state) {
        Story story = { PROFILE_RFC1, EINVAL, "", "", 1, "", "" };

        assert_verdict(judge(&story, false, false), RESULT_FAILED, LFA_ERROR_NEEDS_CPU_RESET, false);
        story.profile = PROFILE_V3;
        assert_verdict(judge(&story, false, false), RESULT_UNKNOWN, LFA_ERROR_UNPROVEN, false);
}

static void without_a_report_only_a_version_that_moved_is_proof(void **state) {
        ImageValues seen;
        VerdictFacts facts = { .from = "1.0", .to = "1.1" };

        image_values_init(&seen, "6c0762a6-12f2-4b56-92cb-ba8f633606d9");
        assert_verdict(verdict_find(&facts), RESULT_UNKNOWN, LFA_ERROR_NO_REPORT, false);
        facts.seen = &seen;
        strcpy(seen.current_version, "1.0");
        assert_verdict(verdict_find(&facts), RESULT_UNKNOWN, LFA_ERROR_NO_REPORT, false);
        strcpy(seen.current_version, "1.1");
        assert_verdict(verdict_find(&facts), RESULT_SUCCEEDED, LFA_ERROR_NONE, false);
        facts.other_boot = true;
        assert_verdict(verdict_find(&facts), RESULT_UNKNOWN, LFA_ERROR_HOST_RESTARTED, false);
}

static void only_what_may_still_be_learned_stays_open(void **state) {
        for (int result = 0; result < _JOB_RESULT_MAX; result++)
                for (int pending = -1; pending <= 1; pending++) {
                        bool open = result == RESULT_UNKNOWN ||
                                    (result == RESULT_UNVERIFIED && pending != 0);

                        assert_int_equal(verdict_is_open((JobResult) result, pending, "", "2.0"), open);
                        assert_int_equal(verdict_is_open((JobResult) result, pending, "2.0", "2.0"), open);
                        /* The refresh that would show another one is still to come. */
                        assert_int_equal(verdict_is_open((JobResult) result, pending, "1.0", "2.0"),
                                         open || result == RESULT_UNVERIFIED);
                        assert_int_equal(verdict_is_open((JobResult) result, pending, "1.0", ""),
                                         open || result == RESULT_UNVERIFIED);
                }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_combination_of_evidence_gets_the_row_of_the_table),
                cmocka_unit_test(success_that_v1nv_reports_for_a_failure_is_a_failure),
                cmocka_unit_test(an_error_with_the_new_firmware_running_succeeded),
                cmocka_unit_test(another_version_than_the_pending_one_failed),
                cmocka_unit_test(firmware_without_versions_is_unverified_when_pending_fell),
                cmocka_unit_test(firmware_that_stays_pending_is_unverified_and_not_repeated),
                cmocka_unit_test(an_error_proves_nothing_when_the_cached_version_stayed),
                cmocka_unit_test(an_error_with_the_same_version_still_pending_failed),
                cmocka_unit_test(an_error_without_versions_failed_only_when_pending_is_known_to_fall),
                cmocka_unit_test(einval_is_a_refusal_on_rfc_drivers_only),
                cmocka_unit_test(only_what_may_still_be_learned_stays_open),
                cmocka_unit_test(without_a_report_only_a_version_that_moved_is_proof),
        };

        return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
