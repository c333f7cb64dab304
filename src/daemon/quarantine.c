/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quarantines: published, reviewed with each reading, ended by people. */

#include "daemon/quarantine.h"
#include "daemon/holds.h"
#include "daemon/log-fields.h"

static const char *version_or_none(const char *version) {
        return version_known(version) ? version : "none";
}

static bool is_in_force(const Manager *manager, const Quarantine *quarantine) {
        return quarantine && quarantine_is_in_force(quarantine, manager->config->quarantine_after);
}

/* The last one of the image, whatever the version. */
static const Quarantine *find_in_force(const Manager *manager, const Image *image) {
        for (unsigned i = manager->state->quarantines->len; i > 0; i--) {
                const Quarantine *found = &g_array_index(manager->state->quarantines, Quarantine, i - 1);

                if (strcmp(found->guid, image->values.guid) == 0 && is_in_force(manager, found))
                        return found;
        }
        return NULL;
}

const Quarantine *image_find_quarantine(const Image *image) {
        const Manager *manager = image->manager;
        const Quarantine *found, *any;

        if (image->values.pending != 1)
                return NULL;
        found = state_find_quarantine(manager->state, image->values.guid, image->values.pending_version);
        if (version_known(image->values.pending_version) || is_in_force(manager, found))
                return found;
        any = find_in_force(manager, image); /* it may be that version, which cannot be read now */
        return any ? any : found;
}

bool image_is_quarantined(const Image *image) {
        return is_in_force(image->manager, image_find_quarantine(image));
}

static void refresh_blackout(Manager *manager, Image *image) {
        uint64_t usec = state_worst_blackout_usec(manager->state, image->values.guid);

        if (image->blackout_usec == usec)
                return;
        image->blackout_usec = usec;
        image_changed(manager, image, IMAGE_PROPERTY_BLACKOUT);
}

void state_has_changed(Manager *manager, unsigned changed) {
        GHashTableIter iterator;
        void *value;

        if (changed & STATE_CHANGE_HOLDS)
                holds_publish(manager);
        if (changed & STATE_CHANGE_STATISTICS)
                manager->observer->manager_changed(MANAGER_PROPERTY_STATISTICS, manager->userdata);
        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value)) {
                Image *image = value;

                if (changed & STATE_CHANGE_LEARNED)
                        refresh_blackout(manager, image);
                if ((changed & STATE_CHANGE_QUARANTINES) && image->present)
                        image_refresh_state(manager, image);
        }
        if (changed & (STATE_CHANGE_HOLDS | STATE_CHANGE_QUARANTINES))
                images_evaluate(manager);
        manager_notify_status(manager);
}

static LogFields *quarantine_fields(Manager *manager, const Quarantine *quarantine) {
        LogFields *fields = log_add(guid_fields(manager, quarantine->guid), LFA_FIELD_TO, quarantine->to);

        fields = log_add_u64(fields, LFA_FIELD_FAILURES, quarantine->failures);
        return quarantine->job > 0 ? log_add_u64(fields, LFA_FIELD_JOB, quarantine->job) : fields;
}

/* who: NULL = nobody. */
static LogFields *cleared_fields(Manager *manager, const Quarantine *quarantine, ReleaseCause cause,
                                 const Requester *who, const char *reason) {
        LogFields *fields = quarantine_fields(manager, quarantine);

        fields = log_add(fields, LFA_FIELD_CAUSE, release_cause_to_string(cause));
        fields = log_add(fields, LFA_FIELD_REASON, reason);
        return who ? add_requester(fields, who) : fields;
}

static void tell_self_hold(Manager *manager, const Hold *hold) {
        LogFields *fields = log_add(guid_fields(manager, hold->image), LFA_FIELD_TO, hold->to);

        fields = log_add_u64(fields, LFA_FIELD_JOB, hold->job);
        log_event(LFA_MESSAGE_SELF_HOLD, log_add(fields, LFA_FIELD_REASON, hold->reason),
                  "%s Nothing will be activated until that was looked into: check why the host restarted and which "
                  "firmware runs, then 'lfactl unhold'.",
                  hold->reason);
}

void state_tell(Manager *manager, unsigned changed, json_object *record) {
        const char *type = "", *guid = "", *to = "";
        const Quarantine *quarantine;

        (void) json_get_string(record, "type", &type);
        (void) json_get_string(record, "guid", &guid);
        (void) json_get_string(record, "to", &to);
        if (record_type_from_string(type) != RECORD_FINISHED)
                return;
        quarantine = state_find_quarantine(manager->state, guid, to);
        if ((changed & STATE_CHANGE_QUARANTINES) && is_in_force(manager, quarantine))
                log_event(LFA_MESSAGE_QUARANTINE_SET, quarantine_fields(manager, quarantine),
                          "Image %s (%s): version %s is quarantined after %u activations that went wrong. Find out "
                          "why, then stage another version, or allow this one again with 'lfactl "
                          "clear-quarantine %s'.",
                          guid, image_display_name(images_remember(manager, guid)), version_or_none(to),
                          quarantine->failures, guid);
        if (changed & STATE_CHANGE_HOLDS)
                tell_self_hold(manager,
                               &g_array_index(manager->state->holds, Hold, manager->state->holds->len - 1));
}

static int clear(Manager *manager, const Quarantine *quarantine, ReleaseCause cause, const Requester *who,
                 const char *reason) {
        json_object *record = json_object_new_object();
        Quarantine cleared = *quarantine; /* it is gone by the time of the log line */
        int r;

        json_add_string(record, "guid", cleared.guid);
        json_add_string(record, "to", cleared.to);
        json_add_u64(record, "failures", cleared.failures);
        json_add_string(record, "cause", release_cause_to_string(cause));
        if (who)
                requester_to_record(who, record);
        json_add_string(record, "reason", reason);
        r = manager_record(manager, RECORD_QUARANTINE_CLEARED, record);
        if (r >= 0)
                log_event(LFA_MESSAGE_QUARANTINE_LIFTED,
                          cleared_fields(manager, &cleared, cause, who, reason),
                          "Image %s (%s): what went wrong with version %s does not count any more (%s).",
                          cleared.guid, image_display_name(images_remember(manager, cleared.guid)),
                          version_or_none(cleared.to), release_cause_to_string(cause));
        return r;
}

/* Ends the first quarantine that can be ended. Returns 1 when one was, 0 when there is none. */
static int review_quarantines(Manager *manager, const Image *image) {
        const GArray *quarantines = manager->state->quarantines;

        for (unsigned i = 0; i < quarantines->len; i++) {
                const Quarantine *quarantine = &g_array_index(quarantines, Quarantine, i);
                ReleaseCause cause;
                int r;

                if (strcmp(quarantine->guid, image->values.guid) != 0)
                        continue;
                cause = quarantine_find_release(quarantine, &image->values,
                                                history_boot_id(manager->history));
                if (cause == RELEASE_NONE)
                        continue;
                r = clear(manager, quarantine, cause, NULL, "");
                return r < 0 ? r : 1;
        }
        return 0;
}

void quarantine_review(Manager *manager, const Image *image) {
        int r;

        if (!manager->history)
                return;
        do
                r = review_quarantines(manager, image);
        while (r > 0);
        if (r == 0)
                r = holds_review_image(manager, image);
        if (r < 0)
                log_event_errno(LFA_MESSAGE_RECORD_FAILED, r, image_fields(image),
                                "What ends a quarantine or a hold cannot be recorded; it stays");
}

/* The one of the version that is pending; else the last one. */
const Quarantine *manager_find_quarantine(const Manager *manager, const Image *image) {
        const Quarantine *found = image_find_quarantine(image);

        return is_in_force(manager, found) ? found : find_in_force(manager, image);
}

int manager_clear_quarantine(Manager *manager, const Image *image, const Requester *who,
                             const char *reason) {
        const Quarantine *quarantine = manager_find_quarantine(manager, image);
        int r;

        if (!quarantine)
                return -ENOENT;
        r = clear(manager, quarantine, RELEASE_OPERATOR, who, reason);
        return r < 0 ? log_event_errno(LFA_MESSAGE_RECORD_FAILED, r, image_fields(image),
                                       "Cannot record that the quarantine is lifted")
                     : 0;
}
