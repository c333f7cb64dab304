/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes as step machines: the inventory lock, the two attributes that ask firmware, and cancel.
 */

#include "sim/driver-internal.h"

#include "sim/texts.h"

#include <stdio.h>
#include <string.h>

DriverCall *call_new(Driver *driver, DriverImage *image, SysfsAttribute attribute, CallStage stage) {
        DriverCall *call = g_new0(DriverCall, 1);

        call->driver = driver;
        call->image = image;
        call->attribute = attribute;
        call->stage = stage;
        image->active++;
        return call;
}

void call_print(DriverCall *call, const char *text) {
        int length = snprintf(call->text, sizeof(call->text), "%s\n", text);

        g_assert(length > 0 && (size_t) length < sizeof(call->text));
        call->text_size = (size_t) length;
}

const char *driver_call_text(const DriverCall *call, size_t *ret_size) {
        *ret_size = call->text_size;
        return call->text;
}

void driver_call_signal(DriverCall *call) {
        call->signalled = true;
}

bool driver_call_is_hurried(const DriverCall *call) {
        return call->signalled && call->driver->traits->signals_shorten_pauses;
}

bool call_lock_reading(DriverCall *call) {
        Driver *driver = call->driver;

        if (!driver->traits->inventory_locked)
                return true;
        if (driver->written || driver->writers_waiting > 0)
                return false;
        driver->readers++;
        call->reads = true;
        return true;
}

bool call_lock_writing(DriverCall *call) {
        Driver *driver = call->driver;

        if (!driver->traits->inventory_locked)
                return true;
        if (driver->written || driver->readers > 0) {
                driver->writers_waiting += call->waits_to_write ? 0 : 1;
                call->waits_to_write = true;
                return false;
        }
        driver->writers_waiting -= call->waits_to_write ? 1 : 0;
        call->waits_to_write = false;
        driver->written = true;
        call->writes = true;
        return true;
}

void call_unlock(DriverCall *call) {
        Driver *driver = call->driver;

        if (!call->reads && !call->writes && !call->waits_to_write)
                return;
        driver->readers -= call->reads ? 1 : 0;
        driver->written = driver->written && !call->writes;
        driver->writers_waiting -= call->waits_to_write ? 1 : 0;
        call->reads = call->writes = call->waits_to_write = false;
        driver_touch(driver);
}

static Step show_stored(DriverCall *call, uint64_t now) {
        driver_attribute_show(call);
        return STEP_RESULT((ssize_t) call->text_size);
}

static void show_pending(DriverCall *call) {
        DriverImage *image = call->image;
        FirmwareInventory inventory;
        int code = firmware_get_inventory(call->driver->firmware, image->id, &inventory);

        /* A failed call is silent: the stored bit is printed. */
        if (code == LFA_SUCCESS) {
                image->pending = inventory.pending;
                if (call->driver->traits->flags_follow_pending_read)
                        driver_image_store_inventory(image, &inventory);
        }
        call_print(call, image->pending ? "1" : "0");
}

static void show_pending_version(DriverCall *call) {
        const DriverImage *image = call->image;
        FirmwareInventory inventory;
        char text[VERSION_TEXT_SIZE];
        int code = firmware_get_inventory(call->driver->firmware, image->id, &inventory);

        if (call->driver->traits->pending_version_is_arbitrary) {
                /* Uninitialised numbers of another container: anything but the truth. */
                version_format((image->generation * 2654435761U) << 32 | 0xcccc0001U, text);
                call_print(call, text);
                return;
        }
        if (code != LFA_SUCCESS || inventory.pending_version == 0 || !image->pending) {
                call_print(call, "N/A");
                return;
        }
        version_format(inventory.pending_version, text);
        call_print(call, text);
}

static Step ask_firmware(DriverCall *call, uint64_t now) {
        if (call->driver->firmware->timing.hang_read)
                return STEP_OF(STEP_WAIT, 0);
        if (call->attribute == ATTRIBUTE_ACTIVATION_PENDING)
                show_pending(call);
        else
                show_pending_version(call);
        call_unlock(call);
        return STEP_RESULT((ssize_t) call->text_size);
}

static Step show_from_firmware(DriverCall *call, uint64_t now) {
        const DriverTraits *traits = call->driver->traits;

        if (!call_lock_reading(call))
                return STEP_OF(STEP_WAIT, 0);
        if (call->image->id < 0 && call->attribute == ATTRIBUTE_ACTIVATION_PENDING &&
            traits->stale_pending_errno) {
                call_unlock(call);
                return STEP_RESULT(-traits->stale_pending_errno);
        }
        if (call->image->id < 0 && call->attribute == ATTRIBUTE_PENDING_VERSION &&
            traits->stale_pending_version_skips_smc) {
                call_unlock(call);
                call_print(call, "N/A");
                return STEP_RESULT((ssize_t) call->text_size);
        }
        return call_stall(call, ask_firmware, call->driver->firmware->timing.read);
}

static Step store_cancel(DriverCall *call, uint64_t now) {
        Driver *driver = call->driver;
        DriverImage *image = call->image;
        int code;

        if (!call_lock_reading(call))
                return STEP_OF(STEP_WAIT, 0);
        if (image->id < 0 && driver->traits->stale_cancel_errno != driver->traits->cancel_errno) {
                call_unlock(call);
                return STEP_RESULT(-driver->traits->stale_cancel_errno);
        }
        code = firmware_cancel(driver->firmware, image->id);
        driver_log_cancel(driver, image, code);
        call_unlock(call);
        return STEP_RESULT(code == LFA_SUCCESS ? (ssize_t) call->size : -driver->traits->cancel_errno);
}

static Step stored_setting(DriverCall *call, uint64_t now) {
        return STEP_RESULT(call->kernel_code < 0 ? call->kernel_code : (ssize_t) call->size);
}

DriverCall *driver_call_read(Driver *driver, DriverImage *image, SysfsAttribute attribute) {
        bool asks = attribute == ATTRIBUTE_ACTIVATION_PENDING || attribute == ATTRIBUTE_PENDING_VERSION;

        return call_new(driver, image, attribute, asks ? show_from_firmware : show_stored);
}

DriverCall *driver_call_write(Driver *driver, DriverImage *image, SysfsAttribute attribute, const char *data,
                              size_t size, uint64_t now) {
        DriverCall *call = call_new(driver, image, attribute, stored_setting);

        call->size = size;
        driver->counters.bytes_written += size;
        switch (attribute) {
        case ATTRIBUTE_ACTIVATE:
                call->stage = run_begin;
                call->is_run = true;
                driver->runs++;
                driver->counters.activate_stores++;
                driver->times.activate_entry = now;
                driver_touch(driver);
                break;
        case ATTRIBUTE_CANCEL:
                call->stage = store_cancel;
                driver->counters.cancel_stores++;
                break;
        default: {
                bool *setting = attribute == ATTRIBUTE_AUTO_ACTIVATE ? &image->auto_activate
                                                                     : &image->force_rendezvous;

                call->kernel_code = (int) driver_attribute_store_boolean(setting, data, size);
        }
        }
        return call;
}

Step driver_call_step(DriverCall *call, uint64_t now) {
        Step step;

        /* While one loop holds all CPUs in stop_machine nobody else gets anywhere. */
        if (call->driver->dead || (call->driver->frozen_by && call->driver->frozen_by != call))
                return STEP_OF(STEP_WAIT, 0);
        do
                step = call->stage(call, now);
        while (step.kind == _STEP_AGAIN);

        if (step.kind == STEP_DONE && call->is_run) {
                call->driver->times.activate_return = now;
                call->driver->counters.activate_returns++;
        }
        return step;
}

DriverCall *driver_call_free(DriverCall *call) {
        if (!call)
                return NULL;

        Driver *driver = call->driver;

        call_unlock(call);
        if (driver->run_owner == call)
                driver->run_owner = NULL;
        if (driver->frozen_by == call)
                driver->frozen_by = NULL;
        driver->runs -= call->is_run ? 1 : 0;
        call->image->active--;
        driver_touch(driver);
        g_free(call);
        return NULL;
}
