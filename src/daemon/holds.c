/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds: made and ended by people, ended by time and by what the driver shows. */

#include "daemon/holds.h"
#include "core/hold-text.h"
#include "daemon/log-fields.h"

const Hold *manager_find_hold(const Manager *manager, const char *guid) {
        return state_find_hold(manager->state, guid, clock_realtime(manager->clock));
}

GPtrArray *manager_list_holds(const Manager *manager) {
        uint64_t now = clock_realtime(manager->clock);
        GPtrArray *list = g_ptr_array_new();

        for (unsigned i = 0; i < manager->state->holds->len; i++) {
                Hold *hold = &g_array_index(manager->state->holds, Hold, i);

                if (hold_is_in_force(hold, now))
                        g_ptr_array_add(list, hold);
        }
        return list;
}

uint64_t manager_next_hold_end(const Manager *manager, uint64_t now_usec) {
        return state_next_hold_end(manager->state, now_usec);
}

void holds_publish(Manager *manager) {
        manager->holds_judged_usec = clock_realtime(manager->clock);
        manager->observer->manager_changed(MANAGER_PROPERTY_HELD, manager->userdata);
}

static const char *image_text(Manager *manager, const char *guid) {
        return *guid ? image_display_name(images_remember(manager, guid)) : "all images";
}

static void tell_turn(Manager *manager, const Hold *hold, bool in_force) {
        LogFields *fields = log_add(guid_fields(manager, hold->guid), LFA_FIELD_REASON, hold->reason);

        log_event(in_force ? LFA_MESSAGE_HOLD_AGAIN : LFA_MESSAGE_HOLD_EXPIRED,
                  log_add_u64(fields, LFA_FIELD_UNTIL_USEC, hold->until_usec),
                  in_force ? "A hold is in force again: the clock was set back (%s): %s"
                           : "A hold is over: its time has come (%s): %s",
                  image_text(manager, hold->guid), hold->reason);
}

/* As long as none is made or ended, time alone changes which are in force: this comes before either. */
void manager_review_holds(Manager *manager) {
        uint64_t before = manager->holds_judged_usec, now = clock_realtime(manager->clock);
        bool changed = false;

        for (unsigned i = 0; i < manager->state->holds->len; i++) {
                const Hold *hold = &g_array_index(manager->state->holds, Hold, i);

                if (hold_is_in_force(hold, before) == hold_is_in_force(hold, now))
                        continue;
                tell_turn(manager, hold, hold_is_in_force(hold, now));
                changed = true;
        }
        manager->holds_judged_usec = now;
        if (!changed)
                return;
        holds_publish(manager);
        images_evaluate(manager);
        manager_notify_status(manager);
        queue_schedule(manager);
}

static LogFields *hold_fields(Manager *manager, const char *guid, uint64_t until_usec, const char *reason,
                              const Requester *who) {
        LogFields *fields = log_add(guid_fields(manager, guid), LFA_FIELD_REASON, reason);

        if (until_usec > 0)
                fields = log_add_u64(fields, LFA_FIELD_UNTIL_USEC, until_usec);
        return add_requester(fields, who);
}

/* The reference to record is taken. */
static int hold_one(Manager *manager, const char *guid, uint64_t until_usec, const Requester *who,
                    const char *reason) {
        g_autofree char *asker = requester_to_text(who), *until = hold_until_text(until_usec);
        json_object *record = json_object_new_object();
        int r;

        json_add_string(record, "guid", guid);
        requester_to_record(who, record);
        json_add_string(record, "reason", reason);
        if (until_usec > 0)
                json_add_u64(record, "until", until_usec);
        r = manager_record(manager, RECORD_HOLD, record);
        if (r < 0)
                return log_event_errno(LFA_MESSAGE_RECORD_FAILED, r, guid_fields(manager, guid),
                                       "Cannot record a hold");
        log_event(LFA_MESSAGE_HOLD_SET, hold_fields(manager, guid, until_usec, reason, who),
                  "Activations are paused by %s until %s (%s%s%s): %s", asker, until, guid,
                  *guid ? ", " : "", image_text(manager, guid), reason);
        return 0;
}

static const char *const all_images[] = { "", NULL };

static const char *const *scopes(char *const *guids) {
        return guids ? (const char *const *) guids : all_images;
}

int manager_check_hold_caps(const Manager *manager, char *const *guids) {
        g_autoptr(GPtrArray) holds = manager_list_holds(manager);
        uint64_t now = clock_realtime(manager->clock);
        unsigned n = 0;

        for (unsigned i = 0; i < holds->len; i++)
                n += !((const Hold *) holds->pdata[i])->by_lfad;
        for (const char *const *guid = scopes(guids); *guid; guid++)
                n += !state_find_hold_of_person(manager->state, *guid, now);
        return n <= HOLDS_MAX ? 0 : -EDQUOT;
}

int manager_hold(Manager *manager, char *const *guids, uint64_t until_usec, const Requester *who,
                 const char *reason) {
        int r = manager_check_hold_caps(manager, guids);

        manager_review_holds(manager);
        for (const char *const *guid = scopes(guids); r >= 0 && *guid; guid++)
                r = hold_one(manager, *guid, until_usec, who, reason);
        return r;
}

/* An image's own is a person's; lfad's own are of all. */
const Hold *manager_find_hold_of(const Manager *manager, const char *guid) {
        return *guid ? state_find_hold_of_person(manager->state, guid, clock_realtime(manager->clock))
                     : manager_find_hold(manager, "");
}

static int unhold_one(Manager *manager, const char *guid, const Requester *who, const char *reason) {
        g_autofree char *asker = requester_to_text(who);
        json_object *record = json_object_new_object();
        int r;

        json_add_string(record, "guid", guid);
        json_add_string(record, "cause", release_cause_to_string(RELEASE_OPERATOR));
        requester_to_record(who, record);
        json_add_string(record, "reason", reason);
        r = manager_record(manager, RECORD_UNHOLD, record);
        if (r < 0)
                return log_event_errno(LFA_MESSAGE_RECORD_FAILED, r, guid_fields(manager, guid),
                                       "Cannot record that a hold is released");
        log_event(LFA_MESSAGE_HOLD_RELEASED,
                  log_add(hold_fields(manager, guid, 0, reason, who), LFA_FIELD_CAUSE,
                          release_cause_to_string(RELEASE_OPERATOR)),
                  "The hold was released by %s (%s%s%s)%s%s", asker, guid, *guid ? ", " : "",
                  image_text(manager, guid), *reason ? ": " : ".", reason);
        return 0;
}

int manager_unhold(Manager *manager, char *const *guids, const Requester *who, const char *reason) {
        int r = 0;

        manager_review_holds(manager);
        for (const char *const *guid = scopes(guids); *guid; guid++)
                if (!manager_find_hold_of(manager, *guid))
                        return -ENOENT;
        for (const char *const *guid = scopes(guids); r >= 0 && *guid; guid++)
                r = unhold_one(manager, *guid, who, reason);
        queue_schedule(manager);
        return r;
}

static int release(Manager *manager, const Hold *hold, ReleaseCause cause) {
        g_autofree char *scope = g_strdup(hold->guid); /* it is gone by the time of the log entry */
        json_object *record = json_object_new_object();
        int r;

        manager_review_holds(manager);
        json_add_string(record, "guid", hold->guid);
        json_add_string(record, "image", hold->image);
        json_add_string(record, "cause", release_cause_to_string(cause));
        r = manager_record(manager, RECORD_UNHOLD, record);
        if (r >= 0)
                log_event(LFA_MESSAGE_HOLD_RELEASED,
                          log_add(guid_fields(manager, scope), LFA_FIELD_CAUSE,
                                  release_cause_to_string(cause)),
                          "A hold was released (%s).", release_cause_to_string(cause));
        return r;
}

/* Ends the first one that can be ended. Returns 1 when one was, 0 when there is none. */
static int review_one(Manager *manager, const Image *image) {
        const GArray *holds = manager->state->holds;

        for (unsigned i = 0; i < holds->len; i++) {
                const Hold *hold = &g_array_index(holds, Hold, i);
                ReleaseCause cause = hold_find_release(hold, &image->values);
                int r;

                if (cause == RELEASE_NONE)
                        continue;
                r = release(manager, hold, cause);
                return r < 0 ? r : 1;
        }
        return 0;
}

int holds_review_image(Manager *manager, const Image *image) {
        int r;

        do
                r = review_one(manager, image);
        while (r > 0);
        return r;
}
