/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gates about time: what each refuses, in which words, and from when it may pass. */

#include "core/gates.h"
#include "unit.h"

#define SECOND ((uint64_t) 1000000)
#define NOW (UINT64_C(1797476400) * SECOND) /* 2026-12-17 03:00:00 UTC */

/* Inside a window of two hours, with nothing against it. */
static GateFacts facts_new(void) {
        return (GateFacts){ .schedule = { .at_usec = NOW,
                                          .has_window = true,
                                          .open_until_usec = NOW + 7200 * SECOND,
                                          .need_usec = 50 * SECOND,
                                          .next_open_usec = NOW + 86400 * SECOND,
                                          .slot_usec = NOW - SECOND,
                                          .since_last_usec = UINT64_MAX,
                                          .clock_synchronized = SYSTEM_ANSWER_YES } };
}

static GateVerdict ask(const GateFacts *facts, GateId gate) {
        GateVerdict verdicts[_GATE_MAX];

        gates_run(facts, verdicts);
        return verdicts[gate];
}

static void assert_allows(const GateFacts *facts, GateId gate) {
        const GateVerdict verdict = ask(facts, gate);

        assert_int_equal(verdict.answer, GATE_ALLOW);
        assert_int_equal(verdict.error, LFA_ERROR_NONE);
}

/* What passes says so with its numbers, too. */
static void assert_allows_since(const GateFacts *facts, GateId gate, const char *text) {
        assert_allows(facts, gate);
        assert_string_equal(ask(facts, gate).text, text);
}

static void assert_defers(const GateFacts *facts, GateId gate, ErrorId error, uint64_t not_before_usec,
                          const char *text) {
        const GateVerdict verdict = ask(facts, gate);
        GateFacts passing = *facts;

        assert_int_equal(verdict.answer, GATE_DEFER);
        assert_int_equal(verdict.error, error);
        assert_true(verdict.not_before_usec == not_before_usec);
        assert_string_equal(verdict.text, text);
        passing.terms.overrides = 1U << gate;
        assert_true(ask(&passing, gate).overridden);
        assert_int_equal(ask(&passing, gate).answer, GATE_ALLOW);
}

static void everything_is_allowed_in_an_open_window(void **state) {
        GateFacts facts = facts_new();

        for (unsigned i = 0; i < 3; i++) {
                facts.terms.unattended = i > 0;
                facts.terms.automatic = i > 1;
                for (GateId gate = GATE_FREEZE; gate <= GATE_CLOCK; gate++)
                        assert_allows(&facts, gate);
        }
}

static void a_freeze_holds_until_its_end(void **state) {
        GateFacts facts = facts_new();

        facts.schedule.freeze = "year-end";
        facts.schedule.freeze_from_usec = NOW;
        facts.schedule.freeze_until_usec = NOW + 3600 * SECOND;
        assert_defers(&facts, GATE_FREEZE, LFA_ERROR_FROZEN, NOW + 3600 * SECOND,
                      "Nothing is activated until 2026-12-17 04:00:00 UTC: freeze 'year-end'.");
}

static void a_freeze_that_begins_too_soon_is_as_good_as_one_that_holds(void **state) {
        GateFacts facts = facts_new();

        facts.schedule.freeze = "year-end";
        facts.schedule.freeze_from_usec = NOW + 49 * SECOND;
        facts.schedule.freeze_until_usec = NOW + 3600 * SECOND;
        facts.schedule.need_usec = 49 * SECOND + 1;
        assert_defers(&facts, GATE_FREEZE, LFA_ERROR_FROZEN, NOW + 3600 * SECOND,
                      "Freeze 'year-end' begins 2026-12-17 03:00:49 UTC, sooner than the 50 s that an activation "
                      "may need. Nothing is activated until 2026-12-17 04:00:00 UTC.");
}

static void times_are_told_in_the_zone_of_the_configuration(void **state) {
        g_autoptr(GTimeZone) zone = g_time_zone_new_identifier("Europe/Berlin");
        GateFacts facts = facts_new();

        facts.schedule.zone = zone;
        facts.schedule.freeze = "year-end";
        facts.schedule.freeze_until_usec = NOW;
        assert_non_null(strstr(ask(&facts, GATE_FREEZE).text, "2026-12-17 04:00:00 CET"));
}

static void no_open_window_defers_to_the_next_one_that_is_long_enough(void **state) {
        GateFacts facts = facts_new();

        facts.schedule.open_until_usec = 0;
        assert_defers(&facts, GATE_WINDOW, LFA_ERROR_OUTSIDE_WINDOW, NOW + 86400 * SECOND,
                      "No window is open for this image. The next one that is long enough for the 50 s that an "
                      "activation may need opens 2026-12-18 03:00:00 UTC.");
        facts.schedule.next_open_after_freeze = true;
        assert_defers(&facts, GATE_WINDOW, LFA_ERROR_OUTSIDE_WINDOW, NOW + 86400 * SECOND,
                      "No window is open for this image. The next one outside of freezes that is long enough for the "
                      "50 s that an activation may need can be used from 2026-12-18 03:00:00 UTC.");
        facts.schedule.next_open_usec = UINT64_MAX;
        assert_defers(&facts, GATE_WINDOW, LFA_ERROR_OUTSIDE_WINDOW, 0,
                      "No window is open for this image, and none opens any more for the 50 s that an activation "
                      "may need.");
}

static void a_window_that_closes_too_soon_is_as_good_as_closed(void **state) {
        GateFacts facts = facts_new();

        facts.schedule.open_until_usec = NOW + 50 * SECOND;
        assert_allows_since(
                        &facts, GATE_WINDOW,
                        "A window is open until 2026-12-17 03:00:50 UTC, for 50 s; an activation may need 50 s.");
        facts.schedule.open_until_usec--;
        assert_defers(&facts, GATE_WINDOW, LFA_ERROR_OUTSIDE_WINDOW, NOW + 86400 * SECOND,
                      "The window closes 2026-12-17 03:00:49 UTC, which is too soon. The next one that is long "
                      "enough for the 50 s that an activation may need opens 2026-12-18 03:00:00 UTC.");
}

static void without_windows_everybody_may_but_lfad_itself(void **state) {
        GateFacts facts = facts_new();

        facts.schedule.has_window = false;
        facts.schedule.slot_usec = UINT64_MAX;
        assert_allows_since(&facts, GATE_WINDOW, "No window is configured for this image.");
        assert_allows(&facts, GATE_SLOT);
        facts.terms.unattended = true;
        assert_allows(&facts, GATE_WINDOW);
        assert_allows(&facts, GATE_SLOT);
        facts.terms.automatic = true;
        assert_defers(&facts, GATE_WINDOW, LFA_ERROR_NO_WINDOW, 0,
                      "No window is configured for this image, and lfad activates nothing by itself without one.");
}

static void the_slot_binds_only_those_who_speak_for_nobody(void **state) {
        GateFacts facts = facts_new();

        facts.schedule.slot_usec = NOW + SECOND;
        assert_allows(&facts, GATE_SLOT);
        facts.terms.unattended = true;
        assert_defers(&facts, GATE_SLOT, LFA_ERROR_SLOT_NOT_REACHED, NOW + SECOND,
                      "This host's own moment in the window is 2026-12-17 03:00:01 UTC.");
        facts.schedule.tried_in_window = true;
        assert_defers(&facts, GATE_SLOT, LFA_ERROR_TRIED_IN_WINDOW, NOW + SECOND,
                      "This image was tried in this window. This host's moment in the next one is 2026-12-17 "
                      "03:00:01 UTC.");
        facts.schedule.slot_usec = UINT64_MAX;
        assert_defers(&facts, GATE_SLOT, LFA_ERROR_TRIED_IN_WINDOW, 0,
                      "This image was tried in this window, and no moment of this host in another one comes any "
                      "more.");
        facts.schedule.tried_in_window = false;
        facts.schedule.at_usec = UINT64_MAX;
        assert_defers(&facts, GATE_SLOT, LFA_ERROR_SLOT_NOT_REACHED, 0,
                      "No moment of this host in a window comes any more.");
        facts.schedule.at_usec = NOW;
        facts.schedule.slot_usec = NOW;
        assert_allows_since(&facts, GATE_SLOT,
                            "This host's own moment in the window was 2026-12-17 03:00:00 UTC.");
        facts.schedule.no_machine_id = true;
        assert_defers(&facts, GATE_SLOT, LFA_ERROR_NO_MACHINE_ID, 0,
                      "The host has no machine id, so that it has no moment of its own in a window.");
}

static void activations_keep_their_distance(void **state) {
        GateFacts facts = facts_new();

        facts.schedule.interval_usec = 600 * SECOND;
        assert_allows(&facts, GATE_INTERVAL);
        facts.schedule.since_last_usec = 600 * SECOND;
        assert_allows_since(&facts, GATE_INTERVAL,
                            "The last activation ended 600 s ago; between two there are to be 600 s.");
        facts.schedule.since_last_usec = 590 * SECOND;
        assert_defers(&facts, GATE_INTERVAL, LFA_ERROR_INTERVAL_NOT_OVER, NOW + 10 * SECOND,
                      "The last activation ended 590 s ago; between two there are to be 600 s "
                      "(MinimumIntervalSec=).");
        facts.schedule.since_last_usec += SECOND - 1; /* the moment that is told is a full second */
        assert_defers(&facts, GATE_INTERVAL, LFA_ERROR_INTERVAL_NOT_OVER, NOW + 10 * SECOND,
                      "The last activation ended 590 s ago; between two there are to be 600 s "
                      "(MinimumIntervalSec=).");
        facts.schedule.interval_usec = facts.schedule.since_last_usec = 0;
        assert_allows(&facts, GATE_INTERVAL);
}

static void a_clock_that_may_be_wrong_binds_only_those_who_speak_for_nobody(void **state) {
        static const SystemAnswer answers[] = { SYSTEM_ANSWER_UNKNOWN, SYSTEM_ANSWER_ABSENT,
                                                SYSTEM_ANSWER_NO };
        GateFacts facts = facts_new();

        for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
                facts.schedule.clock_synchronized = answers[i];
                facts.terms.unattended = false;
                assert_allows(&facts, GATE_CLOCK);
                facts.terms.unattended = true;
                assert_int_equal(ask(&facts, GATE_CLOCK).answer, GATE_DEFER);
                assert_int_equal(ask(&facts, GATE_CLOCK).error, LFA_ERROR_CLOCK_NOT_SYNCHRONIZED);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(everything_is_allowed_in_an_open_window),
                cmocka_unit_test(a_freeze_holds_until_its_end),
                cmocka_unit_test(a_freeze_that_begins_too_soon_is_as_good_as_one_that_holds),
                cmocka_unit_test(times_are_told_in_the_zone_of_the_configuration),
                cmocka_unit_test(no_open_window_defers_to_the_next_one_that_is_long_enough),
                cmocka_unit_test(a_window_that_closes_too_soon_is_as_good_as_closed),
                cmocka_unit_test(without_windows_everybody_may_but_lfad_itself),
                cmocka_unit_test(the_slot_binds_only_those_who_speak_for_nobody),
                cmocka_unit_test(activations_keep_their_distance),
                cmocka_unit_test(a_clock_that_may_be_wrong_binds_only_those_who_speak_for_nobody),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
