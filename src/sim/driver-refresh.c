/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inventory: made at probe, made anew after each success, and the worker that later removes the
 * directories of what firmware no longer has. */

#include "sim/driver-internal.h"

#include <string.h>

/* The driver's own habit: next to nothing without a removal, about a millisecond with one (observed). */
#define CLEANUP_HABIT_USEC (1 * USEC_PER_MSEC)
/* Between the end of the files and the end of their directory. */
#define DIRECTORY_LAG_USEC 100

/* A stale image: the flag pattern used happens to mean "rendezvous optional". */
static void image_invalidate(DriverImage *image) {
        image->id = -1;
        image->capable = image->pending = image->may_reset = false;
        image->rendezvous_optional = true;
        image->current_version = 0;
}

static DriverImage *find_live(Driver *driver, const char *guid) {
        DriverImage *image = driver_find(driver, guid);

        return image && !image->files_gone ? image : NULL;
}

void driver_image_create(Driver *driver, int id, const FirmwareInventory *inventory) {
        DriverImage *image;

        if (driver_find(driver, inventory->guid)) {
                /* Its predecessor is still being removed: the image is lost until the next refresh. */
                driver_log_duplicate(driver, inventory->guid);
                return;
        }
        image = g_new0(DriverImage, 1);
        memcpy(image->guid, inventory->guid, GUID_STRING_SIZE);
        image->id = id;
        image->generation = driver->next_generation++;
        image->force_rendezvous = true;
        driver_image_store_inventory(image, inventory);
        g_ptr_array_add(driver->images, image);
}

/* Asks for one id. One that does not answer is skipped, which makes its directory a stale one. */
static void inventory_fill(Driver *driver, unsigned id) {
        FirmwareInventory inventory;
        DriverImage *image;

        if (firmware_get_inventory(driver->firmware, (int) id, &inventory) < 0 ||
            (driver->binding == BINDING_REMOVING && !driver_keeps_files(driver)))
                return;
        image = find_live(driver, inventory.guid);
        if (!image) {
                driver_image_create(driver, (int) id, &inventory);
                return;
        }
        image->id = (int) id;
        driver_image_store_inventory(image, &inventory);
}

static void images_invalidate(Driver *driver) {
        for (guint i = 0; i < driver->images->len; i++)
                image_invalidate(driver->images->pdata[i]);
}

int driver_inventory_make(Driver *driver) {
        unsigned count;
        int code = firmware_get_info(driver->firmware, &count);

        if (code < 0) {
                driver_log_no_inventory(driver);
                return code;
        }
        images_invalidate(driver);
        for (unsigned id = 0; id < count; id++)
                inventory_fill(driver, id);
        return (int) count;
}

static bool has_stale(const Driver *driver) {
        for (guint i = 0; i < driver->images->len; i++) {
                const DriverImage *image = driver->images->pdata[i];

                if (image->id < 0 && !image->files_gone)
                        return true;
        }
        return false;
}

static void cleanup_queue(Driver *driver, uint64_t now) {
        uint64_t window = driver->cleanup_window_usec;

        if (driver->binding != BINDING_BOUND)
                return;
        driver->cleanup.queued_at = now;
        if (driver->cleanup.queued) {
                driver->cleanup.again = driver->cleanup.files_removed;
                return;
        }
        if (window == NEVER)
                window = has_stale(driver) ? CLEANUP_HABIT_USEC : driver->traits->cleanup_latency_usec;
        driver->cleanup.queued = true;
        driver->cleanup.files_removed = false;
        driver->cleanup.begins = now + MIN(driver->cleanup_idle_usec, window);
        driver->cleanup.due = now + window;
        driver_touch(driver);
}

bool driver_loses_trees(const Driver *driver) {
        return !driver->traits->cleanup_serialised && !driver->traits->refresh_is_flags_only;
}

/* All images are at -1 just now, and a worker that takes no lock removes whatever is: live directories, too.
 * Their names are still taken when the refresh wants to make them anew (v2s to nv3, observed). */
static void tree_lose(Driver *driver) {
        bool meets = driver->cleanup.queued && !driver->cleanup.files_removed && driver_loses_trees(driver);
        uint64_t left = meets ? FOR_EVER : driver->lose_tree;

        driver->lose_tree = 0;
        for (guint i = 0; i < driver->images->len && left > 0; i++) {
                DriverImage *image = driver->images->pdata[i];

                if (image->files_gone)
                        continue;
                image->files_gone = image->lost = true;
                left--;
        }
        if (meets) {
                driver->cleanup.files_removed = true;
                driver->cleanup.due = 0;
        }
}

static Step refresh_end(DriverCall *call, uint64_t now) {
        Driver *driver = call->driver;

        for (guint i = 0; i < driver->images->len; i++)
                ((DriverImage *) driver->images->pdata[i])->lost = false;
        if (requeue_is_fatal(call, now))
                return run_corrupt(call);
        cleanup_queue(driver, now);
        return run_succeed(call);
}

static Step refresh_fill(DriverCall *call, uint64_t now) {
        Driver *driver = call->driver;

        inventory_fill(driver, call->refresh_id++);
        if (call->refresh_id < call->refresh_count)
                return call_stall(call, refresh_fill, driver->firmware->timing.inventory);
        return call_continue(call, refresh_end);
}

static Step refresh_wait(DriverCall *call, uint64_t now) {
        if (call->refresh_count == 0)
                return call_continue(call, refresh_end);
        return call_stall(call, refresh_fill, call->driver->firmware->timing.inventory);
}

/* The RFC drivers renew the flags in place and nothing else. */
static void refresh_flags(Driver *driver) {
        for (guint i = 0; i < driver->images->len; i++) {
                DriverImage *image = driver->images->pdata[i];
                FirmwareInventory inventory;

                if (firmware_get_inventory(driver->firmware, image->id, &inventory) == LFA_SUCCESS)
                        driver_image_store_inventory(image, &inventory);
        }
}

Step refresh_begin(DriverCall *call, uint64_t now) {
        Driver *driver = call->driver;

        run_stall_end(call, now);
        if (driver->traits->refresh_is_flags_only) {
                refresh_flags(driver);
                return run_succeed(call);
        }
        if (firmware_get_info(driver->firmware, &call->refresh_count) < 0) {
                /* Everything stays as it was, and the write succeeds all the same. */
                driver_log_no_inventory(driver);
                return run_succeed(call);
        }
        images_invalidate(driver);
        tree_lose(driver);
        return call_stall(call, refresh_wait, driver->refresh_usec);
}

bool driver_images_drain(Driver *driver) {
        bool all = true;

        for (guint i = driver->images->len; i > 0; i--) {
                const DriverImage *image = driver->images->pdata[i - 1];

                if (!image->files_gone)
                        continue;
                if (image->active > 0 || image->lost)
                        all = false;
                else
                        g_ptr_array_remove_index(driver->images, i - 1);
        }
        return all;
}

static void cleanup_remove_files(Driver *driver, uint64_t now) {
        bool any = false;

        for (guint i = 0; i < driver->images->len; i++) {
                DriverImage *image = driver->images->pdata[i];

                if (image->id < 0) {
                        image->files_gone = true;
                        any = true;
                }
        }
        driver->cleanup.files_removed = true;
        driver->cleanup.due = now + (any ? DIRECTORY_LAG_USEC : 0);
        driver_touch(driver);
}

void driver_cleanup_tick(Driver *driver, uint64_t now) {
        if (!driver->cleanup.queued)
                return;
        if (!driver->cleanup.files_removed && now >= driver->cleanup.due)
                cleanup_remove_files(driver, now);
        if (!driver->cleanup.files_removed || now < driver->cleanup.due || !driver_images_drain(driver))
                return;

        driver->cleanup.queued = false;
        driver_touch(driver);
        if (driver->traits->change_after_success)
                driver_emit(driver, "change", true);
        if (driver->cleanup.again) {
                driver->cleanup.again = false;
                cleanup_queue(driver, now);
        }
}
