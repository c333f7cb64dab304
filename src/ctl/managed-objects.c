/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the manager's properties and org.freedesktop.DBus.ObjectManager.GetManagedObjects. */

#include "ctl/managed-objects.h"

#include "ctl/bus-value.h"
#include "lfa/bus-names.h"

#include <string.h>

/* The shortest piece of a GUID that stands for it in tables. */
#define SHORT_GUID_LENGTH 8

static Image *image_new(const char *path, json_object *properties) {
        Image *image = g_new0(Image, 1);

        image->path = g_strdup(path);
        image->properties = json_object_get(properties);
        image->guid = bus_value_string(properties, "Guid");
        image->alias = bus_value_string(properties, "Alias");
        image->name = bus_value_string(properties, "Name");
        image->state = bus_value_string(properties, "State");
        image->current_version = bus_value_string(properties, "CurrentVersion");
        image->pending_version = bus_value_string(properties, "PendingVersion");
        image->last_result = bus_value_string(properties, "LastResult");
        image->last_error = bus_value_string(properties, "LastError");
        image->last_firmware_code = bus_value_string(properties, "LastFirmwareCode");
        image->in_doubt = strcmp(image->last_result, "unknown") == 0;
        image->capable = bus_value_bool(properties, "Capable");
        image->pending = bus_value_bool(properties, "Pending");
        image->may_reset_cpu = bus_value_bool(properties, "MayResetCpu");
        return image;
}

static void image_free(void *data) {
        Image *image = data;

        json_object_put(image->properties);
        g_free(image->label);
        g_free(image->path);
        g_free(image);
}

Job *job_new(const char *path, json_object *properties) {
        Job *job = g_new0(Job, 1);

        job->path = g_strdup(path);
        job->properties = properties;
        job->id = (uint32_t) bus_value_uint(properties, "Id");
        job->guid = bus_value_string(properties, "Guid");
        job->state = bus_value_string(properties, "State");
        job->result = bus_value_string(properties, "Result");
        job->error = bus_value_string(properties, "Error");
        job->message = bus_value_string(properties, "Message");
        job->firmware_code = bus_value_string(properties, "FirmwareCode");
        job->from_version = bus_value_string(properties, "FromVersion");
        job->to_version = bus_value_string(properties, "ToVersion");
        job->queued = bus_value_uint(properties, "QueuedTimestamp");
        job->started = bus_value_uint(properties, "StartedTimestamp");
        job->finished = bus_value_uint(properties, "FinishedTimestamp");
        return job;
}

Job *job_free(Job *job) {
        if (!job)
                return NULL;
        json_object_put(job->properties);
        g_free(job->path);
        g_free(job);
        return NULL;
}

static void job_free_element(void *data) {
        job_free(data);
}

Inventory *inventory_free(Inventory *inventory) {
        if (!inventory)
                return NULL;
        json_object_put(inventory->manager);
        g_ptr_array_unref(inventory->images);
        g_ptr_array_unref(inventory->jobs);
        g_free(inventory);
        return NULL;
}

/* objects: path -> interface -> property -> value */
static void take_objects(Inventory *inventory, json_object *objects) {
        json_object_object_foreach(objects, path, interfaces) {
                json_object *image = json_object_object_get(interfaces, LFA_IMAGE_INTERFACE);
                json_object *job = json_object_object_get(interfaces, LFA_JOB_INTERFACE);

                if (image)
                        g_ptr_array_add(inventory->images, image_new(path, image));
                if (job)
                        g_ptr_array_add(inventory->jobs, job_new(path, json_object_get(job)));
        }
}

/* How many characters of image's GUID no other image's GUID begins with. */
static size_t telling_length(const GPtrArray *images, const Image *image) {
        size_t length = SHORT_GUID_LENGTH;

        for (guint i = 0; i < images->len; i++) {
                const Image *other = images->pdata[i];

                while (other != image && image->guid[length - 1] && length < strlen(image->guid) &&
                       strncmp(image->guid, other->guid, length) == 0)
                        length++;
        }
        return length;
}

static void label_images(GPtrArray *images) {
        for (guint i = 0; i < images->len; i++) {
                Image *image = images->pdata[i];

                if (*image->alias)
                        image->label = g_strdup(image->alias);
                else if (strlen(image->guid) <= SHORT_GUID_LENGTH)
                        image->label = g_strdup(image->guid);
                else
                        image->label = g_strndup(image->guid, telling_length(images, image));
        }
}

static int compare_images(const void *a, const void *b) {
        const Image *const *x = a, *const *y = b;

        return strcmp((*x)->label, (*y)->label);
}

static int compare_jobs(const void *a, const void *b) {
        const Job *const *x = a, *const *y = b;

        return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

static int get_objects(Client *client, sd_bus_error *error, json_object **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        int r;

        r = client_new_call(client, LFA_MANAGER_PATH, "org.freedesktop.DBus.ObjectManager",
                            "GetManagedObjects", &call);
        if (r < 0)
                return r;
        r = client_call(client, call, CLIENT_PROMPT_USEC, error, &reply);
        if (r < 0)
                return r;
        if (!sd_bus_message_has_signature(reply, "a{oa{sa{sv}}}"))
                return -EBADMSG;
        r = bus_value_read(reply, ret);
        return r < 0 ? r : 0;
}

static void take_manager(Inventory *inventory, json_object *manager) {
        inventory->manager = manager;
        inventory->driver_state = bus_value_string(manager, "DriverState");
        inventory->driver_profile = bus_value_string(manager, "DriverProfile");
        inventory->version = bus_value_string(manager, "Version");
        inventory->uevent_monitor = bus_value_string(manager, "UeventMonitor");
        inventory->config_error = bus_value_string(manager, "ConfigError");
}

static Inventory *inventory_new(json_object *manager, json_object *objects) {
        Inventory *inventory = g_new0(Inventory, 1);

        inventory->images = g_ptr_array_new_with_free_func(image_free);
        inventory->jobs = g_ptr_array_new_with_free_func(job_free_element);
        take_manager(inventory, json_object_get(manager));
        take_objects(inventory, objects);
        label_images(inventory->images);
        g_ptr_array_sort(inventory->images, compare_images);
        g_ptr_array_sort(inventory->jobs, compare_jobs);
        return inventory;
}

int inventory_query(Client *client, sd_bus_error *error, Inventory **ret) {
        _cleanup_(json_object_unrefp) json_object *manager = NULL, *objects = NULL;
        int r;

        r = client_get_properties(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, error, &manager);
        if (r < 0)
                return r;
        r = get_objects(client, error, &objects);
        if (r < 0)
                return r;
        *ret = inventory_new(manager, objects);
        return 0;
}

ExitCode inventory_load(Client *client, Inventory **ret) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = inventory_query(client, &error, ret);

        return r < 0 ? client_fail_call(client, &error, r, "Cannot ask lfad") : EXIT_DONE;
}

Image *inventory_find_guid(const Inventory *inventory, const char *guid) {
        for (guint i = 0; i < inventory->images->len; i++) {
                Image *image = inventory->images->pdata[i];

                if (strcmp(image->guid, guid) == 0)
                        return image;
        }
        return NULL;
}

Job *inventory_find_job(const Inventory *inventory, uint32_t id) {
        for (guint i = 0; i < inventory->jobs->len; i++) {
                Job *job = inventory->jobs->pdata[i];

                if (job->id == id)
                        return job;
        }
        return NULL;
}

Job *inventory_find_active_job(const Inventory *inventory, const char *guid) {
        for (guint i = 0; i < inventory->jobs->len; i++) {
                Job *job = inventory->jobs->pdata[i];

                if (strcmp(job->guid, guid) == 0 && strcmp(job->state, "done") != 0)
                        return job;
        }
        return NULL;
}

const char *inventory_label(const Inventory *inventory, const char *guid) {
        const Image *image = inventory_find_guid(inventory, guid);

        return image ? image->label : guid;
}
