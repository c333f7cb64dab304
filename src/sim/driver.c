/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver's life: bind, unbind, what is due, and finding an image. */

#include "sim/driver-internal.h"

#include <string.h>

/* Generations start high enough to leave room for fixed inode numbers below them. */
#define FIRST_GENERATION 4096

Driver *driver_new(const DriverTraits *traits, Firmware *firmware) {
        Driver *driver = g_new0(Driver, 1);

        driver->traits = traits;
        driver->firmware = firmware;
        driver->images = g_ptr_array_new_with_free_func(g_free);
        driver->next_generation = FIRST_GENERATION;
        driver->cleanup_window_usec = NEVER;
        driver->oopses = true;
        driver->round.cap = FOR_EVER;
        driver->events = g_queue_new();
        driver->log = driver_log_new();
        return driver;
}

Driver *driver_free(Driver *driver) {
        if (!driver)
                return NULL;
        driver_call_free(driver->round.call);
        g_ptr_array_unref(driver->images);
        g_queue_free_full(driver->events, g_free);
        driver_log_free(driver->log);
        g_free(driver);
        return NULL;
}

void driver_emit(Driver *driver, const char *action, bool has_driver) {
        DriverEvent *event;

        if (!driver->traits->device_subsystem)
                return;
        event = g_new0(DriverEvent, 1);
        event->action = action;
        event->has_driver = has_driver;
        g_queue_push_tail(driver->events, event);
}

/* The change comes from a worker, which may be faster than the bind (observed). */
static void driver_emit_probed(Driver *driver) {
        if (driver->traits->change_after_probe && driver->change_first)
                driver_emit(driver, "change", true);
        driver_emit(driver, "bind", true);
        if (driver->traits->change_after_probe && !driver->change_first)
                driver_emit(driver, "change", true);
        driver->change_first = false;
}

int driver_bind(Driver *driver, uint64_t now) {
        int count;

        if (driver->binding != BINDING_NONE)
                return -EBUSY;
        if (driver->firmware->agent_absent) {
                driver_log_no_agent(driver);
                return -ENODEV;
        }
        count = driver_inventory_make(driver);
        if (count <= 0 && !driver->traits->empty_root_without_components)
                return -ENODEV;
        driver->binding = BINDING_BOUND;
        driver->root_generation = driver->next_generation++;
        driver_log_detected(driver);
        driver_emit_probed(driver);
        driver_touch(driver);
        return 0;
}

/* From here on no file can be opened; what is in progress goes on. */
static void files_remove(Driver *driver) {
        for (guint i = 0; i < driver->images->len; i++) {
                DriverImage *image = driver->images->pdata[i];

                image->files_gone = true;
        }
}

bool driver_keeps_files(const Driver *driver) {
        return driver->binding == BINDING_BOUND ||
               (driver->traits->unbind_ends_run && (driver->runs > 0 || driver->round.running));
}

static void removal_tick(Driver *driver) {
        if (driver->binding != BINDING_REMOVING || driver_keeps_files(driver))
                return;
        files_remove(driver);
        if (driver->round.running || !driver_images_drain(driver))
                return;
        memset(&driver->cleanup, 0, sizeof(driver->cleanup));
        driver->binding = BINDING_NONE;
        driver_emit(driver, "unbind", false);
        driver_touch(driver);
}

int driver_unbind(Driver *driver, uint64_t now) {
        if (driver->binding != BINDING_BOUND)
                return -ENODEV;
        driver->binding = BINDING_REMOVING;
        driver_touch(driver);
        driver_tick(driver, now);
        return 0;
}

void driver_tick(Driver *driver, uint64_t now) {
        if (driver->dead)
                return;
        driver_cleanup_tick(driver, now); /* first: a round must not meet work that is only late */
        driver_round_tick(driver, now);
        removal_tick(driver);
        if (!driver->cleanup.queued) /* left over from a reload that found readers */
                driver_images_drain(driver);
}

uint64_t driver_next_due(const Driver *driver) {
        uint64_t due = NEVER;

        if (driver->dead)
                return NEVER;
        if (driver->round.running)
                due = driver->round.due;
        if (driver->cleanup.queued && driver->cleanup.due < due)
                due = driver->cleanup.due;
        return due;
}

bool driver_is_idle(const Driver *driver) {
        return driver->runs == 0 && !driver->round.running && !driver->cleanup.queued &&
               driver->binding != BINDING_REMOVING;
}

bool driver_has_root(const Driver *driver) {
        return driver->binding != BINDING_NONE;
}

void driver_reload(Driver *driver) {
        if (driver->binding != BINDING_BOUND || driver_inventory_make(driver) < 0)
                return;
        for (guint i = 0; i < driver->images->len; i++) {
                DriverImage *image = driver->images->pdata[i];

                image->files_gone = image->files_gone || image->id < 0;
        }
        driver_images_drain(driver);
        driver_touch(driver);
}

DriverImage *driver_find(Driver *driver, const char *guid) {
        for (guint i = 0; i < driver->images->len; i++) {
                DriverImage *image = driver->images->pdata[i];

                if (strcmp(image->guid, guid) == 0)
                        return image;
        }
        return NULL;
}

DriverImage *driver_find_generation(Driver *driver, uint64_t generation) {
        for (guint i = 0; i < driver->images->len; i++) {
                DriverImage *image = driver->images->pdata[i];

                if (image->generation == generation)
                        return image;
        }
        return NULL;
}
