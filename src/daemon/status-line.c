/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* STATUS= for systemctl status: what lfad is doing or waiting for, in one line. */

#include "core/enum-names.h"
#include "core/hold-text.h"
#include "daemon/state.h"
#include "util/macros.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

static unsigned count_pending(const Manager *manager, unsigned *ret_present) {
        unsigned pending = 0, present = 0;
        GHashTableIter iterator;
        void *value;

        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value)) {
                const Image *image = value;

                present += image->present;
                pending += image->present && image->values.pending == 1;
        }
        *ret_present = present;
        return pending;
}

static char *describe_activation(const Manager *manager) {
        const Job *job = manager->current;
        const Image *image = g_hash_table_lookup(manager->images, job->guid);
        uint64_t since = job->started_usec, now = clock_realtime(manager->clock);

        if (*guard_describe(manager->guard))
                return g_strdup_printf("Job %u: %s %s, %s", job->id, job_state_to_string(job->state),
                                       image ? image_display_name(image) : job->guid,
                                       guard_describe(manager->guard));
        return g_strdup_printf("%sJob %u: %s %s, for %" PRIu64 " s",
                               manager->stopping ? "Stopping after " : "", job->id,
                               job_state_to_string(job->state),
                               image ? image_display_name(image) : job->guid,
                               since > 0 && now > since ? (uint64_t) ((now - since) / USEC_PER_SEC) : 0);
}

static char *describe_waiting(const Manager *manager) {
        const Job *job = manager->queue.head->data;
        const Image *image = g_hash_table_lookup(manager->images, job->guid);

        return g_strdup_printf("Job %u: %s waits: %s", job->id,
                               image ? image_display_name(image) : job->guid, manager->queue_waits_why);
}

static char *describe_hold(const Hold *hold) {
        g_autofree char *text = hold_to_text(hold);

        return g_strdup_printf("Activations are paused: %s", text);
}

void manager_notify_status(Manager *manager) {
        g_autofree char *status = NULL;
        const Hold *hold = manager_find_hold(manager, "");
        unsigned pending, present;
        const char *text;

        if (manager->current)
                status = describe_activation(manager);
        else if (*guard_describe(manager->guard))
                status = g_strdup_printf("%s%s", manager->stopping ? "Stopping: " : "",
                                         guard_describe(manager->guard));
        else if (manager->config_error)
                status = g_strdup_printf("Nothing will be activated: %s", manager->config_error);
        else if (manager_state_error(manager, &text) != LFA_ERROR_NONE)
                status = g_strdup_printf("Nothing will be activated: %s", text);
        else if (manager->foreign_activation)
                status = g_strdup("Waiting for an activation of an earlier lfad to end");
        else if (manager->driver_state == DRIVER_NO_DRIVER)
                status = g_strdup("No LFA driver");
        else if (manager->queue.length > 0 && manager->queue_waits_why)
                status = describe_waiting(manager);
        else if (hold)
                status = describe_hold(hold);
        else {
                pending = count_pending(manager, &present);
                status = g_strdup_printf("%u images, %u pending, %u jobs queued, %u waiting", present,
                                         pending, manager->queue.length, manager->waiting.length);
        }
        if (g_strcmp0(status, manager->status) == 0)
                return;
        (void) sd_notifyf(false, "STATUS=%s", status);
        g_free(manager->status);
        manager->status = g_steal_pointer(&status);
}
