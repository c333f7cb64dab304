/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state as a fold over the history's records. */

#include "core/enum-names.h"
#include "core/profile.h"
#include "core/state-internal.h"
#include "core/verdict.h"
#include "util/string-table.h"

#include <stdio.h>

/* An expected blackout is so many times the worst one that was measured. */
#define NEED_FACTOR 3

static const char *const release_cause_names[_RELEASE_CAUSE_MAX] = {
        [RELEASE_NONE] = "",
        [RELEASE_OPERATOR] = "operator",
        [RELEASE_OTHER_VERSION] = "other-version",
        [RELEASE_NOT_PENDING] = "not-pending",
        [RELEASE_NEW_BOOT] = "new-boot",
};
DEFINE_STRING_TABLE(release_cause, ReleaseCause, release_cause_names)

State *state_new(void) {
        State *state = g_new0(State, 1);

        state->holds = g_array_new(FALSE, TRUE, sizeof(Hold));
        state->quarantines = g_array_new(FALSE, TRUE, sizeof(Quarantine));
        state->learned = g_array_new(FALSE, TRUE, sizeof(LearnedBlackout));
        state->attempts = g_array_new(FALSE, TRUE, sizeof(AutomaticAttempt));
        state->jobs = g_array_new(FALSE, TRUE, sizeof(KeptJob));
        statistics_init(&state->statistics);
        state->counted = true;
        return state;
}

void *state_free(State *state) {
        if (state) {
                g_array_unref(state->holds);
                g_array_unref(state->quarantines);
                g_array_unref(state->learned);
                g_array_unref(state->attempts);
                g_array_unref(state->jobs);
                g_free(state);
        }
        return NULL;
}

/* What a record says of an activation. */
typedef struct RecordFacts {
        json_object *record;
        const char *guid; /* "" = none */
        char to[VERSION_SIZE];
        uint32_t job;
        uint64_t timestamp;
        bool automatic; /* of a job: lfad itself asked for it */
} RecordFacts;

static const char *string_or_empty(json_object *record, const char *key) {
        const char *text = "";

        (void) json_get_string(record, key, &text);
        return text;
}

static uint64_t number_or_zero(json_object *record, const char *key) {
        uint64_t number = 0;

        (void) json_get_u64(record, key, &number);
        return number;
}

static uint32_t u32_or_zero(json_object *record, const char *key) {
        uint64_t number = number_or_zero(record, key);

        return number <= UINT32_MAX ? (uint32_t) number : 0;
}

static RecordFacts read_facts(json_object *record) {
        RecordFacts facts = {
                .record = record,
                .guid = string_or_empty(record, "guid"),
                .job = u32_or_zero(record, "job"),
                .timestamp = number_or_zero(record, "timestamp"),
        };

        (void) json_get_bool(record, "automatic", &facts.automatic);
        if (!guid_is_valid(facts.guid))
                facts.guid = "";
        if (version_parse(string_or_empty(record, "to"), facts.to) < 0)
                facts.to[0] = 0;
        return facts;
}

bool state_boot_id_is_valid(const char *text) {
        return strlen(text) == BOOT_ID_SIZE - 1 && strspn(text, "0123456789abcdef") == BOOT_ID_SIZE - 1;
}

/* What was changed last is last, so that the first one goes when there are too many. */
static void append(GArray *array, const void *element, unsigned maximum) {
        if (array->len >= maximum)
                g_array_remove_index(array, 0);
        g_array_append_vals(array, element, 1);
}

static int find_quarantine(const State *state, const char *guid, const char *to) {
        for (unsigned i = 0; i < state->quarantines->len; i++) {
                const Quarantine *quarantine = &g_array_index(state->quarantines, Quarantine, i);

                if (strcmp(quarantine->guid, guid) == 0 && strcmp(quarantine->to, to) == 0)
                        return (int) i;
        }
        return -ENOENT;
}

static unsigned drop_quarantine(State *state, const char *guid, const char *to) {
        int i = find_quarantine(state, guid, to);

        if (i < 0)
                return 0;
        g_array_remove_index(state->quarantines, (unsigned) i);
        return STATE_CHANGE_QUARANTINES;
}

static unsigned count_failure(State *state, const RecordFacts *facts, bool host_restarted,
                              bool automatic_unknown) {
        int i = find_quarantine(state, facts->guid, facts->to);
        Quarantine quarantine = { 0 };
        const char *boot_id = string_or_empty(facts->record, "boot-id");

        if (i >= 0) {
                quarantine = g_array_index(state->quarantines, Quarantine, i);
                g_array_remove_index(state->quarantines, (unsigned) i);
        } else {
                memcpy(quarantine.guid, facts->guid, sizeof(quarantine.guid));
                memcpy(quarantine.to, facts->to, sizeof(quarantine.to));
        }
        quarantine.failures = MIN(quarantine.failures + 1, STATE_FAILURES_MAX);
        quarantine.host_restarted = quarantine.host_restarted || host_restarted;
        quarantine.automatic_unknown = quarantine.automatic_unknown || automatic_unknown;
        quarantine.job = facts->job;
        quarantine.since_usec = facts->timestamp;
        g_strlcpy(quarantine.boot_id, state_boot_id_is_valid(boot_id) ? boot_id : "", BOOT_ID_SIZE);
        append(state->quarantines, &quarantine, STATE_QUARANTINES_MAX);
        return STATE_CHANGE_QUARANTINES;
}

bool hold_is_in_force(const Hold *hold, uint64_t now_usec) {
        return hold->until_usec == 0 || hold->until_usec > now_usec;
}

static unsigned hold_self(State *state, const RecordFacts *facts) {
        Hold hold = { .by_lfad = true, .job = facts->job, .since_usec = facts->timestamp };

        for (unsigned i = 0; i < state->holds->len; i++) {
                const Hold *other = &g_array_index(state->holds, Hold, i);

                if (other->by_lfad && strcmp(other->image, facts->guid) == 0)
                        g_array_remove_index(state->holds, i--);
        }
        memcpy(hold.image, facts->guid, sizeof(hold.image));
        memcpy(hold.to, facts->to, sizeof(hold.to));
        snprintf(hold.reason, sizeof(hold.reason), "The host restarted while job %u activated image %s%s%s.",
                 facts->job, facts->guid, version_known(facts->to) ? " to version " : "", facts->to);
        append(state->holds, &hold, STATE_HOLDS_MAX);
        return STATE_CHANGE_HOLDS;
}

static int find_learned(const State *state, const char *guid, DriverProfile profile) {
        for (unsigned i = 0; i < state->learned->len; i++) {
                const LearnedBlackout *learned = &g_array_index(state->learned, LearnedBlackout, i);

                if (learned->profile == profile && strcmp(learned->guid, guid) == 0)
                        return (int) i;
        }
        return -ENOENT;
}

/* A failure may have come before any CPU was stopped: it may lengthen what is known, and is no sample. Nor is a success
 * that may have been a failure. */
static bool took_place(JobResult result, uint64_t row, DriverProfile profile) {
        return result == RESULT_SUCCEEDED ||
               (result == RESULT_UNVERIFIED &&
                (row == VERDICT_PENDING_FELL || !profile_success_unreliable(profile)));
}

static unsigned learn(State *state, const RecordFacts *facts, JobResult result, uint64_t row) {
        DriverProfile profile = driver_profile_from_string(string_or_empty(facts->record, "profile"));
        LearnedBlackout learned = { .profile = profile };
        uint64_t usec;
        int i;

        if ((int) profile < 0 || json_get_u64(facts->record, "blackout-usec", &usec) < 0)
                return 0;
        i = find_learned(state, facts->guid, profile);
        if (i >= 0) {
                learned = g_array_index(state->learned, LearnedBlackout, i);
                g_array_remove_index(state->learned, (unsigned) i);
        } else
                memcpy(learned.guid, facts->guid, sizeof(learned.guid));
        if (took_place(result, row, profile) && learned.samples < UINT32_MAX)
                learned.samples++;
        learned.worst_usec = MAX(learned.worst_usec, usec);
        learned.worst_write_usec =
                        MAX(learned.worst_write_usec, number_or_zero(facts->record, "write-usec"));
        append(state->learned, &learned, STATE_LEARNED_MAX);
        return STATE_CHANGE_LEARNED;
}

static unsigned drop_job(State *state, uint32_t id) {
        for (unsigned i = 0; i < state->jobs->len; i++)
                if (g_array_index(state->jobs, KeptJob, i).id == id) {
                        g_array_remove_index(state->jobs, i);
                        return STATE_CHANGE_JOBS;
                }
        return 0;
}

static unsigned keep_job(State *state, const RecordFacts *facts) {
        bool when_allowed = false;
        KeptJob job;

        (void) json_get_bool(facts->record, "when-allowed", &when_allowed);
        if (!when_allowed || kept_job_from_json(facts->record, "seq", &job) < 0)
                return 0;
        append(state->jobs, &job, STATE_JOBS_MAX);
        return STATE_CHANGE_JOBS;
}

static int find_attempt(const State *state, const char *guid) {
        for (unsigned i = 0; i < state->attempts->len; i++)
                if (strcmp(g_array_index(state->attempts, AutomaticAttempt, i).guid, guid) == 0)
                        return (int) i;
        return -ENOENT;
}

/* Already that it was asked for counts: what ended before the write, or with lfad itself, is not tried again in the same
 * occurrence of a window either. */
static unsigned note_attempt(State *state, const RecordFacts *facts) {
        AutomaticAttempt attempt = { .at_usec = facts->timestamp };
        int i;

        if (!facts->automatic || !*facts->guid)
                return 0;
        i = find_attempt(state, facts->guid);
        if (i >= 0)
                g_array_remove_index(state->attempts, (unsigned) i);
        memcpy(attempt.guid, facts->guid, sizeof(attempt.guid));
        append(state->attempts, &attempt, STATE_ATTEMPTS_MAX);
        return STATE_CHANGE_ATTEMPTS;
}

static unsigned apply_queued(State *state, const RecordFacts *facts) {
        return keep_job(state, facts) | note_attempt(state, facts);
}

static unsigned note_end(State *state, const RecordFacts *facts) {
        const char *boot_id = string_or_empty(facts->record, "boot-id");

        state->last = (LastActivation){ .ended_usec = facts->timestamp,
                                        .ended_monotonic_usec = number_or_zero(facts->record, "monotonic") };
        g_strlcpy(state->last.boot_id, state_boot_id_is_valid(boot_id) ? boot_id : "", BOOT_ID_SIZE);
        return STATE_CHANGE_LAST;
}

/* Only what reached firmware, or may have, says something about it. A job that was not begun has no row. */
static unsigned judge_finished(State *state, const RecordFacts *facts) {
        JobResult result = job_result_from_string(string_or_empty(facts->record, "result"));
        uint64_t row = number_or_zero(facts->record, "verdict-row");
        unsigned changed;

        if (row == 0 || row == VERDICT_NOTHING_WRITTEN || row >= _VERDICT_ROW_MAX || !*facts->guid)
                return 0;
        changed = note_end(state, facts) | learn(state, facts, result, row);
        if (result == RESULT_SUCCEEDED)
                changed |= drop_quarantine(state, facts->guid, facts->to);
        if (result == RESULT_FAILED || result == RESULT_UNKNOWN)
                changed |= count_failure(state, facts, row == VERDICT_OTHER_BOOT,
                                         facts->automatic && result == RESULT_UNKNOWN);
        if (row == VERDICT_OTHER_BOOT)
                changed |= hold_self(state, facts);
        return changed;
}

static unsigned apply_finished(State *state, const RecordFacts *facts) {
        return drop_job(state, facts->job) | judge_finished(state, facts);
}

/* The version that was pending runs after all. Where the host restarted, the boot may have brought it. */
static unsigned apply_settled(State *state, const RecordFacts *facts) {
        int i = version_known(facts->to) ? find_quarantine(state, facts->guid, facts->to) : -ENOENT;

        if (i < 0 || g_array_index(state->quarantines, Quarantine, i).host_restarted)
                return 0;
        return drop_quarantine(state, facts->guid, facts->to);
}

bool state_reason_is_clean(const char *text) {
        if (strlen(text) > STATE_REASON_MAX)
                return false;
        for (const char *p = text; *p; p = g_utf8_next_char(p))
                if (g_unichar_iscntrl(g_utf8_get_char(p)))
                        return false;
        return true;
}

static unsigned count_holds_of_people(const State *state) {
        unsigned n = 0;

        for (unsigned i = 0; i < state->holds->len; i++)
                n += !g_array_index(state->holds, Hold, i).by_lfad;
        return n;
}

/* A person's: one for each image, and one for all of them. Those that were over by then are forgotten where there is no
 * room left, and no sooner: the clock may be set back. */
static unsigned apply_hold(State *state, const RecordFacts *facts) {
        bool full = count_holds_of_people(state) >= STATE_HOLDS_OF_PEOPLE_MAX;
        const char *reason = string_or_empty(facts->record, "reason");
        Hold hold = {
                .uid = u32_or_zero(facts->record, "uid"),
                .since_usec = facts->timestamp,
                .until_usec = number_or_zero(facts->record, "until"),
        };

        for (unsigned i = 0; i < state->holds->len; i++) {
                const Hold *other = &g_array_index(state->holds, Hold, i);

                if (!other->by_lfad && (strcmp(other->guid, facts->guid) == 0 ||
                                        (full && !hold_is_in_force(other, facts->timestamp))))
                        g_array_remove_index(state->holds, i--);
        }
        g_strlcpy(hold.guid, facts->guid, sizeof(hold.guid));
        g_strlcpy(hold.reason, state_reason_is_clean(reason) ? reason : "", sizeof(hold.reason));
        append(state->holds, &hold, STATE_HOLDS_MAX);
        return STATE_CHANGE_HOLDS;
}

/* With `image` only lfad's own because of that image. */
static unsigned apply_unhold(State *state, const RecordFacts *facts) {
        const char *image = string_or_empty(facts->record, "image");
        unsigned changed = 0;

        for (unsigned i = 0; i < state->holds->len; i++) {
                const Hold *hold = &g_array_index(state->holds, Hold, i);

                if (strcmp(hold->guid, facts->guid) != 0 || (*image && strcmp(hold->image, image) != 0))
                        continue;
                g_array_remove_index(state->holds, i--);
                changed = STATE_CHANGE_HOLDS;
        }
        return changed;
}

static unsigned apply_cleared(State *state, const RecordFacts *facts) {
        return drop_quarantine(state, facts->guid, facts->to);
}

/* The names are those of daemon/history.h. */
static const struct {
        const char *type;
        unsigned (*apply)(State *state, const RecordFacts *facts);
} record_types[] = {
        { "queued", apply_queued }, { "finished", apply_finished }, { "settled", apply_settled },
        { "hold", apply_hold },     { "unhold", apply_unhold },     { "quarantine-cleared", apply_cleared },
};

unsigned state_apply(State *state, json_object *record) {
        const char *type = string_or_empty(record, "type");
        RecordFacts facts;
        unsigned changed;
        uint64_t seq;

        if (json_get_u64(record, "seq", &seq) < 0 || seq <= state->seq || seq > STATE_SEQ_MAX)
                return 0;
        state->seq = seq;
        changed = statistics_count(&state->statistics, record) ? STATE_CHANGE_STATISTICS : 0;
        facts = read_facts(record);
        for (size_t i = 0; i < G_N_ELEMENTS(record_types); i++)
                if (strcmp(record_types[i].type, type) == 0)
                        changed |= record_types[i].apply(state, &facts);
        return changed;
}

const Hold *state_find_hold(const State *state, const char *guid, uint64_t now_usec) {
        return state_find_hold_since(state, guid, now_usec, 0);
}

const Hold *state_find_hold_since(const State *state, const char *guid, uint64_t now_usec,
                                  uint64_t since_usec) {
        const Hold *longest = NULL;

        for (unsigned i = 0; i < state->holds->len; i++) {
                const Hold *hold = &g_array_index(state->holds, Hold, i);

                if ((*hold->guid && strcmp(hold->guid, guid) != 0) || !hold_is_in_force(hold, now_usec) ||
                    (since_usec > 0 && hold->since_usec <= since_usec))
                        continue;
                if (hold->until_usec == 0)
                        return hold;
                if (!longest || hold->until_usec > longest->until_usec)
                        longest = hold;
        }
        return longest;
}

const Hold *state_find_hold_of_person(const State *state, const char *guid, uint64_t now_usec) {
        for (unsigned i = 0; i < state->holds->len; i++) {
                const Hold *hold = &g_array_index(state->holds, Hold, i);

                if (!hold->by_lfad && strcmp(hold->guid, guid) == 0 && hold_is_in_force(hold, now_usec))
                        return hold;
        }
        return NULL;
}

uint64_t state_next_hold_end(const State *state, uint64_t now_usec) {
        uint64_t next = UINT64_MAX;

        for (unsigned i = 0; i < state->holds->len; i++) {
                const Hold *hold = &g_array_index(state->holds, Hold, i);

                if (hold->until_usec > now_usec)
                        next = MIN(next, hold->until_usec);
        }
        return next;
}

const Quarantine *state_find_quarantine(const State *state, const char *guid, const char *to) {
        int i = find_quarantine(state, guid, to);

        return i < 0 ? NULL : &g_array_index(state->quarantines, Quarantine, i);
}

bool quarantine_is_in_force(const Quarantine *quarantine, unsigned after) {
        return quarantine->host_restarted || quarantine->automatic_unknown || quarantine->failures >= after;
}

static bool other_version_is_pending(const char *to, const ImageValues *values) {
        return version_known(to) && values->pending == 1 && version_known(values->pending_version) &&
               strcmp(values->pending_version, to) != 0;
}

ReleaseCause quarantine_find_release(const Quarantine *quarantine, const ImageValues *values,
                                     const char *boot_id) {
        if (image_values_look_stale(values))
                return RELEASE_NONE;
        if (version_known(quarantine->to))
                return other_version_is_pending(quarantine->to, values) ? RELEASE_OTHER_VERSION
                                                                        : RELEASE_NONE;
        if (quarantine->host_restarted)
                return RELEASE_NONE;
        if (values->pending == 0)
                return RELEASE_NOT_PENDING;
        return strcmp(quarantine->boot_id, boot_id) != 0 ? RELEASE_NEW_BOOT : RELEASE_NONE;
}

ReleaseCause hold_find_release(const Hold *hold, const ImageValues *values) {
        if (!hold->by_lfad || image_values_look_stale(values) || strcmp(hold->image, values->guid) != 0)
                return RELEASE_NONE;
        return other_version_is_pending(hold->to, values) ? RELEASE_OTHER_VERSION : RELEASE_NONE;
}

/* NULL = too little is known. */
static const LearnedBlackout *find_expectation(const State *state, const char *guid, DriverProfile profile) {
        int i = find_learned(state, guid, profile);
        const LearnedBlackout *learned = i < 0 ? NULL : &g_array_index(state->learned, LearnedBlackout, i);

        return learned && learned->samples >= STATE_SAMPLES_NEEDED ? learned : NULL;
}

static uint64_t with_margin(uint64_t usec) {
        return usec > UINT64_MAX / NEED_FACTOR ? UINT64_MAX : usec * NEED_FACTOR;
}

uint64_t state_learned_need_usec(const State *state, const char *guid, DriverProfile profile) {
        const LearnedBlackout *learned = find_expectation(state, guid, profile);

        return learned ? with_margin(learned->worst_usec) : 0;
}

uint64_t state_learned_duration_usec(const State *state, const char *guid, DriverProfile profile) {
        const LearnedBlackout *learned = find_expectation(state, guid, profile);

        return learned ? with_margin(MAX(learned->worst_usec, learned->worst_write_usec)) : 0;
}

static uint64_t elapsed(uint64_t then_usec, uint64_t now_usec) {
        return now_usec > then_usec ? now_usec - then_usec : 0;
}

uint64_t state_since_last_activation_usec(const State *state, const char *boot_id, uint64_t realtime_usec,
                                          uint64_t monotonic_usec) {
        const LastActivation *last = &state->last;

        if (last->ended_usec == 0)
                return UINT64_MAX;
        if (strcmp(last->boot_id, boot_id) == 0)
                return elapsed(last->ended_monotonic_usec, monotonic_usec);
        return MAX(elapsed(last->ended_usec, realtime_usec), monotonic_usec);
}

uint64_t state_last_automatic_attempt(const State *state, const char *guid) {
        int i = find_attempt(state, guid);

        return i < 0 ? 0 : g_array_index(state->attempts, AutomaticAttempt, i).at_usec;
}

uint64_t state_worst_blackout_usec(const State *state, const char *guid) {
        uint64_t worst = 0;

        for (unsigned i = 0; i < state->learned->len; i++) {
                const LearnedBlackout *learned = &g_array_index(state->learned, LearnedBlackout, i);

                if (strcmp(learned->guid, guid) == 0)
                        worst = MAX(worst, learned->worst_usec);
        }
        return worst;
}
