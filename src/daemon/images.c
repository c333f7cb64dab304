/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The images: taking in a reading of the tree, noticing what moved without us. */

#include "core/enum-names.h"
#include "daemon/driver.h"
#include "daemon/inventory.h"
#include "daemon/log-fields.h"
#include "daemon/quarantine.h"
#include "util/macros.h"

Image *manager_find_image(const Manager *manager, const char *guid) {
        Image *image = g_hash_table_lookup(manager->images, guid);

        return image && image->present ? image : NULL;
}

Image *images_remember(Manager *manager, const char *guid) {
        Image *image = g_hash_table_lookup(manager->images, guid);

        if (!image) {
                image = g_new0(Image, 1);
                image->manager = manager;
                image_values_init(&image->values, guid);
                image->configured_alias = config_find_alias(manager->config, guid);
                image->blackout_usec = state_worst_blackout_usec(manager->state, guid);
                g_hash_table_insert(manager->images, image->values.guid, image);
        }
        return image;
}

void image_changed(Manager *manager, Image *image, unsigned properties) {
        if (properties != 0 && image->present)
                manager->observer->image_changed(image, properties, manager->userdata);
}

/* Another version than the one that failed has not been tried yet. */
bool image_has_failed(const Image *image) {
        return (image->last_result == RESULT_FAILED || image->last_result == RESULT_UNKNOWN) &&
               strcmp(image->last_to, image->values.pending_version) == 0;
}

static ImageState find_state(Manager *manager, const Image *image) {
        const Job *job = manager_find_job_of_image(manager, image->values.guid);

        if (job)
                return job_is_running(job) ? IMAGE_ACTIVATING : IMAGE_SCHEDULED;
        if (image_values_look_stale(&image->values))
                return IMAGE_STALE;
        if (image->values.pending != 1)
                return IMAGE_IDLE;
        if (image_is_quarantined(image))
                return IMAGE_QUARANTINED;
        return image_has_failed(image) ? IMAGE_FAILED : IMAGE_PENDING;
}

void image_refresh_state(Manager *manager, Image *image) {
        ImageState state = find_state(manager, image);

        if (image->state == state)
                return;
        image->state = state;
        image_changed(manager, image, IMAGE_PROPERTY_STATE);
}

static void tell_outside_change(const Image *image, const ImageValues *before) {
        const ImageValues *now = &image->values;
        LogFields *fields = log_add(image_fields(image), LFA_FIELD_FROM, before->current_version);
        MessageId message = LFA_MESSAGE_IMAGE_NOT_PENDING;

        fields = log_add(fields, LFA_FIELD_TO, now->current_version);
        if (image->unsettled_job != 0) {
                message = LFA_MESSAGE_JOB_SETTLED;
                fields = log_add_u64(fields, LFA_FIELD_JOB, image->unsettled_job);
        } else if (strcmp(before->current_version, now->current_version) != 0)
                message = LFA_MESSAGE_VERSION_CHANGED;
        log_event(message, fields, "Image %s (%s): version %s -> %s, pending %d -> %d, %s.", now->guid,
                  image_display_name(image), before->current_version, now->current_version, before->pending,
                  now->pending,
                  image->unsettled_job != 0 ? "which settles an earlier job"
                                            : "without an activation of lfad's");
}

static void tell_pending(const Image *image, const ImageValues *before) {
        const ImageValues *now = &image->values;
        bool is_other = version_known(now->pending_version) &&
                        strcmp(before->pending_version, now->pending_version) != 0;
        LogFields *fields;

        if (now->pending != 1 || image_values_look_stale(now) || (before->pending == 1 && !is_other))
                return;
        fields = log_add(image_fields(image), LFA_FIELD_FROM, now->current_version);
        log_event(LFA_MESSAGE_IMAGE_PENDING, log_add(fields, LFA_FIELD_TO, now->pending_version),
                  "Image %s (%s): version %s is pending, %s runs.", now->guid, image_display_name(image),
                  version_known(now->pending_version) ? now->pending_version : "unknown",
                  version_known(now->current_version) ? now->current_version : "an unknown one");
}

/* A version that moved, or pending that fell, without a job of ours; or the answer to one that ended
 * unknown. */
static void record_outside_change(Manager *manager, Image *image, const ImageValues *before) {
        json_object *record = json_object_new_object();
        bool settles = image->unsettled_job != 0;
        int r;

        json_add_string(record, "guid", image->values.guid);
        json_add_string(record, "from", before->current_version);
        json_add_string(record, "to", image->values.current_version);
        json_object_object_add(record, "pending", json_object_new_boolean(image->values.pending == 1));
        if (settles)
                json_add_u64(record, "job", image->unsettled_job);
        tell_outside_change(image, before);
        image->unsettled_job = 0;
        if (!manager->history) {
                json_object_put(record);
                return;
        }
        r = manager_record(manager, settles ? RECORD_SETTLED : RECORD_EXTERNAL, record);
        if (r < 0)
                log_event_errno(LFA_MESSAGE_RECORD_FAILED, r, image_fields(image),
                                "Cannot record what image %s came to", image->values.guid);
}

static void forget_repeat(Image *image, ChangeFlags change) {
        if (change & (CHANGE_VERSION | CHANGE_PENDING_FELL))
                image->repeat = false;
}

/* What they were authorised for is pending no more; what is staged next is something else, whatever its
 * version. */
static void refuse_queued_jobs(Manager *manager, const Image *image) {
        g_autoptr(GPtrArray) jobs = manager_list_unstarted_jobs(manager);

        for (unsigned i = 0; i < jobs->len; i++) {
                Job *job = jobs->pdata[i];

                if (strcmp(job->guid, image->values.guid) == 0 && !job_is_done(job))
                        job_finish(job, RESULT_REFUSED, LFA_ERROR_VERSION_CHANGED,
                                   "What was pending when this was asked for is pending no more.", NULL);
        }
}

/* What moves while its job writes, or is judged by a reading since its worker left no report, is that job's doing. A
 * reading that was begun before the write comes back after it, as the kernel lets it wait. */
static bool is_ours(const Manager *manager, const Image *image) {
        const Job *job = manager->current;

        return job && (job->state == JOB_ACTIVATING || job->state == JOB_VERIFYING) &&
               strcmp(job->guid, image->values.guid) == 0;
}

static void add_image(Manager *manager, const ImageValues *values) {
        Image *image = images_remember(manager, values->guid);
        ImageValues before = image->values;

        image->values = *values;
        image->present = true;
        image->seen_tree = manager->tree_id;
        image_forget_settings(image);
        /* Known from before it vanished, or from the history: it may come back as another version. */
        if (!is_ours(manager, image) &&
            image_change(&before, values) & (CHANGE_VERSION | CHANGE_PENDING_FELL))
                record_outside_change(manager, image, &before);
        log_event(LFA_MESSAGE_IMAGE_APPEARED,
                  log_add(image_fields(image), LFA_FIELD_FROM, values->current_version),
                  "Image %s (%s) is there%s%s.", values->guid, image_display_name(image),
                  version_known(values->current_version) ? ", version " : "", values->current_version);
        tell_pending(image, &(ImageValues){ .pending = 0 });
        quarantine_review(manager, image);
        image->state = find_state(manager, image);
        image_evaluate(manager, image);
        manager->observer->image_added(image, manager->userdata);
}

static void update_image(Manager *manager, Image *image, const ImageValues *values, bool ours) {
        ImageValues before = image->values;
        ChangeFlags change = image_change(&before, values);

        image->values = *values;
        forget_repeat(image, change);
        if (!ours && (change & (CHANGE_VERSION | CHANGE_PENDING_FELL)))
                record_outside_change(manager, image, &before);
        tell_pending(image, &before);
        /* Staged anew: whatever the last job left open, its answer will not be seen any more. */
        if (before.pending == 0 && values->pending == 1)
                image->unsettled_job = 0;
        image_changed(manager, image, image_values_diff(&before, values));
        if (change & CHANGE_PENDING_FELL)
                refuse_queued_jobs(manager, image);
        quarantine_review(manager, image);
        image_refresh_state(manager, image);
        image_evaluate(manager, image);
}

/* Returns true when any vanished. What is remembered of them stays. */
static bool remove_vanished(Manager *manager, const Tree *tree) {
        GHashTableIter iterator;
        bool any = false;
        void *value;

        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value)) {
                Image *image = value;
                bool shown = tree_find(tree, image->values.guid) != NULL;
                bool expected = image->present || (image->seen_tree != 0 && image->seen_tree == tree->id);

                if (shown)
                        image->seen_tree = tree->id;
                if (shown || !expected)
                        continue;
                if (image->present)
                        manager->observer->image_removed(image, manager->userdata);
                image->present = false;
                image->seen_tree = 0;
                driver_note_vanished(manager, image, tree->id);
                any = true;
        }
        return any;
}

/* Most versions do not tell when what they drop has gone: within a second (kernel driver, observed). */
static void look_again(Manager *manager) {
        scanner_mark_dirty(manager->scanner, MAX(manager->config->settle_usec, USEC_PER_SEC));
}

void images_update(Manager *manager, const Tree *tree) {
        bool first = manager->driver_state == DRIVER_UNKNOWN, moved = remove_vanished(manager, tree);
        bool fading = false;

        driver_update(manager, tree);
        for (unsigned i = 0; i < tree->images->len; i++) {
                const ImageValues *values = &g_array_index(tree->images, ImageValues, i);
                Image *image = manager_find_image(manager, values->guid);

                if (!image) {
                        add_image(manager, values);
                        moved = true;
                        continue;
                }
                if (image_values_look_stale(values) && !image_values_look_stale(&image->values))
                        fading = true;
                if (image_change(&image->values, values) & CHANGE_VERSION ||
                    image_values_look_stale(values) != image_values_look_stale(&image->values))
                        moved = true;
                update_image(manager, image, values, is_ours(manager, image));
        }
        if (moved && !first)
                manager->tree_stable_since_usec = clock_monotonic(manager->clock);
        if (fading)
                look_again(manager);
        inventory_save(manager);
        manager_update_warnings(manager);
        images_evaluate_order(manager);
        manager_review_holds(manager);
        settings_apply(manager);
        manager_notify_status(manager);
        queue_schedule(manager); /* a gate may have waited for this */
}

void images_update_one(Manager *manager, const ImageValues *values) {
        Image *image = images_remember(manager, values->guid);

        if (image->present)
                update_image(manager, image, values, true);
        else /* not read yet since the start: the first reading will be compared with this */
                image->values = *values;
}
