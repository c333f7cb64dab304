/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state as a JSON object, and back. The reader takes nothing on trust: what it lets pass decides whether firmware is
 * activated. */

#include "core/enum-names.h"
#include "core/state-internal.h"

static json_object *hold_to_json(const Hold *hold) {
        json_object *object = json_object_new_object();

        json_add_string(object, "guid", hold->guid);
        json_object_object_add(object, "by-lfad", json_object_new_boolean(hold->by_lfad));
        json_add_string(object, "image", hold->image);
        json_add_string(object, "to", hold->to);
        json_add_u64(object, "job", hold->job);
        json_add_u64(object, "uid", hold->uid);
        json_add_string(object, "reason", hold->reason);
        json_add_u64(object, "since", hold->since_usec);
        json_add_u64(object, "until", hold->until_usec);
        return object;
}

static json_object *quarantine_to_json(const Quarantine *quarantine) {
        json_object *object = json_object_new_object();

        json_add_string(object, "guid", quarantine->guid);
        json_add_string(object, "to", quarantine->to);
        json_add_u64(object, "failures", quarantine->failures);
        json_object_object_add(object, "host-restarted",
                               json_object_new_boolean(quarantine->host_restarted));
        json_object_object_add(object, "automatic-unknown",
                               json_object_new_boolean(quarantine->automatic_unknown));
        json_add_u64(object, "job", quarantine->job);
        json_add_string(object, "boot-id", quarantine->boot_id);
        json_add_u64(object, "since", quarantine->since_usec);
        return object;
}

static json_object *learned_to_json(const LearnedBlackout *learned) {
        json_object *object = json_object_new_object();

        json_add_string(object, "guid", learned->guid);
        json_add_string(object, "profile", driver_profile_to_string(learned->profile));
        json_add_u64(object, "samples", learned->samples);
        json_add_u64(object, "worst-usec", learned->worst_usec);
        json_add_u64(object, "worst-write-usec", learned->worst_write_usec);
        return object;
}

static json_object *attempt_to_json(const AutomaticAttempt *attempt) {
        json_object *object = json_object_new_object();

        json_add_string(object, "guid", attempt->guid);
        json_add_u64(object, "at", attempt->at_usec);
        return object;
}

static json_object *last_to_json(const LastActivation *last) {
        json_object *object = json_object_new_object();

        json_add_string(object, "boot-id", last->boot_id);
        json_add_u64(object, "ended", last->ended_usec);
        json_add_u64(object, "monotonic", last->ended_monotonic_usec);
        return object;
}

char *state_to_text(const State *state) {
        _cleanup_json_ json_object *object = json_object_new_object();
        json_object *list = json_object_new_array();

        json_add_u64(object, "version", STATE_VERSION);
        json_add_u64(object, "seq", state->seq);
        for (unsigned i = 0; i < state->holds->len; i++)
                json_object_array_add(list, hold_to_json(&g_array_index(state->holds, Hold, i)));
        json_object_object_add(object, "holds", list);
        list = json_object_new_array();
        for (unsigned i = 0; i < state->quarantines->len; i++)
                json_object_array_add(list,
                                      quarantine_to_json(&g_array_index(state->quarantines, Quarantine, i)));
        json_object_object_add(object, "quarantines", list);
        list = json_object_new_array();
        for (unsigned i = 0; i < state->learned->len; i++)
                json_object_array_add(list,
                                      learned_to_json(&g_array_index(state->learned, LearnedBlackout, i)));
        json_object_object_add(object, "learned", list);
        list = json_object_new_array();
        for (unsigned i = 0; i < state->attempts->len; i++)
                json_object_array_add(list,
                                      attempt_to_json(&g_array_index(state->attempts, AutomaticAttempt, i)));
        json_object_object_add(object, "attempts", list);
        list = json_object_new_array();
        for (unsigned i = 0; i < state->jobs->len; i++)
                json_object_array_add(list, kept_job_to_json(&g_array_index(state->jobs, KeptJob, i)));
        json_object_object_add(object, "jobs", list);
        json_object_object_add(object, "last-activation", last_to_json(&state->last));
        if (state->counted)
                json_object_object_add(object, "statistics", statistics_to_json(&state->statistics));
        return g_strdup(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
}

/* A key that lfad did not write while it had no automatic mode. */
static int read_later_flag(json_object *object, const char *key, bool *ret) {
        *ret = false;
        return json_object_object_get_ex(object, key, NULL) ? state_read_flag(object, key, ret) : 0;
}

static int read_hold(json_object *object, GArray *array) {
        Hold hold = { 0 };

        if (state_read_guid(object, "guid", true, hold.guid) < 0 ||
            state_read_flag(object, "by-lfad", &hold.by_lfad) < 0 ||
            state_read_guid(object, "image", !hold.by_lfad, hold.image) < 0 ||
            state_read_version(object, "to", hold.to) < 0 || state_read_u32(object, "job", &hold.job) < 0 ||
            state_read_u32(object, "uid", &hold.uid) < 0 ||
            state_read_clean(object, "reason", hold.reason) < 0 ||
            state_read_number(object, "since", UINT64_MAX, &hold.since_usec) < 0 ||
            state_read_number(object, "until", UINT64_MAX, &hold.until_usec) < 0)
                return -EBADMSG;
        for (unsigned i = 0; i < array->len; i++) {
                const Hold *other = &g_array_index(array, Hold, i);

                if (other->by_lfad == hold.by_lfad && strcmp(other->guid, hold.guid) == 0 &&
                    strcmp(other->image, hold.image) == 0)
                        return -EBADMSG;
        }
        g_array_append_val(array, hold);
        return 0;
}

static int read_quarantine(json_object *object, GArray *array) {
        Quarantine quarantine = { 0 };
        uint64_t failures;

        if (state_read_guid(object, "guid", false, quarantine.guid) < 0 ||
            state_read_version(object, "to", quarantine.to) < 0 ||
            state_read_number(object, "failures", STATE_FAILURES_MAX, &failures) < 0 || failures == 0 ||
            state_read_flag(object, "host-restarted", &quarantine.host_restarted) < 0 ||
            read_later_flag(object, "automatic-unknown", &quarantine.automatic_unknown) < 0 ||
            state_read_u32(object, "job", &quarantine.job) < 0 ||
            state_read_boot_id(object, "boot-id", quarantine.boot_id) < 0 ||
            state_read_number(object, "since", UINT64_MAX, &quarantine.since_usec) < 0)
                return -EBADMSG;
        quarantine.failures = (unsigned) failures;
        for (unsigned i = 0; i < array->len; i++) {
                const Quarantine *other = &g_array_index(array, Quarantine, i);

                if (strcmp(other->guid, quarantine.guid) == 0 && strcmp(other->to, quarantine.to) == 0)
                        return -EBADMSG;
        }
        g_array_append_val(array, quarantine);
        return 0;
}

static int read_learned(json_object *object, GArray *array) {
        LearnedBlackout learned = { 0 };
        const char *profile;

        if (state_read_guid(object, "guid", false, learned.guid) < 0 ||
            state_read_text(object, "profile", &profile) < 0 ||
            state_read_u32(object, "samples", &learned.samples) < 0 ||
            state_read_number(object, "worst-usec", UINT64_MAX, &learned.worst_usec) < 0)
                return -EBADMSG;
        if (json_object_object_get_ex(object, "worst-write-usec", NULL) && /* as read_later_flag */
            state_read_number(object, "worst-write-usec", UINT64_MAX, &learned.worst_write_usec) < 0)
                return -EBADMSG;
        learned.profile = driver_profile_from_string(profile);
        if ((int) learned.profile < 0)
                return -EBADMSG;
        for (unsigned i = 0; i < array->len; i++) {
                const LearnedBlackout *other = &g_array_index(array, LearnedBlackout, i);

                if (other->profile == learned.profile && strcmp(other->guid, learned.guid) == 0)
                        return -EBADMSG;
        }
        g_array_append_val(array, learned);
        return 0;
}

static int read_attempt(json_object *object, GArray *array) {
        AutomaticAttempt attempt = { 0 };

        if (state_read_guid(object, "guid", false, attempt.guid) < 0 ||
            state_read_number(object, "at", UINT64_MAX, &attempt.at_usec) < 0)
                return -EBADMSG;
        for (unsigned i = 0; i < array->len; i++)
                if (strcmp(g_array_index(array, AutomaticAttempt, i).guid, attempt.guid) == 0)
                        return -EBADMSG;
        g_array_append_val(array, attempt);
        return 0;
}

static int read_job(json_object *object, GArray *array) {
        KeptJob job;

        if (kept_job_from_json(object, "job", &job) < 0)
                return -EBADMSG;
        for (unsigned i = 0; i < array->len; i++)
                if (g_array_index(array, KeptJob, i).id == job.id)
                        return -EBADMSG;
        g_array_append_val(array, job);
        return 0;
}

static int read_array(json_object *object, const char *key, unsigned maximum,
                      int (*read)(json_object *element, GArray *array), GArray *array) {
        json_object *list;

        if (!json_object_object_get_ex(object, key, &list) || !json_object_is_type(list, json_type_array) ||
            json_object_array_length(list) > maximum)
                return -EBADMSG;
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                json_object *element = json_object_array_get_idx(list, i);

                if (!json_object_is_type(element, json_type_object) || read(element, array) < 0)
                        return -EBADMSG;
        }
        return 0;
}

/* As read_later_flag. */
static int read_last(json_object *object, LastActivation *ret) {
        json_object *last;

        if (!json_object_object_get_ex(object, "last-activation", &last))
                return 0;
        if (!json_object_is_type(last, json_type_object) ||
            state_read_boot_id(last, "boot-id", ret->boot_id) < 0 ||
            state_read_number(last, "ended", UINT64_MAX, &ret->ended_usec) < 0 ||
            state_read_number(last, "monotonic", UINT64_MAX, &ret->ended_monotonic_usec) < 0)
                return -EBADMSG;
        return 0;
}

/* As read_later_flag. */
static int read_statistics(json_object *object, State *state) {
        json_object *statistics;

        state->counted = json_object_object_get_ex(object, "statistics", &statistics);
        return state->counted ? statistics_from_json(statistics, &state->statistics) : 0;
}

static int read_all(json_object *object, State *state) {
        int r = state_read_number(object, "seq", STATE_SEQ_MAX, &state->seq);

        if (r >= 0)
                r = read_array(object, "holds", STATE_HOLDS_MAX, read_hold, state->holds);
        if (r >= 0)
                r = read_array(object, "quarantines", STATE_QUARANTINES_MAX, read_quarantine,
                               state->quarantines);
        if (r >= 0)
                r = read_array(object, "learned", STATE_LEARNED_MAX, read_learned, state->learned);
        if (r >= 0 && json_object_object_get_ex(object, "attempts", NULL)) /* as read_later_flag */
                r = read_array(object, "attempts", STATE_ATTEMPTS_MAX, read_attempt, state->attempts);
        if (r >= 0 && json_object_object_get_ex(object, "jobs", NULL)) /* files from before there were any */
                r = read_array(object, "jobs", STATE_JOBS_MAX, read_job, state->jobs);
        if (r >= 0)
                r = read_last(object, &state->last);
        if (r >= 0)
                r = read_statistics(object, state);
        return r;
}

int state_from_text(const char *text, size_t size, State **ret) {
        _cleanup_json_ json_object *object = json_parse_line(text, size);
        g_autoptr(State) state = NULL;
        uint64_t version;

        if (!object || json_get_u64(object, "version", &version) < 0 || version == 0)
                return -EBADMSG;
        if (version > STATE_VERSION)
                return -EPROTO;
        state = state_new();
        if (read_all(object, state) < 0)
                return -EBADMSG;
        *ret = g_steal_pointer(&state);
        return 0;
}
