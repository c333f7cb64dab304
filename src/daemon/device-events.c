/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the LFA device's uevents mean: read the tree again, once they have settled. One names no image and no change.
 *
 * A storm of them is how an endless round of the kernel's own activations looks (an image that stays pending after
 * each success; about 700 events a second were seen). Then nothing is waited for: the tree is read at once, and
 * settings.c switches auto_activate off, which ends such a round. */

#include "daemon/device-events.h"
#include "core/profile.h"
#include "daemon/driver.h"
#include "util/log.h"
#include "util/macros.h"

/* An activation sends one event, binding the driver about four: no administrator comes near. */
#define STORM_EVENTS 100
#define STORM_INTERVAL_USEC (10 * USEC_PER_SEC)

bool manager_has_event_storm(const Manager *manager) {
        return manager->storm_until_usec > clock_monotonic(manager->clock);
}

static int on_storm_over(sd_event_source *source, uint64_t usec, void *userdata) {
        Manager *manager = userdata;

        log_event(LFA_MESSAGE_EVENT_STORM_OVER, NULL, "The storm of uevents is over.");
        manager_update_warnings(manager);
        return 0;
}

/* Tells everybody once no more events have come. */
static void arm_storm_timer(Manager *manager) {
        int r;

        if (manager->storm_timer) {
                (void) sd_event_source_set_time(manager->storm_timer, manager->storm_until_usec);
                (void) sd_event_source_set_enabled(manager->storm_timer, SD_EVENT_ONESHOT);
                return;
        }
        r = sd_event_add_time(manager->event, &manager->storm_timer, CLOCK_MONOTONIC,
                              manager->storm_until_usec, USEC_PER_SEC, on_storm_over, manager);
        if (r < 0)
                log_error_errno(r, "Cannot add timer 'storm'");
}

static void note_storm(Manager *manager) {
        uint64_t now = clock_monotonic(manager->clock);
        bool begins = !manager_has_event_storm(manager);

        /* Once in a while is enough, also for looking again. */
        if (!begins && manager->storm_until_usec > now + STORM_INTERVAL_USEC / 2)
                return;
        manager->storm_until_usec = now + STORM_INTERVAL_USEC;
        arm_storm_timer(manager);
        if (begins)
                log_event(LFA_MESSAGE_EVENT_STORM, NULL,
                          "The LFA device sends uevents in a storm: the kernel may be activating without end. "
                          "Switching auto_activate off wherever it is on.");
        manager_update_warnings(manager);
        settings_forget(manager);
        settings_apply(manager); /* what was read last may tell already */
        scanner_scan(manager->scanner);
}

static void on_device_event(const char *action, bool inventory_changed, void *userdata) {
        Manager *manager = userdata;

        log_debug("The LFA device sent a uevent: %s.", action);
        if (inventory_changed) {
                manager->tree_stable_since_usec = clock_monotonic(manager->clock);
                driver_note_evidence(manager, EVIDENCE_CHANGE_EVENT);
        }
        if (strcmp(action, "unbind") == 0 || strcmp(action, "remove") == 0)
                driver_forget_evidence(manager);
        scanner_mark_dirty(manager->scanner, manager->config->settle_usec);
        if (inventory_changed && !ratelimit_pass(&manager->storm_limit, clock_monotonic(manager->clock)))
                note_storm(manager);
}

/* Other devices' events fill the buffer, too: no sign of a storm of ours. */
static void on_overflow(void *userdata) {
        Manager *manager = userdata;

        log_warning("Uevents were lost; reading the whole tree.");
        scanner_mark_dirty(manager->scanner, manager->config->settle_usec);
}

const UeventCallbacks device_event_callbacks = { .device_event = on_device_event, .overflow = on_overflow };

void device_events_init(Manager *manager) {
        manager->storm_limit = (RateLimit){ .interval_usec = STORM_INTERVAL_USEC, .burst = STORM_EVENTS };
}
