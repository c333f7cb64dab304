/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel driver as it is now: which version, in what state, and whether it has lost images.
 *
 * Some versions lose the directories of live images when activations follow each other closely, and show them again only
 * after another success or when they are bound anew. What firmware dropped looks the same. So with these versions
 * whatever vanishes while the driver stays bound counts as lost. */

#include "daemon/driver.h"
#include "core/enum-names.h"
#include "core/profile.h"
#include "daemon/inventory.h"
#include "daemon/log-fields.h"

static void record_vanished(Manager *manager, const Image *image) {
        json_object *record = json_object_new_object();
        int r;

        json_add_string(record, "guid", image->values.guid);
        json_add_string(record, "from", image->values.current_version);
        json_add_u64(record, "tree", manager->tree_id);
        json_object_object_add(record, "lost", json_object_new_boolean(image->lost_tree != 0));
        if (!manager->history) {
                json_object_put(record);
                return;
        }
        r = history_append(manager->history, RECORD_VANISHED, record, NULL);
        if (r < 0)
                log_event_errno(LFA_MESSAGE_RECORD_FAILED, r, image_fields(image),
                                "Cannot record that image %s vanished", image->values.guid);
}

void driver_note_vanished(Manager *manager, Image *image, uint64_t tree_id) {
        image->lost_tree = 0;
        if (tree_id == 0 || tree_id != manager->tree_id)
                return; /* the driver was removed, or bound anew */
        if (profile_loses_tree(manager->profile_of_tree)) {
                image->lost_tree = tree_id;
                log_event(LFA_MESSAGE_IMAGE_LOST,
                          log_add(image_fields(image), LFA_FIELD_FROM, image->values.current_version),
                          "The kernel driver lost image %s (%s), or firmware dropped it: bind the driver again.",
                          image->values.guid, image_display_name(image));
        } else
                log_event(LFA_MESSAGE_IMAGE_VANISHED,
                          log_add(image_fields(image), LFA_FIELD_FROM, image->values.current_version),
                          "Image %s (%s) vanished.", image->values.guid, image_display_name(image));
        record_vanished(manager, image);
}

/* Binding the driver makes another tree, and what that shows is what there is. tree: a reading that is being taken in,
 * or NULL. */
static unsigned count_lost(const Manager *manager, const Tree *tree) {
        GHashTableIter iterator;
        unsigned lost = 0;
        void *value;

        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value)) {
                const Image *image = value;
                bool present = tree ? tree_find(tree, image->values.guid) != NULL : image->present;

                lost += !present && manager->tree_id != 0 && image->lost_tree == manager->tree_id;
        }
        return lost;
}

static void tell(DriverState state, DriverProfile profile) {
        LogFields *fields = log_add(NULL, LFA_FIELD_DRIVER_STATE, driver_state_to_string(state));

        fields = log_add(fields, LFA_FIELD_DRIVER_PROFILE, driver_profile_to_string(profile));
        log_event(LFA_MESSAGE_DRIVER_CHANGED, fields, "Driver: %s, profile %s.",
                  driver_state_to_string(state), driver_profile_to_string(profile));
}

static void set(Manager *manager, DriverProfile profile, unsigned lost) {
        DriverState state = lost > 0 ? DRIVER_TREE_LOST : manager->state_read;
        unsigned changed = 0;

        if (manager->driver_state != state)
                changed |= MANAGER_PROPERTY_DRIVER_STATE;
        if (manager->profile != profile)
                changed |= MANAGER_PROPERTY_DRIVER_PROFILE;
        manager->images_lost = lost;
        manager->driver_state = state;
        manager->profile = manager->profile_of_tree = profile;
        if (changed != 0) {
                tell(state, profile);
                manager->observer->manager_changed(changed, manager->userdata);
        }
        manager_update_warnings(manager);
}

/* What an earlier lfad knew of another tree says nothing of this one. */
static void forget_other_tree(Manager *manager, const Tree *tree) {
        if (manager->driver_state == DRIVER_UNKNOWN && tree->id != manager->tree_id)
                manager->profile_evidence = 0;
}

void driver_update(Manager *manager, const Tree *tree) {
        DriverProfile known = tree->id != 0 && tree->id == manager->tree_id ? manager->profile_of_tree
                                                                            : PROFILE_UNKNOWN;

        forget_other_tree(manager, tree);
        if (tree->id != manager->tree_id)
                settings_forget(manager);
        manager->tree_id = tree->id;
        manager->state_read = tree->driver_state;
        /* A tree without images does not tell who made it. */
        set(manager,
            tree->images->len == 0 ? known : profile_refine(tree->profile, known, manager->profile_evidence),
            count_lost(manager, tree));
}

/* A version that loses no images: what vanished was dropped by firmware. */
static void forgive(Manager *manager) {
        GHashTableIter iterator;
        void *value;

        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value)) {
                Image *image = value;

                if (image->lost_tree == 0 || image->lost_tree != manager->tree_id)
                        continue;
                image->lost_tree = 0;
                if (!image->present)
                        record_vanished(manager, image);
        }
}

void driver_note_evidence(Manager *manager, unsigned evidence) {
        DriverProfile profile;

        manager->profile_evidence |= evidence;
        profile = profile_refine(manager->profile, manager->profile, manager->profile_evidence);
        if (profile == manager->profile)
                return;
        if (!profile_loses_tree(profile))
                forgive(manager);
        set(manager, profile, count_lost(manager, NULL));
        inventory_save(manager);
        images_evaluate(manager);
        queue_schedule(manager);
}

void driver_forget_evidence(Manager *manager) {
        manager->profile_evidence = 0;
}
