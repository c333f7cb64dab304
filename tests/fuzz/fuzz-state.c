/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lfad keeps in mind: whatever file is taken, and whatever records come after it, what is written of it then can be
 * read again and says the same. The input: a state file of one line, then records, a line each. */

#include "core/state.h"
#include "fuzz.h"
#include "unit/unit.h"

/* What lfad reads of a file (daemon/state.c). */
#define FILE_SIZE_MAX (1024 * 1024)
#define NOW_USEC UINT64_C(1796428800000000)

static void check_caps(const State *state) {
        MUST(state->holds->len <= STATE_HOLDS_MAX && state->quarantines->len <= STATE_QUARANTINES_MAX);
        MUST(state->learned->len <= STATE_LEARNED_MAX && state->attempts->len <= STATE_ATTEMPTS_MAX);
        MUST(state->jobs->len <= STATE_JOBS_MAX);
}

/* Returns how it is written; the caller frees it. */
static char *check_round_trip(const State *state) {
        char *once = state_to_text(state);
        g_autofree char *twice = NULL;
        g_autoptr(State) again = NULL;

        MUST(strlen(once) < FILE_SIZE_MAX);
        if (state_from_text(once, strlen(once), &again) < 0)
                fprintf(stderr, "cannot be read again: %s\n", once);
        MUST(again);
        twice = state_to_text(again);
        MUST(strcmp(once, twice) == 0);
        return once;
}

static void check_questions(const State *state, const char *guid) {
        const Hold *hold = state_find_hold(state, guid, NOW_USEC);

        MUST(!hold || (hold_is_in_force(hold, NOW_USEC) && state_reason_is_clean(hold->reason)));
        MUST(hold || state_next_hold_end(state, NOW_USEC) > NOW_USEC);
        for (DriverProfile profile = 0; profile < _PROFILE_MAX; profile++)
                MUST(state_learned_need_usec(state, guid, profile) == 0 ||
                     state_learned_need_usec(state, guid, profile) >=
                                     MIN(3, state_worst_blackout_usec(state, guid)));
        (void) state_since_last_activation_usec(state, "", NOW_USEC, NOW_USEC / 1000);
        (void) state_last_automatic_attempt(state, guid);
}

/* A record counts once, and what it does not change stays as it was. */
static void apply(State *state, const char *line, size_t length) {
        _cleanup_json_ json_object *record = json_parse_line(line, length);
        g_autofree char *before = NULL, *after = NULL, *later = NULL;
        uint64_t seq = state->seq;
        const char *guid = "";
        unsigned changed;

        if (!record)
                return;
        before = state_to_text(state);
        changed = state_apply(state, record);
        MUST(state->seq >= seq);
        check_caps(state);
        after = check_round_trip(state);
        if (changed == 0) {
                uint64_t new_seq = state->seq;
                g_autofree char *restored = NULL;

                state->seq = seq;
                restored = state_to_text(state);
                MUST(strcmp(before, restored) == 0);
                state->seq = new_seq;
        }
        MUST(state_apply(state, record) == 0);
        later = state_to_text(state);
        MUST(strcmp(after, later) == 0);
        (void) json_get_string(record, "guid", &guid);
        check_questions(state, guid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        State *const untouched = (State *) &data;
        State *state = untouched;
        size_t length;
        g_autofree char *file = take_part(&data, &size, '\n', &length);
        int r = file ? state_from_text(file, length, &state) : -EBADMSG;

        MUST(r == 0 || ((r == -EBADMSG || r == -EPROTO) && state == untouched));
        if (r < 0)
                state = state_new();
        check_caps(state);
        g_free(check_round_trip(state));
        for (;;) {
                g_autofree char *line = take_part(&data, &size, '\n', &length);

                if (!line)
                        break;
                apply(state, line, length);
        }
        state_free(state);
        return 0;
}
