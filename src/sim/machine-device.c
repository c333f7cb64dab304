/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The machine's device and its directories: plug, unbind, and what the file system asks about the tree. */

#include "sim/machine.h"

#include <string.h>

int machine_set_device_suffix(Machine *machine, const char *suffix) {
        bool has_one;

        machine_lock(machine);
        has_one = machine->driver->traits->device_suffix;
        if (has_one) {
                g_free(machine->device_suffix);
                machine->device_suffix = g_strdup(suffix);
        }
        machine_unlock(machine);
        return has_one ? 0 : -EINVAL;
}

int machine_plug(Machine *machine, bool bound) {
        int r = 0;

        machine_lock(machine);
        driver_emit(machine->driver, "add", false);
        if (bound)
                r = driver_bind(machine->driver, machine_now(machine));
        machine_unlock(machine);
        return r;
}

void machine_unplug(Machine *machine) {
        machine_lock(machine);
        (void) driver_unbind(machine->driver, machine_now(machine));
        driver_emit(machine->driver, "remove", false);
        machine_unlock(machine);
}

int machine_unbind(Machine *machine) {
        int r;

        machine_lock(machine);
        r = driver_unbind(machine->driver, machine_now(machine));
        while (r >= 0 && machine->driver->binding == BINDING_REMOVING && !machine->stopping)
                machine_wait(machine, NEVER);
        if (r >= 0 && machine->driver->binding == BINDING_REMOVING)
                r = -ECANCELED;
        machine_unlock(machine);
        return r;
}

int machine_send_event(Machine *machine, const char *action) {
        Driver *driver;
        int r;

        machine_lock(machine);
        driver = machine->driver;
        if (!driver->traits->device_subsystem || !machine->uevents)
                r = -ENODEV;
        else
                r = uevent_send(machine->uevents, &(UeventDevice){ driver->traits, machine->device_suffix },
                                action, driver->binding != BINDING_NONE && strcmp(action, "add") != 0);
        if (r >= 0) {
                machine->n_uevents++;
                machine->last_uevent_usec = machine_now(machine);
        }
        machine_unlock(machine);
        return r;
}

uint64_t machine_root(Machine *machine) {
        uint64_t root;

        machine_lock(machine);
        root = driver_has_root(machine->driver) ? machine->driver->root_generation : 0;
        machine_unlock(machine);
        return root;
}

uint64_t machine_find_directory(Machine *machine, const char *guid) {
        const DriverImage *image;
        uint64_t generation;

        machine_lock(machine);
        image = driver_has_root(machine->driver) ? driver_find(machine->driver, guid) : NULL;
        generation = image ? image->generation : 0;
        machine_unlock(machine);
        return generation;
}

bool machine_has_directory(Machine *machine, uint64_t generation) {
        bool found;

        machine_lock(machine);
        found = driver_has_root(machine->driver) && driver_find_generation(machine->driver, generation);
        machine_unlock(machine);
        return found;
}

bool machine_has_file(Machine *machine, uint64_t generation, SysfsAttribute attribute) {
        const DriverImage *image;
        bool found;

        machine_lock(machine);
        image = driver_find_generation(machine->driver, generation);
        found = image && !image->files_gone && driver_has_root(machine->driver) &&
                driver_traits_has(machine->driver->traits, attribute) &&
                !file_faults_is_missing(machine->faults, image->guid, attribute);
        machine_unlock(machine);
        return found;
}

uint64_t machine_next_directory(Machine *machine, uint64_t after, char ret_guid[static GUID_STRING_SIZE]) {
        uint64_t next = 0;

        machine_lock(machine);
        for (guint i = 0; i < machine->driver->images->len && driver_has_root(machine->driver); i++) {
                const DriverImage *image = machine->driver->images->pdata[i];

                if (image->generation <= after || (next > 0 && image->generation >= next))
                        continue;
                next = image->generation;
                memcpy(ret_guid, image->guid, GUID_STRING_SIZE);
        }
        machine_unlock(machine);
        return next;
}

unsigned machine_count_directories(Machine *machine) {
        unsigned count;

        machine_lock(machine);
        count = driver_has_root(machine->driver) ? machine->driver->images->len : 0;
        machine_unlock(machine);
        return count;
}
