/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's own automatic activation (auto_activate) knows no policy and has no bound: each reading that
 * finds it on switches it off again and records that. */

#include "daemon/manager.h"
#include "util/log.h"

#define ATTEMPTS_MAX 3

static void on_answer(const Answer *answer, void *userdata) {
        Manager *manager = userdata;
        Image *image = images_remember(manager, manager->set_guid);
        json_object *record;
        int r;

        if (answer->type != ANSWER_END)
                return;
        if (answer->error != 0) {
                image->auto_activate_stuck = true;
                log_warning_errno(-answer->error, "Cannot set auto_activate of %s to 0", manager->set_guid);
                return;
        }
        log_notice("auto_activate of %s was 1: set to 0, lfad decides what is activated.",
                   manager->set_guid);
        record = json_object_new_object();
        json_add_string(record, "guid", manager->set_guid);
        if (!manager->history) {
                json_object_put(record);
                return;
        }
        r = history_append(manager->history, RECORD_AUTO_ACTIVATE_CLEARED, record, NULL);
        if (r < 0)
                log_error_errno(r, "Cannot record it");
}

static void on_ended(bool clean, void *userdata) {
        Manager *manager = userdata;

        manager->set_worker = worker_process_free(manager->set_worker);
        queue_schedule(manager);
        /* The next reading shows whether it helped, and finds the next image that needs it. */
        scanner_scan(manager->scanner);
}

static const WorkerCallbacks callbacks = { .answer = on_answer, .ended = on_ended };

static void clear_one(Manager *manager, const Image *image) {
        g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
        int r;

        g_ptr_array_add(arguments, g_strdup("set"));
        g_ptr_array_add(arguments, g_strdup_printf("--guid=%s", image->values.guid));
        g_ptr_array_add(arguments, g_strdup("--attribute=auto_activate"));
        g_ptr_array_add(arguments, g_strdup("--value=0"));
        memcpy(manager->set_guid, image->values.guid, GUID_STRING_SIZE);
        r = worker_process_start(manager->event, &manager->settings->worker, arguments, -EBADF, &callbacks,
                                 manager, &manager->set_worker);
        if (r < 0)
                log_error_errno(r, "Cannot start %s", manager->settings->worker.path);
}

/* Returns true when this image needs it, and trying may help. */
static bool wants_clearing(Image *image) {
        if (image->values.auto_activate != 1) {
                image->auto_clear_attempts = 0;
                image->auto_activate_stuck = false;
                return false;
        }
        if (image->manager->config->kernel_auto_activate == KERNEL_AUTO_LEAVE) {
                image->auto_clear_attempts = 0; /* should that change, it is tried anew */
                image->auto_activate_stuck = false;
                return false;
        }
        if (!image->present || image->auto_activate_stuck)
                return false;
        if (++image->auto_clear_attempts <= ATTEMPTS_MAX)
                return true;
        image->auto_activate_stuck = true;
        log_warning("auto_activate of %s is 1 again and again; it will not be activated.",
                    image->values.guid);
        return false;
}

void auto_activate_clear(Manager *manager) {
        GHashTableIter iterator;
        void *value;

        if (manager->set_worker || manager->current || manager->stopping)
                return;
        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value)) {
                if (!wants_clearing(value))
                        continue;
                clear_one(manager, value);
                return; /* one at a time; the scan that follows comes back here */
        }
}
