/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lfad keeps in mind: each rule of the fold over the history's records, that saving and reading it anywhere
 * changes nothing, and that its reader refuses what no lfad wrote. */

#include "core/gates.h"
#include "core/verdict.h"
#include "daemon/history.h"
#include "unit.h"

#include <stdio.h>

#define A "4698fe4c-6d08-4447-a412-351145029b53"
#define B "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define BOOT "0123456789abcdef0123456789abcdef"
#define OTHER_BOOT "fedcba9876543210fedcba9876543210"

static void free_state(State **state) {
        *state = state_free(*state);
}

#define _cleanup_state_ _cleanup_(free_state)

/* Takes in one record that is written as JSON without number, boot and time. When the last activation ended, and that each
 * is counted (test-statistics.c), are matters of their own. */
G_GNUC_PRINTF(2, 3) static unsigned take(State *state, const char *format, ...) {
        _cleanup_json_ json_object *record = NULL;
        g_autofree char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        text = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        record = json_parse_line(text, strlen(text));
        assert_non_null(record);
        json_add_u64(record, "seq", state->seq + 1);
        json_add_u64(record, "timestamp", 1000 + state->seq);
        json_add_string(record, "boot-id", BOOT);
        return state_apply(state, record) & ~(unsigned) (STATE_CHANGE_LAST | STATE_CHANGE_STATISTICS);
}

#define FINISHED(guid, to, result, row)                                                                     \
        "{\"type\":\"finished\",\"job\":7,\"guid\":\"" guid "\",\"to\":\"" to "\",\"result\":\"" result     \
        "\",\"verdict-row\":" row "}"

static unsigned failures(const State *state, const char *guid, const char *to) {
        const Quarantine *quarantine = state_find_quarantine(state, guid, to);

        return quarantine ? quarantine->failures : 0;
}

static void test_failures_and_unknown_ends_count_by_image_and_version(void **unused) {
        _cleanup_state_ State *state = state_new();

        assert_int_equal(take(state, FINISHED(A, "2.0", "failed", "10")), STATE_CHANGE_QUARANTINES);
        take(state, FINISHED(A, "2.0", "unknown", "11"));
        take(state, FINISHED(A, "3.0", "failed", "8"));
        take(state, FINISHED(B, "0.0", "unknown", "4"));
        assert_int_equal(failures(state, A, "2.0"), 2);
        assert_int_equal(failures(state, A, "3.0"), 1);
        assert_int_equal(failures(state, B, ""), 1);
        assert_int_equal(failures(state, B, "2.0"), 0);
        assert_false(quarantine_is_in_force(state_find_quarantine(state, A, "2.0"), 3));
        assert_true(quarantine_is_in_force(state_find_quarantine(state, A, "2.0"), 2));
        assert_int_equal(state_find_quarantine(state, A, "2.0")->job, 7);
        assert_string_equal(state_find_quarantine(state, A, "2.0")->boot_id, BOOT);
}

static void test_what_reached_no_firmware_does_not_count(void **unused) {
        _cleanup_state_ State *state = state_new();

        assert_int_equal(take(state, FINISHED(A, "2.0", "failed", "2")), 0); /* busy, no permission, ... */
        assert_int_equal(take(state, "{\"type\":\"finished\",\"guid\":\"" A
                                     "\",\"to\":\"2.0\",\"result\":\"failed\"}"),
                         0);
        assert_int_equal(take(state, FINISHED(A, "2.0", "refused", "2")), 0);
        assert_int_equal(take(state, FINISHED(A, "2.0", "cancelled", "0")), 0);
        assert_int_equal(take(state, FINISHED("none", "2.0", "failed", "10")), 0);
        assert_int_equal(take(state, FINISHED(A, "2.0", "failed", "99")), 0);
        assert_int_equal(take(state, FINISHED(A, "2.0", "unverified", "7")), 0);
        assert_null(state_find_quarantine(state, A, "2.0"));
        assert_int_equal(state->seq, 7);
}

static void test_a_success_begins_anew(void **unused) {
        _cleanup_state_ State *state = state_new();

        take(state, FINISHED(A, "2.0", "failed", "10"));
        take(state, FINISHED(A, "3.0", "failed", "10"));
        assert_int_equal(take(state, FINISHED(A, "2.0", "succeeded", "3")), STATE_CHANGE_QUARANTINES);
        assert_int_equal(failures(state, A, "2.0"), 0);
        assert_int_equal(failures(state, A, "3.0"), 1);
}

static void test_a_success_that_is_found_later_begins_anew(void **unused) {
        _cleanup_state_ State *state = state_new();

        take(state, FINISHED(A, "2.0", "unknown", "11"));
        take(state, "{\"type\":\"settled\",\"guid\":\"" A "\",\"from\":\"2.0\",\"to\":\"1.0\",\"job\":7}");
        take(state, "{\"type\":\"external\",\"guid\":\"" A "\",\"from\":\"1.0\",\"to\":\"2.0\"}");
        assert_int_equal(failures(state, A, "2.0"), 1);
        assert_int_equal(take(state, "{\"type\":\"settled\",\"guid\":\"" A "\",\"to\":\"2.0\",\"job\":7}"),
                         STATE_CHANGE_QUARANTINES);
        assert_int_equal(failures(state, A, "2.0"), 0);
        take(state, FINISHED(A, "0.0", "unknown", "11"));
        take(state,
             "{\"type\":\"settled\",\"guid\":\"" A "\",\"pending\":false,\"job\":7}"); /* proves nothing */
        assert_int_equal(failures(state, A, ""), 1);
}

static void test_a_restart_of_the_host_quarantines_at_once_and_holds_everything(void **unused) {
        _cleanup_state_ State *state = state_new();
        const Hold *hold;

        assert_null(state_find_hold(state, B, 0));
        assert_int_equal(take(state, FINISHED(A, "2.0", "unknown", "1")),
                         STATE_CHANGE_QUARANTINES | STATE_CHANGE_HOLDS);
        assert_true(quarantine_is_in_force(state_find_quarantine(state, A, "2.0"), 100));
        hold = state_find_hold(state, B, UINT64_MAX);
        assert_non_null(hold);
        assert_true(hold->by_lfad);
        assert_string_equal(hold->image, A);
        assert_non_null(strstr(hold->reason, A));
        assert_non_null(strstr(hold->reason, "2.0"));
        assert_ptr_equal(state_find_hold(state, "", 0), hold);
        /* the boot may have loaded it: that proves no activation */
        take(state, "{\"type\":\"settled\",\"guid\":\"" A "\",\"to\":\"2.0\",\"job\":7}");
        assert_int_equal(failures(state, A, "2.0"), 1);
        take(state, FINISHED(A, "2.0", "unknown", "1"));
        assert_int_equal(state->holds->len, 1);
        assert_int_equal(take(state, "{\"type\":\"unhold\",\"image\":\"" B "\"}"), 0);
        assert_int_equal(take(state, "{\"type\":\"unhold\",\"image\":\"" A "\"}"), STATE_CHANGE_HOLDS);
        assert_null(state_find_hold(state, A, 0));
        assert_true(quarantine_is_in_force(state_find_quarantine(state, A, "2.0"), 100));
        assert_int_equal(take(state, "{\"type\":\"quarantine-cleared\",\"guid\":\"" A "\",\"to\":\"2.0\"}"),
                         STATE_CHANGE_QUARANTINES);
        assert_null(state_find_quarantine(state, A, "2.0"));
}

#define AUTOMATIC(guid, to, result)                                                                         \
        "{\"type\":\"finished\",\"automatic\":true,\"job\":7,\"guid\":\"" guid "\",\"to\":\"" to            \
        "\",\"result\":\"" result "\",\"verdict-row\":10}"

static void test_one_unknown_end_in_automatic_mode_is_enough(void **unused) {
        _cleanup_state_ State *state = state_new();

        take(state, FINISHED(A, "2.0", "unknown", "11"));
        take(state, AUTOMATIC(A, "2.0", "failed"));
        assert_false(quarantine_is_in_force(state_find_quarantine(state, A, "2.0"), 3));
        assert_true(quarantine_is_in_force(state_find_quarantine(state, A, "2.0"),
                                           2)); /* that counts, too */
        take(state, AUTOMATIC(A, "2.0", "unknown"));
        assert_true(quarantine_is_in_force(state_find_quarantine(state, A, "2.0"), 100));
        assert_null(state_find_hold(state, A, 0));
        take(state, FINISHED(A, "2.0", "failed", "10")); /* what a person tries does not take it back */
        assert_true(quarantine_is_in_force(state_find_quarantine(state, A, "2.0"), 100));
        take(state,
             "{\"type\":\"settled\",\"guid\":\"" A "\",\"to\":\"2.0\",\"job\":7}"); /* it runs after all */
        assert_null(state_find_quarantine(state, A, "2.0"));
}

#define QUEUED(guid, automatic) "{\"type\":\"queued\",\"guid\":\"" guid "\",\"automatic\":" automatic "}"

static void test_the_last_automatic_attempt_of_each_image_is_kept_in_mind(void **unused) {
        _cleanup_state_ State *state = state_new();

        assert_int_equal(state_last_automatic_attempt(state, A), 0);
        assert_int_equal(take(state, QUEUED(A, "false")), 0);
        assert_int_equal(take(state, "{\"type\":\"queued\",\"guid\":\"" A "\"}"), 0); /* a person's */
        assert_int_equal(take(state, QUEUED("none", "true")), 0);
        assert_int_equal(take(state, QUEUED(A, "true")), STATE_CHANGE_ATTEMPTS);
        take(state, QUEUED(B, "true"));
        assert_int_equal(state_last_automatic_attempt(state, A), 1003);
        assert_int_equal(state_last_automatic_attempt(state, B), 1004);
        take(state, FINISHED(A, "2.0", "succeeded", "3"));
        take(state, QUEUED(A, "true"));
        assert_int_equal(state_last_automatic_attempt(state, A), 1006);
        assert_int_equal(state->attempts->len, 2);
}

static void test_holds_of_people(void **unused) {
        _cleanup_state_ State *state = state_new();

        take(state, "{\"type\":\"hold\",\"guid\":\"" A "\",\"uid\":5,\"reason\":\"not now\",\"until\":50}");
        assert_null(state_find_hold(state, B, 0));
        assert_null(state_find_hold(state, A, 50));
        assert_string_equal(state_find_hold(state, A, 49)->reason, "not now");
        assert_int_equal(state_find_hold(state, A, 49)->uid, 5);
        take(state, "{\"type\":\"hold\",\"guid\":\"" A "\",\"uid\":6}"); /* in its place */
        assert_int_equal(state->holds->len, 1);
        take(state, "{\"type\":\"hold\",\"uid\":7}");
        assert_int_equal(state_find_hold(state, B, 0)->uid, 7);
        assert_int_equal(take(state, "{\"type\":\"unhold\"}"), STATE_CHANGE_HOLDS);
        assert_null(state_find_hold(state, B, 0));
        assert_int_equal(state_find_hold(state, A, 0)->uid, 6);
        assert_int_equal(take(state, "{\"type\":\"unhold\"}"), 0);
}

static void test_of_several_holds_the_one_that_lasts_longest_counts(void **unused) {
        _cleanup_state_ State *state = state_new();

        take(state, "{\"type\":\"hold\",\"guid\":\"" A "\",\"uid\":1,\"until\":5000}");
        take(state, "{\"type\":\"hold\",\"uid\":2,\"until\":7000}");
        assert_int_equal(state_find_hold(state, A, 10)->uid, 2);
        assert_int_equal(state_find_hold_of_person(state, A, 10)->uid, 1);
        assert_null(state_find_hold_of_person(state, B, 10));
        assert_true(state_next_hold_end(state, 10) == 5000);
        assert_true(state_next_hold_end(state, 5000) == 7000);
        assert_true(state_next_hold_end(state, 7000) == UINT64_MAX);
        assert_null(state_find_hold(state, A, 7000));
        assert_non_null(state_find_hold(state, A, 6999)); /* the clock was set back */
        take(state, "{\"type\":\"hold\",\"guid\":\"" A "\",\"uid\":3}");
        assert_int_equal(state_find_hold(state, A, 10)->uid, 3);
}

static void test_a_new_hold_leaves_what_is_over_for_a_clock_that_is_set_back(void **unused) {
        _cleanup_state_ State *state = state_new();

        take(state, "{\"type\":\"hold\",\"guid\":\"" A "\",\"until\":1}");
        take(state, "{\"type\":\"hold\",\"guid\":\"" B "\"}");
        assert_int_equal(state->holds->len, 2);
        assert_null(state_find_hold_of_person(state, A, 1));
        assert_non_null(state_find_hold_of_person(state, A, 0));
}

static void test_a_new_hold_pushes_out_what_is_over_where_there_is_no_room(void **unused) {
        _cleanup_state_ State *state = state_new();

        take(state, "{\"type\":\"hold\",\"guid\":\"" A "\",\"until\":1}");
        for (unsigned i = 1; i < STATE_HOLDS_OF_PEOPLE_MAX; i++) {
                g_autofree char *record = g_strdup_printf(
                                "{\"type\":\"hold\",\"guid\":\"%08x-2222-3333-4444-555555555555\"}", i);

                take(state, "%s", record);
        }
        assert_int_equal(state->holds->len, STATE_HOLDS_OF_PEOPLE_MAX);
        take(state, "{\"type\":\"hold\",\"guid\":\"" B "\"}");
        assert_int_equal(state->holds->len, STATE_HOLDS_OF_PEOPLE_MAX);
        assert_null(state_find_hold_of_person(state, A, 0));
        assert_non_null(state_find_hold_of_person(state, "00000001-2222-3333-4444-555555555555", 0));
}

static ImageValues values_with(int pending, const char *pending_version) {
        ImageValues values;

        image_values_init(&values, A);
        values.capable = 1;
        values.pending = (int8_t) pending;
        g_strlcpy(values.pending_version, pending_version, sizeof(values.pending_version));
        return values;
}

static void test_what_the_driver_shows_releases(void **unused) {
        static const struct {
                const char *to;
                bool host_restarted;
                int pending;
                const char *version, *boot_id;
                ReleaseCause quarantine, hold;
        } rows[] = {
                { "2.0", false, 1, "2.0", BOOT, RELEASE_NONE, RELEASE_NONE },
                { "2.0", false, 1, "3.0", BOOT, RELEASE_OTHER_VERSION, RELEASE_OTHER_VERSION },
                { "2.0", true, 1, "3.0", OTHER_BOOT, RELEASE_OTHER_VERSION, RELEASE_OTHER_VERSION },
                { "2.0", false, 0, "3.0", BOOT, RELEASE_NONE, RELEASE_NONE },
                { "2.0", false, 1, "", BOOT, RELEASE_NONE, RELEASE_NONE },
                { "2.0", false, 0, "", OTHER_BOOT, RELEASE_NONE, RELEASE_NONE },
                { "2.0", false, -1, "3.0", BOOT, RELEASE_NONE, RELEASE_NONE },
                { "", false, 1, "", BOOT, RELEASE_NONE, RELEASE_NONE },
                { "", false, 0, "", BOOT, RELEASE_NOT_PENDING, RELEASE_NONE },
                { "", false, -1, "", BOOT, RELEASE_NONE, RELEASE_NONE },
                { "", false, 1, "", OTHER_BOOT, RELEASE_NEW_BOOT, RELEASE_NONE },
                { "", false, 1, "3.0", BOOT, RELEASE_NONE, RELEASE_NONE }, /* it may be the same */
                { "", true, 0, "", BOOT, RELEASE_NONE, RELEASE_NONE },
                { "", true, 1, "3.0", OTHER_BOOT, RELEASE_NONE, RELEASE_NONE },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                Quarantine quarantine = { .guid = A, .failures = 1, .boot_id = BOOT };
                Hold hold = { .by_lfad = true, .image = A };
                ImageValues values = values_with(rows[i].pending, rows[i].version);

                quarantine.host_restarted = rows[i].host_restarted;
                g_strlcpy(quarantine.to, rows[i].to, sizeof(quarantine.to));
                g_strlcpy(hold.to, rows[i].to, sizeof(hold.to));
                assert_int_equal(quarantine_find_release(&quarantine, &values, rows[i].boot_id),
                                 rows[i].quarantine);
                assert_int_equal(hold_find_release(&hold, &values), rows[i].hold);
                memcpy(hold.image, B, sizeof(B));
                assert_int_equal(hold_find_release(&hold, &values), RELEASE_NONE);
        }
}

static void test_a_stale_image_releases_nothing(void **unused) {
        Quarantine quarantine = { .guid = A, .failures = 1, .boot_id = BOOT };
        ImageValues stale = { .guid = A };

        assert_true(image_values_look_stale(&stale));
        assert_int_equal(quarantine_find_release(&quarantine, &stale, OTHER_BOOT), RELEASE_NONE);
}

static void measure(State *state, const char *result, const char *row, const char *profile, uint64_t usec) {
        take(state,
             "{\"type\":\"finished\",\"guid\":\"" A "\",\"to\":\"2.0\",\"result\":\"%s\",\"verdict-row\":%s,"
             "\"profile\":\"%s\",\"blackout-usec\":%" G_GUINT64_FORMAT "}",
             result, row, profile, usec);
}

static void test_three_measured_activations_tell_what_to_expect(void **unused) {
        _cleanup_state_ State *state = state_new();

        measure(state, "succeeded", "3", "nvnew", 900);
        measure(state, "unverified", "7", "nvnew", 200);
        assert_int_equal(state_learned_need_usec(state, A, PROFILE_NVNEW), 0);
        measure(state, "succeeded", "3", "v3", 5000);
        assert_int_equal(state_learned_need_usec(state, A, PROFILE_NVNEW), 0);
        measure(state, "succeeded", "3", "nvnew", 300);
        assert_int_equal(state_learned_need_usec(state, A, PROFILE_NVNEW), 2700);
        assert_int_equal(state_learned_need_usec(state, B, PROFILE_NVNEW), 0);
        assert_int_equal(state_worst_blackout_usec(state, A), 5000);
        assert_int_equal(state_worst_blackout_usec(state, B), 0);
        measure(state, "succeeded", "3", "nvnew", UINT64_MAX - 1);
        assert_true(state_learned_need_usec(state, A, PROFILE_NVNEW) == UINT64_MAX);
}

static void test_only_what_took_place_is_a_sample(void **unused) {
        _cleanup_state_ State *state = state_new();

        measure(state, "failed", "2", "nvnew", 7000); /* nothing was written */
        for (int i = 0; i < 3; i++) {
                measure(state, "failed", "10", "nvnew", 10);
                measure(state, "unverified", "9", "v1", 10); /* may be a failure there */
        }
        assert_int_equal(state_learned_need_usec(state, A, PROFILE_NVNEW), 0);
        assert_int_equal(state_learned_need_usec(state, A, PROFILE_V1), 0);
        for (int i = 0; i < 3; i++)
                measure(state, "unverified", "9", "nvnew", 5);
        measure(state, "unknown", "11", "nvnew", 600);
        assert_int_equal(state_learned_need_usec(state, A, PROFILE_NVNEW), 1800);
        measure(state, "succeeded", "3", "new-one", 10000);
        assert_int_equal(state_worst_blackout_usec(state, A), 600);
}

static void test_a_record_counts_once(void **unused) {
        _cleanup_state_ State *state = state_new();
        _cleanup_json_ json_object *record = NULL;

        take(state, FINISHED(A, "2.0", "failed", "10"));
        record = json_object_new_object();
        json_add_string(record, "type", "quarantine-cleared");
        json_add_string(record, "guid", A);
        json_add_string(record, "to", "2.0");
        assert_int_equal(state_apply(state, record), 0); /* no number */
        json_add_u64(record, "seq", 1);
        assert_int_equal(state_apply(state, record), 0);
        assert_int_equal(failures(state, A, "2.0"), 1);
}

static void finish_at(State *state, const char *row, uint64_t realtime_usec, uint64_t monotonic_usec) {
        _cleanup_json_ json_object *record = json_object_new_object();

        json_add_string(record, "type", "finished");
        json_add_string(record, "guid", A);
        json_add_string(record, "result", "succeeded");
        json_add_u64(record, "verdict-row", (uint64_t) atoi(row));
        json_add_u64(record, "seq", state->seq + 1);
        json_add_u64(record, "timestamp", realtime_usec);
        json_add_u64(record, "monotonic", monotonic_usec);
        json_add_string(record, "boot-id", BOOT);
        (void) state_apply(state, record);
}

static void test_the_last_activation_is_so_long_ago_whatever_the_clock_was_set_to(void **unused) {
        _cleanup_state_ State *state = state_new(), *read = NULL;
        g_autofree char *text = NULL;

        assert_true(state_since_last_activation_usec(state, BOOT, 5000, 50) == UINT64_MAX);
        finish_at(state, "3", 1000, 100);
        finish_at(state, "2", 2000, 200); /* nothing was written */
        text = state_to_text(state);
        assert_int_equal(state_from_text(text, strlen(text), &read), 0);
        /* in the same boot the clock on the wall does not matter */
        assert_true(state_since_last_activation_usec(read, BOOT, 1000000, 130) == 30);
        assert_true(state_since_last_activation_usec(read, BOOT, 1, 130) == 30);
        assert_true(state_since_last_activation_usec(read, BOOT, 1, 90) == 0);
        /* in another one it does, but for the time since that boot began */
        assert_true(state_since_last_activation_usec(read, OTHER_BOOT, 1500, 40) == 500);
        assert_true(state_since_last_activation_usec(read, OTHER_BOOT, 900, 40) == 40);
}

static void test_an_activation_may_take_longer_than_it_stops_the_cpus(void **unused) {
        _cleanup_state_ State *state = state_new();

        for (unsigned i = 0; i < STATE_SAMPLES_NEEDED; i++) {
                assert_true(state_learned_duration_usec(state, A, PROFILE_V3) == 0);
                take(state,
                     "{\"type\":\"finished\",\"guid\":\"" A "\",\"result\":\"succeeded\",\"verdict-row\":3,"
                     "\"profile\":\"v3\",\"blackout-usec\":100,\"write-usec\":%u}",
                     700 + i);
        }
        assert_true(state_learned_need_usec(state, A, PROFILE_V3) == 300);
        assert_true(state_learned_duration_usec(state, A, PROFILE_V3) == 3 * 702);
        assert_true(state_learned_duration_usec(state, A, PROFILE_V2BOS) == 0);
}

static void test_it_knows_the_names_of_the_history(void **unused) {
        static const struct {
                RecordType type;
                unsigned change;
        } rows[] = { { RECORD_FINISHED, STATE_CHANGE_QUARANTINES | STATE_CHANGE_HOLDS },
                     { RECORD_UNHOLD, STATE_CHANGE_HOLDS },
                     { RECORD_QUARANTINE_CLEARED, STATE_CHANGE_QUARANTINES },
                     { RECORD_QUEUED, 0 } };
        _cleanup_state_ State *state = state_new();

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                assert_int_equal(
                                take(state,
                                     "{\"type\":\"%s\",\"result\":\"unknown\",\"verdict-row\":1%s,\"to\":\"2.0\"}",
                                     record_type_to_string(rows[i].type),
                                     rows[i].type == RECORD_UNHOLD ? "" : ",\"guid\":\"" A "\""),
                                rows[i].change);
}

static void test_each_list_is_bounded(void **unused) {
        _cleanup_state_ State *state = state_new(), *again = NULL;
        g_autofree char *text = NULL;

        for (unsigned i = 0; i < STATE_LEARNED_MAX + 10; i++)
                take(state,
                     "{\"type\":\"finished\",\"guid\":\"%08x-6d08-4447-a412-351145029b53\",\"to\":\"2.0\","
                     "\"result\":\"unknown\",\"verdict-row\":1,\"profile\":\"v3\",\"blackout-usec\":5}",
                     i);
        assert_int_equal(state->learned->len, STATE_LEARNED_MAX);
        assert_int_equal(state->quarantines->len, STATE_QUARANTINES_MAX);
        assert_int_equal(state->holds->len, STATE_HOLDS_MAX);
        assert_null(state_find_quarantine(state, "00000000-6d08-4447-a412-351145029b53", "2.0"));
        for (unsigned i = 0; i < STATE_ATTEMPTS_MAX + 10; i++)
                take(state,
                     "{\"type\":\"queued\",\"guid\":\"%08x-6d08-4447-a412-351145029b53\",\"automatic\":true}",
                     i);
        assert_int_equal(state->attempts->len, STATE_ATTEMPTS_MAX);
        assert_int_equal(state_last_automatic_attempt(state, "00000000-6d08-4447-a412-351145029b53"), 0);
        text = state_to_text(state);
        assert_int_equal(state_from_text(text, strlen(text), &again), 0);
}

/* Saved and read again. */
static void reload(State **state) {
        g_autofree char *text = state_to_text(*state), *again = NULL;
        State *read = NULL;

        assert_int_equal(state_from_text(text, strlen(text), &read), 0);
        again = state_to_text(read);
        assert_string_equal(text, again);
        state_free(*state);
        *state = read;
}

/* --- jobs that wait --- */

#define WAITS                                                                                               \
        "{\"type\":\"queued\",\"guid\":\"" A "\",\"from\":\"1.0\",\"to\":\"2.0\",\"uid\":7,\"pid\":8,"      \
        "\"unit\":\"a.service\",\"login-uid\":0,\"reason\":\"r\",\"request-id\":\"id\","                    \
        "\"expected-pending-version\":\"2.0\",\"unattended\":true,\"override\":[\"hold\",\"order\"],"       \
        "\"when-allowed\":true,\"deadline\":9000,\"deadline-default\":true,\"batch\":3}"

static void test_a_job_that_waits_is_kept_until_its_end(void **unused) {
        _cleanup_state_ State *state = state_new();
        const KeptJob *job;

        take(state,
             "{\"type\":\"queued\",\"guid\":\"" A "\",\"to\":\"2.0\",\"uid\":0}"); /* this one cannot wait */
        assert_int_equal(state->jobs->len, 0);
        assert_int_equal(take(state, WAITS), STATE_CHANGE_JOBS);
        take(state, "{\"type\":\"started\",\"job\":2,\"guid\":\"" A "\"}");
        reload(&state);
        assert_int_equal(state->jobs->len, 1);
        job = &g_array_index(state->jobs, KeptJob, 0);
        assert_int_equal(job->id, 2);
        assert_string_equal(job->guid, A);
        assert_string_equal(job->from, "1.0");
        assert_string_equal(job->to, "2.0");
        assert_int_equal(job->uid, 7);
        assert_int_equal(job->pid, 8);
        assert_string_equal(job->unit, "a.service");
        assert_true(job->logged_in && job->login_uid == 0);
        assert_string_equal(job->reason, "r");
        assert_string_equal(job->request_id, "id");
        assert_false(job->terms.expected_current.given);
        assert_string_equal(job->terms.expected_pending.version, "2.0");
        assert_true(job->terms.unattended);
        assert_int_equal(job->terms.overrides, 1 << GATE_HOLD | 1 << GATE_ORDER);
        assert_int_equal(job->deadline_usec, 9000);
        assert_true(job->deadline_is_default);
        assert_int_equal(job->batch, 3);
        assert_string_equal(job->boot_id, BOOT);
        assert_int_equal(job->queued_usec, 1001);
        assert_int_equal(take(state, "{\"type\":\"finished\",\"job\":3,\"result\":\"cancelled\"}"), 0);
        assert_int_equal(take(state, "{\"type\":\"finished\",\"job\":2,\"result\":\"cancelled\"}"),
                         STATE_CHANGE_JOBS);
        assert_int_equal(state->jobs->len, 0);
        for (unsigned i = 0; i < STATE_JOBS_MAX + 10; i++)
                take(state, WAITS);
        assert_int_equal(state->jobs->len, STATE_JOBS_MAX);
        reload(&state);
}

/* --- saving anywhere changes nothing --- */

static json_object *random_record(GRand *random, uint64_t seq) {
        static const char *const guids[] = { A, B, "", "garbage" };
        static const char *const types[] = { "finished", "finished",           "finished", "settled", "hold",
                                             "unhold",   "quarantine-cleared", "queued",   "new-type" };
        static const char *const results[] = { "succeeded",  "failed",  "unknown",
                                               "unverified", "refused", "odd" };
        static const char *const versions[] = { "1.0", "2.0", "3.0", "", "x" };
        static const char *const profiles[] = { "v1", "v3", "nvnew", "odd" };
        json_object *record = json_object_new_object();

#define PICK(list) list[g_rand_int_range(random, 0, G_N_ELEMENTS(list))]
        json_add_u64(record, "seq", seq);
        json_add_u64(record, "timestamp", g_rand_int(random));
        json_add_string(record, "boot-id", g_rand_boolean(random) ? BOOT : OTHER_BOOT);
        json_add_string(record, "type", PICK(types));
        json_add_string(record, "guid", PICK(guids));
        json_add_string(record, "to", PICK(versions));
        json_add_string(record, "result", PICK(results));
        if (g_rand_int_range(random, 0, 4) > 0)
                json_add_u64(record, "verdict-row",
                             (uint64_t) g_rand_int_range(random, 0, _VERDICT_ROW_MAX + 1));
        if (g_rand_boolean(random)) {
                json_add_string(record, "profile", PICK(profiles));
                json_add_u64(record, "blackout-usec", g_rand_int(random));
        }
        if (g_rand_boolean(random))
                json_add_string(record, "image", PICK(guids));
        json_add_string(record, "reason", g_rand_boolean(random) ? "because \"é\"" : "\x1b[1m");
        json_add_u64(record, "uid", g_rand_int(random));
        json_add_u64(record, "job", g_rand_int(random));
        if (g_rand_int_range(random, 0, 3) == 0)
                json_object_object_add(record, "automatic", json_object_new_boolean(true));
        if (g_rand_boolean(random))
                json_add_u64(record, "until", g_rand_int(random));
        if (g_rand_boolean(random)) {
                json_object_object_add(record, "when-allowed", json_object_new_boolean(true));
                json_add_u64(record, "deadline", g_rand_int(random));
                json_add_u64(record, "job", seq - (uint64_t) g_rand_int_range(random, 0, 5));
        }
#undef PICK
        return record;
}

/* A crash after a record was written, before the state was: the old state, and all the records since. */
static void replay(State *state, const GPtrArray *records, unsigned end) {
        for (unsigned i = 0; i < end; i++)
                (void) state_apply(state, records->pdata[i]);
}

static void test_what_is_saved_and_what_is_made_anew_are_the_same(void **unused) {
        for (uint32_t seed = 0; seed < 300; seed++) {
                GRand *random = g_rand_new_with_seed(seed);
                g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func(json_put_pointer);
                _cleanup_state_ State *straight = state_new(), *saved = state_new();
                g_autofree char *expected = NULL, *found = NULL;
                uint64_t seq = 0;

                for (unsigned i = 0; i < 80; i++) {
                        seq += (uint64_t) g_rand_int_range(random, 1, 3);
                        g_ptr_array_add(records, random_record(random, seq));
                        (void) state_apply(straight, records->pdata[i]);
                        if (g_rand_int_range(random, 0, 8) == 0) {
                                replay(saved, records, i + 1);
                                reload(&saved);
                        }
                }
                replay(saved, records, records->len);
                expected = state_to_text(straight);
                found = state_to_text(saved);
                assert_string_equal(found, expected);
                g_rand_free(random);
        }
}

/* --- the reader --- */

#define EMPTY "\"holds\":[],\"quarantines\":[],\"learned\":[]}"
#define HOLD                                                                                                \
        "{\"by-lfad\":true,\"image\":\"" A "\",\"to\":\"2.0\",\"job\":1,\"uid\":0,\"reason\":\"r\","        \
        "\"since\":1,\"until\":0}"
#define QUARANTINE                                                                                          \
        "{\"guid\":\"" A "\",\"to\":\"2.0\",\"failures\":1,\"host-restarted\":false,\"job\":1,\"boot-id\":" \
        "\"" BOOT "\",\"since\":1,\"automatic-unknown\":true}"
#define ATTEMPT "{\"guid\":\"" A "\",\"at\":1}"
#define LEARNED "{\"guid\":\"" A "\",\"profile\":\"v3\",\"samples\":1,\"worst-usec\":1}"
#define JOB                                                                                                 \
        "{\"job\":2,\"guid\":\"" A                                                                          \
        "\",\"to\":\"2.0\",\"deadline\":9,\"uid\":0,\"reason\":\"r\",\"override\":[\"hold\"],"              \
        "\"request-id\":\"a\",\"unattended\":true,\"login-uid\":5,\"boot-id\":\"" BOOT                      \
        "\",\"timestamp\":1}"
#define WITH_JOBS(jobs) "{\"version\":1,\"seq\":5,\"jobs\":[" jobs "]," EMPTY
#define WITH(hold, quarantine, learned)                                                                     \
        "{\"version\":1,\"seq\":5,\"holds\":[" hold "],\"quarantines\":[" quarantine                        \
        "],\"learned\":[" learned "],\"attempts\":[" ATTEMPT "]}"

static int read_back(const char *text) {
        _cleanup_state_ State *state = NULL;
        int r = state_from_text(text, strlen(text), &state);

        assert_true((r >= 0) == (state != NULL));
        return r;
}

static void test_it_reads_what_it_writes(void **unused) {
        assert_int_equal(read_back("{\"version\":1,\"seq\":0," EMPTY), 0);
        assert_int_equal(read_back(WITH(HOLD, QUARANTINE, LEARNED)), 0);
        assert_int_equal(read_back("{\"version\":1,\"seq\":0,\"attempts\":[]," EMPTY), 0);
        assert_int_equal(read_back(WITH_JOBS(JOB)), 0);
        assert_int_equal(read_back("{\"later\":{\"x\":1},\"version\":1,\"seq\":0," EMPTY), 0);
}

static void test_it_leaves_what_a_newer_one_wrote(void **unused) {
        assert_int_equal(read_back("{\"version\":2,\"seq\":0," EMPTY), -EPROTO);
        assert_int_equal(read_back("{\"version\":99}"), -EPROTO);
}

static void test_it_refuses_garbage(void **unused) {
        static const char *const texts[] = {
                "",
                "{}",
                "[]",
                "nonsense",
                "{\"version\":1,\"seq\":0," EMPTY "x",
                "{\"version\":0,\"seq\":0," EMPTY,
                "{\"version\":-1,\"seq\":0," EMPTY,
                "{\"version\":\"1\",\"seq\":0," EMPTY,
                "{\"seq\":0," EMPTY,
                "{\"version\":1," EMPTY,
                "{\"version\":1,\"seq\":-1," EMPTY,
                "{\"version\":1,\"seq\":9223372036854775808," EMPTY,
                "{\"version\":1,\"seq\":1.5," EMPTY,
                "{\"version\":1,\"seq\":0,\"holds\":[],\"quarantines\":[]}",
                "{\"version\":1,\"seq\":0,\"holds\":{},\"quarantines\":[],\"learned\":[]}",
                WITH("1", QUARANTINE, LEARNED),
                WITH("{}", QUARANTINE, LEARNED),
                WITH(HOLD "," HOLD, QUARANTINE, LEARNED),
                WITH(HOLD, QUARANTINE "," QUARANTINE, LEARNED),
                WITH(HOLD, QUARANTINE, LEARNED "," LEARNED),
        };
        /* in a text that is good, each of these makes it bad */
        static const char *const replacements[][2] = {
                { "\"to\":\"2.0\",\"job\"", "\"to\":\"2\",\"job\"" },
                { "\"to\":\"2.0\",\"job\"", "\"to\":\"02.0\",\"job\"" },
                { "\"to\":\"2.0\",\"job\"", "\"to\":\"N/A\",\"job\"" },
                { "\"to\":\"2.0\",\"job\"", "\"to\":2,\"job\"" },
                { "\"by-lfad\":true,\"image\":\"" A "\"", "\"by-lfad\":true" },
                { "\"by-lfad\":true,", "" },
                { "\"by-lfad\":true", "\"by-lfad\":true,\"guid\":\"x\"" },
                { "\"reason\":\"r\"", "\"reason\":\"\\u001b\"" },
                { "\"reason\":\"r\"", "\"reason\":\"a\\u0000b\"" },
                { "\"uid\":0", "\"uid\":4294967296" },
                { "\"uid\":0,", "" },
                { "\"failures\":1", "\"failures\":0" },
                { "\"failures\":1", "\"failures\":1001" },
                { "\"failures\":1", "\"failures\":18446744073709551616" },
                { "\"host-restarted\":false", "\"host-restarted\":0" },
                { "\"boot-id\":\"" BOOT "\"", "\"boot-id\":\"abc\"" },
                { "\"profile\":\"v3\"", "\"profile\":\"v33\"" },
                { "\"samples\":1", "\"samples\":-1" },
                { "\"worst-usec\":1", "\"worst-usec\":\"1\"" },
                { ",\"worst-usec\":1", "" },
                { "\"automatic-unknown\":true", "\"automatic-unknown\":1" },
                { "\"attempts\":[" ATTEMPT "]", "\"attempts\":{}" },
                { ATTEMPT, ATTEMPT "," ATTEMPT },
                { "\"at\":1", "\"at\":-1" },
                { ",\"at\":1", "" },
                { ATTEMPT, "{\"at\":1}" },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                assert_int_equal(read_back(texts[i]), -EBADMSG);
        for (size_t i = 0; i < G_N_ELEMENTS(replacements); i++) {
                g_autoptr(GString) text = g_string_new(WITH(HOLD, QUARANTINE, LEARNED));

                assert_true(g_string_replace(text, replacements[i][0], replacements[i][1], 1) == 1);
                assert_int_equal(read_back(text->str), -EBADMSG);
        }
}

static void test_it_refuses_jobs_that_no_lfad_kept(void **unused) {
        static const char *const replacements[][2] = {
                { "\"job\":2", "\"job\":0" },
                { "\"job\":2,", "" },
                { "\"job\":2", "\"job\":4294967296" },
                { "\"guid\":\"" A "\",", "" },
                { "\"to\":\"2.0\"", "\"to\":\"2\"" },
                { "\"deadline\":9", "\"deadline\":0" },
                { "\"deadline\":9,", "" },
                { "\"uid\":0,", "" },
                { "\"login-uid\":5", "\"login-uid\":-1" },
                { "\"login-uid\":5", "\"unit\":\"\\u001b\"" },
                { "\"login-uid\":5", "\"deadline-default\":1" },
                { "\"login-uid\":5", "\"batch\":\"1\"" },
                { "\"login-uid\":5", "\"expected-current-version\":\"x\"" },
                { "\"unattended\":true", "\"unattended\":1" },
                { "[\"hold\"]", "[\"nothing\"]" },
                { "[\"hold\"]", "[1]" },
                { "[\"hold\"]", "\"hold\"" },
                { "\"request-id\":\"a\"", "\"request-id\":\"a b\"" },
                { "\"boot-id\":\"" BOOT "\"", "\"boot-id\":\"abc\"" },
                { ",\"timestamp\":1", "" },
        };

        assert_int_equal(read_back(WITH_JOBS(JOB "," JOB)), -EBADMSG);
        assert_int_equal(read_back(WITH_JOBS("1")), -EBADMSG);
        assert_int_equal(read_back("{\"version\":1,\"seq\":5,\"jobs\":{}," EMPTY), -EBADMSG);
        for (size_t i = 0; i < G_N_ELEMENTS(replacements); i++) {
                g_autoptr(GString) text = g_string_new(WITH_JOBS(JOB));

                assert_true(g_string_replace(text, replacements[i][0], replacements[i][1], 1) == 1);
                assert_int_equal(read_back(text->str), -EBADMSG);
        }
}

static void test_it_refuses_lists_and_texts_that_are_too_long(void **unused) {
        g_autoptr(GString) text = g_string_new("{\"version\":1,\"seq\":0,\"holds\":[],\"quarantines\":[");
        g_autofree char *reason = g_strnfill(STATE_REASON_MAX + 1, 'r'), *key = NULL;
        g_autoptr(GString) hold = g_string_new(WITH(HOLD, QUARANTINE, LEARNED));

        for (unsigned i = 0; i <= STATE_QUARANTINES_MAX; i++)
                g_string_append_printf(text,
                                       "%s{\"guid\":\"%08x-6d08-4447-a412-351145029b53\",\"failures\":1,"
                                       "\"host-restarted\":false,\"job\":1,\"since\":1}",
                                       i > 0 ? "," : "", i);
        g_string_append(text, "],\"learned\":[]}");
        assert_int_equal(read_back(text->str), -EBADMSG);
        key = g_strdup_printf("\"reason\":\"%s\"", reason);
        g_string_replace(hold, "\"reason\":\"r\"", key, 1);
        assert_int_equal(read_back(hold->str), -EBADMSG);
        g_string_replace(hold, "rr", "r", 1);
        assert_int_equal(read_back(hold->str), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_failures_and_unknown_ends_count_by_image_and_version),
                cmocka_unit_test(test_what_reached_no_firmware_does_not_count),
                cmocka_unit_test(test_a_success_begins_anew),
                cmocka_unit_test(test_a_success_that_is_found_later_begins_anew),
                cmocka_unit_test(test_a_restart_of_the_host_quarantines_at_once_and_holds_everything),
                cmocka_unit_test(test_one_unknown_end_in_automatic_mode_is_enough),
                cmocka_unit_test(test_the_last_automatic_attempt_of_each_image_is_kept_in_mind),
                cmocka_unit_test(test_holds_of_people),
                cmocka_unit_test(test_of_several_holds_the_one_that_lasts_longest_counts),
                cmocka_unit_test(test_a_new_hold_leaves_what_is_over_for_a_clock_that_is_set_back),
                cmocka_unit_test(test_a_new_hold_pushes_out_what_is_over_where_there_is_no_room),
                cmocka_unit_test(test_what_the_driver_shows_releases),
                cmocka_unit_test(test_a_stale_image_releases_nothing),
                cmocka_unit_test(test_three_measured_activations_tell_what_to_expect),
                cmocka_unit_test(test_only_what_took_place_is_a_sample),
                cmocka_unit_test(test_a_record_counts_once),
                cmocka_unit_test(test_the_last_activation_is_so_long_ago_whatever_the_clock_was_set_to),
                cmocka_unit_test(test_an_activation_may_take_longer_than_it_stops_the_cpus),
                cmocka_unit_test(test_it_knows_the_names_of_the_history),
                cmocka_unit_test(test_each_list_is_bounded),
                cmocka_unit_test(test_a_job_that_waits_is_kept_until_its_end),
                cmocka_unit_test(test_what_is_saved_and_what_is_made_anew_are_the_same),
                cmocka_unit_test(test_it_reads_what_it_writes),
                cmocka_unit_test(test_it_leaves_what_a_newer_one_wrote),
                cmocka_unit_test(test_it_refuses_garbage),
                cmocka_unit_test(test_it_refuses_jobs_that_no_lfad_kept),
                cmocka_unit_test(test_it_refuses_lists_and_texts_that_are_too_long),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
