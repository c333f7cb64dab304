/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lfad counts: each end of a job once, whatever is taken in again, and that what an earlier lfad saved without it is
 * told apart. */

#include "core/state.h"
#include "unit.h"

static void free_state(State **state) {
        *state = state_free(*state);
}

#define _cleanup_state_ _cleanup_(free_state)

/* A record, as JSON without its end; its number is also its time. */
static unsigned take(State *state, uint64_t seq, const char *text) {
        g_autofree char *line =
                        g_strdup_printf("%s,\"seq\":%" PRIu64 ",\"timestamp\":%" PRIu64 "}", text, seq, seq);
        _cleanup_json_ json_object *record = json_parse_line(line, strlen(line));

        assert_non_null(record);
        return state_apply(state, record) & STATE_CHANGE_STATISTICS;
}

#define FINISHED(result) "{\"type\":\"finished\",\"result\":\"" result "\""

/* Saved and read again. */
static void reload(State **state) {
        g_autofree char *text = state_to_text(*state);

        *state = state_free(*state);
        assert_int_equal(state_from_text(text, strlen(text), state), 0);
        assert_true((*state)->counted);
}

static void test_each_end_is_counted_once_under_its_result(void **unused) {
        static const char *const results[] = { "succeeded", "unverified", "failed",
                                               "cancelled", "refused",    "unknown" };
        _cleanup_state_ State *state = state_new();
        uint64_t seq = 0;

        for (JobResult result = RESULT_SUCCEEDED; result < _JOB_RESULT_MAX; result++)
                for (JobResult times = RESULT_NONE; times < result; times++) {
                        g_autofree char *text = g_strdup_printf("{\"type\":\"finished\",\"result\":\"%s\"",
                                                                results[result - 1]);

                        assert_int_equal(take(state, ++seq, text), STATE_CHANGE_STATISTICS);
                        assert_int_equal(take(state, seq, text), 0); /* again */
                        reload(&state);
                        assert_int_equal(take(state, seq, text), 0);
                }
        for (JobResult result = RESULT_SUCCEEDED; result < _JOB_RESULT_MAX; result++)
                assert_int_equal(state->statistics.results[result], result);
        assert_int_equal(state->statistics.results[RESULT_NONE], 0);
        assert_int_equal(state->statistics.last_success_usec, 1);
}

static void test_what_is_no_end_counts_as_none(void **unused) {
        static const char *const others[] = { "{\"type\":\"queued\"",
                                              "{\"type\":\"started\",\"result\":\"failed\"",
                                              "{\"type\":\"settled\",\"result\":\"succeeded\"",
                                              FINISHED(""),
                                              FINISHED("better-than-ever"),
                                              "{\"type\":\"finished\"",
                                              "{\"type\":\"finished\",\"result\":1" };
        _cleanup_state_ State *state = state_new();

        for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
                assert_int_equal(take(state, i + 1, others[i]), 0);
        for (JobResult result = RESULT_NONE; result < _JOB_RESULT_MAX; result++)
                assert_int_equal(state->statistics.results[result], 0);
        assert_int_equal(take(state, 100, "{\"type\":\"external\""), STATE_CHANGE_STATISTICS);
        assert_int_equal(state->statistics.external, 1);
}

static void test_the_last_success_and_the_last_blackout_are_kept(void **unused) {
        _cleanup_state_ State *state = state_new();

        assert_int_equal(state->statistics.last_blackout_usec, STATISTICS_NO_BLACKOUT);
        take(state, 1, FINISHED("succeeded") ",\"blackout-usec\":0");
        assert_int_equal(state->statistics.last_blackout_usec, 0); /* measured: no CPU stood still */
        take(state, 2, FINISHED("succeeded") ",\"blackout-usec\":700");
        take(state, 3, FINISHED("failed"));
        take(state, 4, FINISHED("refused"));
        reload(&state);
        assert_int_equal(state->statistics.last_blackout_usec, 700);
        assert_int_equal(state->statistics.last_success_usec, 2);
        take(state, 5, FINISHED("failed") ",\"blackout-usec\":300");
        assert_int_equal(state->statistics.last_blackout_usec, 300);
}

#define BEFORE "{\"version\":1,\"seq\":4,\"holds\":[],\"quarantines\":[],\"learned\":[]"

static void test_a_file_without_statistics_is_told_apart(void **unused) {
        static const char text[] = BEFORE "}";
        _cleanup_state_ State *state = NULL;
        g_autofree char *saved = NULL;

        assert_int_equal(state_from_text(text, strlen(text), &state), 0);
        assert_false(state->counted);
        assert_int_equal(state->statistics.last_blackout_usec, STATISTICS_NO_BLACKOUT);
        take(state, 5, FINISHED("failed")); /* of how many? */
        saved = state_to_text(state);
        assert_null(strstr(saved, "statistics"));
}

static void test_statistics_that_no_lfad_wrote_are_refused(void **unused) {
        static const struct {
                const char *statistics;
                int r;
        } texts[] = {
                { "{\"results\":{},\"external\":0}", 0 },
                { "{\"results\":{\"failed\":2,\"of-a-newer-lfad\":\"x\"},\"external\":1,\"more\":[]}", 0 },
                { "[]", -EBADMSG },
                { "{}", -EBADMSG },
                { "{\"results\":[],\"external\":0}", -EBADMSG },
                { "{\"results\":{}}", -EBADMSG },
                { "{\"results\":{\"failed\":-1},\"external\":0}", -EBADMSG },
                { "{\"results\":{\"failed\":\"1\"},\"external\":0}", -EBADMSG },
                { "{\"results\":{},\"external\":0,\"last-success\":true}", -EBADMSG },
                { "{\"results\":{},\"external\":0,\"last-blackout-usec\":1.5}", -EBADMSG },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                g_autofree char *text = g_strdup_printf(BEFORE ",\"statistics\":%s}", texts[i].statistics);
                _cleanup_state_ State *state = NULL;

                assert_int_equal(state_from_text(text, strlen(text), &state), texts[i].r);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_end_is_counted_once_under_its_result),
                cmocka_unit_test(test_what_is_no_end_counts_as_none),
                cmocka_unit_test(test_the_last_success_and_the_last_blackout_are_kept),
                cmocka_unit_test(test_a_file_without_statistics_is_told_apart),
                cmocka_unit_test(test_statistics_that_no_lfad_wrote_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
