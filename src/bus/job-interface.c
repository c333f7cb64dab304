/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.arm.LFA1.Job at /org/arm/LFA1/job/<id>. */

#include "bus/service.h"
#include "core/enum-names.h"
#include "lfa/bus-names.h"

char *job_path(uint32_t id) {
        return g_strdup_printf("%s/%u", LFA_JOB_PATH, id);
}

static int find_job(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                    sd_bus_error *error) {
        const Service *service = userdata;
        uint64_t id;
        Job *job;

        if (!g_str_has_prefix(path, LFA_JOB_PATH "/") ||
            !g_ascii_string_to_unsigned(path + strlen(LFA_JOB_PATH "/"), 10, 1, UINT32_MAX, &id, NULL))
                return 0;
        job = manager_find_job(service->manager, (uint32_t) id);
        if (!job)
                return 0;
        *ret_found = job;
        return 1;
}

static int list_jobs(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                     sd_bus_error *error) {
        const Service *service = userdata;
        GHashTableIter iterator;
        char **nodes = calloc(g_hash_table_size(service->manager->jobs) + 1, sizeof(*nodes));
        size_t n = 0;
        void *value;

        if (!nodes)
                return -ENOMEM;
        g_hash_table_iter_init(&iterator, service->manager->jobs);
        while (g_hash_table_iter_next(&iterator, NULL, &value))
                nodes[n++] = job_path(((const Job *) value)->id);
        *ret_nodes = nodes;
        return 0;
}

static int method_cancel(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Job *job = userdata;

        return service_call_cancel_job(job->manager->userdata, message, job, error);
}

static int get_image(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Job *job = userdata;
        g_autofree char *image = image_path(job->guid);

        return sd_bus_message_append(reply, "o", image);
}

static const char *find_string(const Job *job, const char *property) {
        if (strcmp(property, "Guid") == 0)
                return job->guid;
        if (strcmp(property, "State") == 0)
                return job_state_to_string(job->state);
        if (strcmp(property, "Result") == 0)
                return job_result_to_string(job->result);
        if (strcmp(property, "Error") == 0)
                return error_bus_name(job->error);
        if (strcmp(property, "Message") == 0)
                return job->message;
        if (strcmp(property, "FromVersion") == 0)
                return job->from;
        if (strcmp(property, "ToVersion") == 0)
                return job->to;
        if (strcmp(property, "Reason") == 0)
                return job->reason;
        if (strcmp(property, "RequestId") == 0)
                return job->request_id;
        return firmware_code_to_string(job->firmware_code); /* FirmwareCode */
}

static int get_string(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", find_string(userdata, property));
}

static int get_retryable(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Job *job = userdata;

        return sd_bus_message_append(reply, "b", job_is_retryable(job));
}

static int get_requester(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Requester *requester = &((const Job *) userdata)->requester;
        int r = sd_bus_message_open_container(reply, 'a', "{sv}");

        if (r >= 0)
                r = sd_bus_message_append(reply, "{sv}{sv}", "uid", "u", requester->uid, "pid", "u",
                                          requester->pid);
        if (r >= 0 && *requester->unit)
                r = sd_bus_message_append(reply, "{sv}", "unit", "s", requester->unit);
        if (r >= 0 && requester->logged_in)
                r = sd_bus_message_append(reply, "{sv}", "login-uid", "u", requester->login_uid);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_overridden(sd_bus *bus, const char *path, const char *interface, const char *property,
                          sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Job *job = userdata;
        int r = sd_bus_message_open_container(reply, 'a', "s");

        for (int i = 0; r >= 0 && i < _GATE_MAX; i++)
                if (job->overridden >> i & 1)
                        r = sd_bus_message_append(reply, "s", gate_to_string((GateId) i));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_cancel,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Id", "u", NULL, offsetof(Job, id), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Image", "o", get_image, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Guid", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Result", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Error", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Message", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("FirmwareCode", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Retryable", "b", get_retryable, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("FromVersion", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("ToVersion", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("RequestId", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Requester", "a{sv}", get_requester, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Reason", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Overridden", "as", get_overridden, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("DeadlineTimestamp", "t", NULL, offsetof(Job, deadline_usec),
                        SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("QueuedTimestamp", "t", NULL, offsetof(Job, queued_usec),
                        SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("StartedTimestamp", "t", NULL, offsetof(Job, started_usec),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("FinishedTimestamp", "t", NULL, offsetof(Job, finished_usec),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("WriteUSec", "t", NULL, offsetof(Job, write_usec),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("BlackoutUSec", "t", NULL, offsetof(Job, blackout.usec),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("BlackoutCount", "u", NULL, offsetof(Job, blackout.count),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("BlackoutSumUSec", "t", NULL, offsetof(Job, blackout.sum_usec),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END,
};

int job_interface_add(Service *service) {
        sd_bus_slot *slot;
        int r;

        r = sd_bus_add_fallback_vtable(service->bus, &slot, LFA_JOB_PATH, LFA_JOB_INTERFACE, vtable,
                                       find_job, service);
        if (r < 0)
                return r;
        g_ptr_array_add(service->slots, slot);
        r = sd_bus_add_node_enumerator(service->bus, &slot, LFA_JOB_PATH, list_jobs, service);
        if (r >= 0)
                g_ptr_array_add(service->slots, slot);
        return r;
}
