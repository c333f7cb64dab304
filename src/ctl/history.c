/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking for the history and putting a job's records together. */

#include "ctl/history.h"

#include "ctl/bus-value.h"
#include "ctl/call-options.h"
#include "lfa/bus-names.h"

#include <string.h>

/* As many as lfad gives at once. */
#define PAGE_RECORDS 256

static int append_options(sd_bus_message *call, const HistoryFilter *filter, uint64_t before) {
        int r = sd_bus_message_open_container(call, SD_BUS_TYPE_ARRAY, "{sv}");

        if (r >= 0)
                r = call_option_u64(call, "before", before);
        if (r >= 0)
                r = call_option_string(call, "image", filter->image);
        if (r >= 0)
                r = call_option_string(call, "type", filter->type);
        if (r >= 0)
                r = call_option_u32(call, "job", filter->job);
        if (r >= 0)
                r = call_option_u64(call, "since", filter->since);
        if (r >= 0)
                r = call_option_u64(call, "until", filter->until);
        return r < 0 ? r : sd_bus_message_close_container(call);
}

static int load_page(Client *client, const HistoryFilter *filter, uint64_t before, sd_bus_error *error,
                     json_object **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = client_new_call(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "GetHistory", &call);
        if (r >= 0)
                r = append_options(call, filter, before);
        return r < 0 ? r : client_call_list(client, call, error, ret);
}

/* An older page and what came after it as one array; takes both. */
static json_object *join(json_object *older, json_object *newer) {
        size_t count = newer ? json_object_array_length(newer) : 0;

        for (size_t i = 0; i < count; i++)
                json_object_array_add(older, json_object_get(json_object_array_get_idx(newer, i)));
        json_object_put(newer);
        return older;
}

int history_load(Client *client, const HistoryFilter *filter, HistoryEnough enough, void *userdata,
                 sd_bus_error *error, json_object **ret) {
        _cleanup_(json_object_unrefp) json_object *records = NULL;
        uint64_t before = 0;

        for (;;) {
                json_object *page = NULL;
                uint64_t first;
                size_t count;
                int r = load_page(client, filter, before, error, &page);

                if (r < 0)
                        return r;
                count = json_object_array_length(page);
                first = count > 0 ? bus_value_uint(json_object_array_get_idx(page, 0), "seq") : 0;
                records = join(page, records);
                /* a cursor that does not move would never come to an end */
                if (count < PAGE_RECORDS || first == 0 || (before > 0 && first >= before) || !enough ||
                    enough(records, userdata))
                        break;
                before = first;
        }
        *ret = g_steal_pointer(&records);
        return 0;
}

static bool is_about_job(json_object *record, uint64_t id) {
        static const char *const types[] = { "queued", "started", "finished", "settled", NULL };

        /* job ids are never reused, so no boot id is needed to tell them apart */
        return bus_value_uint(record, "job") == id &&
               g_strv_contains(types, bus_value_string(record, "type"));
}

/* A "settled" record is kept apart, so that what the first one said stays readable beside it. */
static void merge(json_object *into, json_object *record, const char *type) {
        bool settled = strcmp(type, "settled") == 0;

        json_object_object_foreach(record, key, value) {
                g_autofree char *name = g_strconcat(settled ? "settled-" : "", key, NULL);

                json_object_object_add(into, name, json_object_get(value));
        }
}

json_object *history_job_record(json_object *records, uint64_t id) {
        _cleanup_(json_object_unrefp) json_object *merged = json_object_new_object();
        bool finished = false;

        for (size_t i = 0; i < json_object_array_length(records); i++) {
                json_object *record = json_object_array_get_idx(records, i);
                const char *type = bus_value_string(record, "type");

                if (!is_about_job(record, id))
                        continue;
                merge(merged, record, type);
                if (strcmp(type, "finished") == 0)
                        finished = true;
        }
        return finished ? g_steal_pointer(&merged) : NULL;
}

static void copy(json_object *properties, const char *name, json_object *record, const char *key) {
        json_object *value = json_object_object_get(record, key);

        if (value)
                json_object_object_add(properties, name, json_object_get(value));
}

Job *history_find_job(json_object *records, const char *path, uint32_t id) {
        static const struct {
                const char *name, *key;
        } names[] = {
                { "Id", "job" },
                { "Guid", "guid" },
                { "FromVersion", "from" },
                { "ToVersion", "to" },
                { "Reason", "reason" },
                { "FinishedTimestamp", "timestamp" },
                { "WriteUSec", "write-usec" },
                { "BlackoutUSec", "blackout-usec" },
                { "BlackoutCount", "blackout-count" },
                { "BlackoutSumUSec", "blackout-sum-usec" },
                { "FirmwareCode", "firmware-code" },
        };
        _cleanup_(json_object_unrefp) json_object *record = history_job_record(records, id);
        json_object *properties;
        bool settled;

        if (!record)
                return NULL;
        properties = json_object_new_object();
        json_object_object_add(properties, "State", json_object_new_string("done"));
        settled = json_object_object_get(record, "settled-result") != NULL;
        copy(properties, "Result", record, settled ? "settled-result" : "result");
        copy(properties, "Error", record, settled ? "settled-error" : "error");
        copy(properties, "Message", record, settled ? "settled-message" : "message");
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
                copy(properties, names[i].name, record, names[i].key);
        return job_new(path, properties);
}
