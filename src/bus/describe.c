/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Describe: everything at once as one JSON document, for tools that would rather not speak D-Bus types. */

#include "bus/holds.h"
#include "bus/options.h"
#include "bus/service.h"
#include "bus/statistics.h"
#include "config.h"
#include "core/enum-names.h"

#define DESCRIBE_SCHEMA 1

static void add_flag(json_object *object, const char *key, int8_t flag) {
        /* unknown stays absent */
        if (flag >= 0)
                json_object_object_add(object, key, json_object_new_boolean(flag));
}

static json_object *describe_image(const Image *image) {
        const ImageValues *values = &image->values;
        json_object *object = json_object_new_object();
        char efi_guid[GUID_STRING_SIZE];

        guid_swap_form(values->guid, efi_guid);
        json_add_string(object, "guid", values->guid);
        json_add_string(object, "efi-guid", efi_guid);
        json_add_string(object, "name", image_display_name(image));
        json_add_string(object, "alias", image_alias(image));
        json_add_string(object, "state", image_state_to_string(image->state));
        json_add_string(object, "current-version", values->current_version);
        json_add_string(object, "pending-version", values->pending_version);
        add_flag(object, "capable", values->capable);
        add_flag(object, "pending", values->pending);
        add_flag(object, "may-reset-cpu", values->may_reset_cpu);
        add_flag(object, "cpu-rendezvous", values->cpu_rendezvous);
        add_flag(object, "force-cpu-rendezvous", values->force_cpu_rendezvous);
        add_flag(object, "kernel-auto-activate", values->auto_activate);
        json_add_string(object, "last-result", job_result_to_string(image->last_result));
        json_add_string(object, "last-error", error_bus_name(image->last_error));
        json_add_string(object, "last-firmware-code", firmware_code_to_string(image->last_firmware_code));
        if (image->last_activated_usec > 0)
                json_add_u64(object, "last-activated-timestamp", image->last_activated_usec);
        return object;
}

static json_object *describe_warnings(const Manager *manager) {
        json_object *list = json_object_new_array();

        for (unsigned i = 0; i < manager->warnings->len; i++) {
                const Warning *warning = manager->warnings->pdata[i];
                json_object *object = json_object_new_object();

                json_add_string(object, "code", warning_code_to_string(warning->code));
                json_add_string(object, "text", warning->text);
                json_object_array_add(list, object);
        }
        return list;
}

static json_object *describe_inhibitor(const Inhibitor *inhibitor) {
        json_object *object = json_object_new_object(), *images = json_object_new_array();

        for (char **guid = inhibitor->guids; guid && *guid; guid++)
                json_object_array_add(images, json_object_new_string(*guid));
        json_add_u64(object, "id", inhibitor->id);
        json_add_string(object, "who", inhibitor->who);
        json_add_string(object, "why", inhibitor->why);
        json_add_string(object, "mode", inhibit_mode_to_string(inhibitor->mode));
        json_object_object_add(object, "images", images);
        json_add_u64(object, "uid", inhibitor->uid);
        json_add_u64(object, "pid", inhibitor->pid);
        json_add_u64(object, "since", inhibitor->since_usec);
        return object;
}

static json_object *describe_inhibitors(const Inhibitors *inhibitors) {
        json_object *list = json_object_new_array();

        for (unsigned i = 0; i < inhibitors_count(inhibitors); i++)
                json_object_array_add(list, describe_inhibitor(inhibitors_get(inhibitors, i)));
        return list;
}

static json_object *describe_job(const Job *job) {
        json_object *object = json_object_new_object();

        json_add_u64(object, "id", job->id);
        json_add_string(object, "guid", job->guid);
        json_add_string(object, "state", job_state_to_string(job->state));
        json_add_string(object, "result", job_result_to_string(job->result));
        json_add_string(object, "error", error_bus_name(job->error));
        json_add_string(object, "message", job->message);
        json_add_string(object, "firmware-code", firmware_code_to_string(job->firmware_code));
        json_add_string(object, "from-version", job->from);
        json_add_string(object, "to-version", job->to);
        json_add_string(object, "reason", job->reason);
        json_add_string(object, "request-id", job->request_id);
        json_add_u64(object, "uid", job->requester.uid);
        gate_mask_to_record(job->overridden, "overridden", object);
        json_add_u64(object, "queued-timestamp", job->queued_usec);
        if (job->deadline_usec > 0)
                json_add_u64(object, "deadline-timestamp", job->deadline_usec);
        if (job->started_usec > 0)
                json_add_u64(object, "started-timestamp", job->started_usec);
        if (job->finished_usec > 0)
                json_add_u64(object, "finished-timestamp", job->finished_usec);
        return object;
}

static int compare_by_guid(const void *a, const void *b) {
        return strcmp((*(const Image *const *) a)->values.guid, (*(const Image *const *) b)->values.guid);
}

static int compare_by_id(const void *a, const void *b) {
        uint32_t left = (*(const Job *const *) a)->id, right = (*(const Job *const *) b)->id;

        return (left > right) - (left < right);
}

static GPtrArray *sorted_values(GHashTable *table, GCompareFunc compare) {
        GPtrArray *values = g_ptr_array_new();
        GHashTableIter iterator;
        void *value;

        g_hash_table_iter_init(&iterator, table);
        while (g_hash_table_iter_next(&iterator, NULL, &value))
                g_ptr_array_add(values, value);
        g_ptr_array_sort(values, compare);
        return values;
}

static json_object *describe_all(const Manager *manager) {
        g_autoptr(GPtrArray) images = sorted_values(manager->images, compare_by_guid);
        g_autoptr(GPtrArray) jobs = sorted_values(manager->jobs, compare_by_id);
        json_object *object = json_object_new_object(), *list = json_object_new_array();
        const Hold *hold = manager_find_hold(manager, "");

        json_add_u64(object, "schema", DESCRIBE_SCHEMA);
        json_add_string(object, "version", LFAD_VERSION);
        json_add_string(object, "driver-state", driver_state_to_string(manager->driver_state));
        json_add_string(object, "driver-profile", driver_profile_to_string(manager->profile));
        json_add_string(object, "uevent-monitor",
                        uevent_monitor_state_to_string(uevent_monitor_state(manager->uevents)));
        json_object_object_add(object, "warnings", describe_warnings(manager));
        json_object_object_add(object, "inhibitors", describe_inhibitors(manager->inhibitors));
        json_object_object_add(object, "held", json_object_new_boolean(hold != NULL));
        if (hold)
                json_add_string(object, "hold-reason", hold->reason);
        json_object_object_add(object, "holds", holds_to_json(manager));
        json_object_object_add(object, "window-open",
                               json_object_new_boolean(manager->schedule.window_open));
        if (manager->schedule.next_start_usec > 0)
                json_add_u64(object, "next-window-start-timestamp", manager->schedule.next_start_usec);
        if (manager->schedule.next_end_usec > 0)
                json_add_u64(object, "next-window-end-timestamp", manager->schedule.next_end_usec);
        json_add_string(object, "time-zone", config_zone_name(manager->config));
        if (manager->next_planned_usec > 0)
                json_add_u64(object, "next-planned-timestamp", manager->next_planned_usec);
        if (manager->current)
                json_add_u64(object, "current-job", manager->current->id);
        json_object_object_add(object, "statistics", statistics_describe(manager));
        for (unsigned i = 0; i < images->len; i++)
                if (((const Image *) images->pdata[i])->present)
                        json_object_array_add(list, describe_image(images->pdata[i]));
        json_object_object_add(object, "images", list);
        list = json_object_new_array();
        for (unsigned i = 0; i < jobs->len; i++)
                json_object_array_add(list, describe_job(jobs->pdata[i]));
        json_object_object_add(object, "jobs", list);
        return object;
}

int service_call_describe(Service *service, sd_bus_message *message, sd_bus_error *error) {
        _cleanup_json_ json_object *object = NULL;
        int r = options_read(message, NULL, 0, NULL, error);

        if (r < 0)
                return r;
        object = describe_all(service->manager);
        return sd_bus_reply_method_return(message, "s",
                                          json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
}
