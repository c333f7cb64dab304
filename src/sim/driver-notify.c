/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Notifications: the kernel activates by itself, one image after the other, until none is left or one fails.
 * The loop has no bound in the driver; the cap is the simulator's, to end a test. */

#include "sim/driver-internal.h"

/* About 700 activations a second were observed in an endless round. */
#define ROUND_PACE_USEC 1400

static bool image_is_asked(const Driver *driver, const DriverImage *image) {
        if (image->id < 0 || image->files_gone)
                return false;
        return driver->traits->notify_style == NOTIFY_EVERYTHING || image->auto_activate;
}

/* Renews the stored pending bits, of every image or of those the kernel may activate. */
static void pending_renew(Driver *driver) {
        for (guint i = 0; i < driver->images->len; i++) {
                DriverImage *image = driver->images->pdata[i];
                FirmwareInventory inventory;

                if (image->id < 0 ||
                    (!driver->traits->notify_renews_pending && !image_is_asked(driver, image)))
                        continue;
                if (firmware_get_inventory(driver->firmware, image->id, &inventory) == LFA_SUCCESS)
                        image->pending = inventory.pending;
        }
}

static DriverImage *round_next(Driver *driver) {
        for (guint i = 0; i < driver->images->len; i++) {
                DriverImage *image = driver->images->pdata[i];

                if (image_is_asked(driver, image) && image->capable && image->pending)
                        return image;
        }
        return NULL;
}

static void round_end(Driver *driver) {
        driver->round.call = driver_call_free(driver->round.call);
        driver->round.running = false;
        driver_touch(driver);
}

/* Starts the next activation; false when the round is over. */
static bool round_advance(Driver *driver, uint64_t now) {
        DriverImage *image;

        if (driver->round.count >= driver->round.cap || driver->binding == BINDING_NONE)
                return false;
        if (driver->traits->notify_style == NOTIFY_OPTED_IN)
                pending_renew(driver);
        image = round_next(driver);
        if (!image)
                return false;
        driver->round.count++;
        driver->round.call = call_new(driver, image, ATTRIBUTE_ACTIVATE, run_begin);
        driver->round.call->automatic = true;
        driver->round.due = now;
        return true;
}

/* The line's number mixes LFA codes and errnos, and PRIME's BUSY is taken for "nothing to do" (observed). */
static void round_failed(Driver *driver) {
        int code = driver->round.call->kernel_code;

        if (code != -ENOENT)
                driver_log_round_failed(driver, code);
        round_end(driver);
}

void driver_round_tick(Driver *driver, uint64_t now) {
        Step step;

        if (!driver->round.running || now < driver->round.due)
                return;
        if (!driver->round.call && !round_advance(driver, now)) {
                round_end(driver);
                return;
        }
        step = driver_call_step(driver->round.call, now);
        switch (step.kind) {
        case STEP_SLEEP:
        case STEP_STALL:
                driver->round.due = now + step.usec;
                break;
        case STEP_DONE:
                if (step.result < 0) {
                        round_failed(driver);
                        break;
                }
                driver->round.call = driver_call_free(driver->round.call);
                driver->round.due = now + ROUND_PACE_USEC;
                break;
        default: /* waits for another call: tried again at the next tick */
                break;
        }
}

void driver_notify(Driver *driver, uint64_t now) {
        if (driver->binding != BINDING_BOUND || driver->traits->notify_style == NOTIFY_IGNORED ||
            driver->round.running)
                return;
        if (driver->traits->notify_style == NOTIFY_EVERYTHING)
                driver_reload(driver);
        else
                pending_renew(driver);
        if (!round_next(driver))
                return;
        driver->round.running = true;
        driver->round.count = 0;
        driver->round.due = now;
        driver_touch(driver);
}
