/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lfad publishes, as plain structs: the manager, its images and its jobs at one moment. */

#include "ctl/client.h"

#include <glib.h>
#include <stdint.h>

/* Strings without "own" belong to properties; none is NULL. */
typedef struct Image {
        char *path;
        char *label; /* what a person types for it: the alias, or as much of the GUID as tells it apart */
        json_object *properties;
        const char *guid, *alias, *name, *state;
        const char *current_version, *pending_version;
        const char *last_result, *last_error, *last_firmware_code;
        bool capable, pending, may_reset_cpu;
        bool in_doubt; /* its last job ended unknown, and for all that is known here nothing has told since: doubt.h */
} Image;

typedef struct Job {
        char *path;
        json_object *properties;
        uint32_t id;
        const char *guid, *state, *result, *error, *message, *firmware_code;
        const char *from_version, *to_version;
        uint64_t queued, started, finished; /* usec of CLOCK_REALTIME */
} Job;

typedef struct Inventory {
        json_object *manager; /* its properties */
        const char *driver_state, *driver_profile, *version, *uevent_monitor, *config_error;
        GPtrArray *images; /* of Image, by label */
        GPtrArray *jobs;   /* of Job, by id */
} Inventory;

/* Asks lfad for everything. Returns 0 or a negative errno with error filled. */
int inventory_query(Client *client, sd_bus_error *error, Inventory **ret);

/* The same; a failure is reported. */
ExitCode inventory_load(Client *client, Inventory **ret);

Inventory *inventory_free(Inventory *inventory);

/* NULL when there is none. */
Image *inventory_find_guid(const Inventory *inventory, const char *guid);
Job *inventory_find_job(const Inventory *inventory, uint32_t id);

/* The job for this image that has not ended, or NULL. */
Job *inventory_find_active_job(const Inventory *inventory, const char *guid);

/* What to call the image with this GUID: its label, or the GUID itself when lfad does not know the image. */
const char *inventory_label(const Inventory *inventory, const char *guid);

/* From the properties of org.arm.LFA1.Job, which it takes. */
Job *job_new(const char *path, json_object *properties);
Job *job_free(Job *job);

static inline void inventory_freep(Inventory **inventory) {
        *inventory = inventory_free(*inventory);
}

static inline void job_freep(Job **job) {
        *job = job_free(*job);
}
