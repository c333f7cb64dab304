/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GetHistory: the newest records as dictionaries. */

#include "bus/bus-errors.h"
#include "bus/options.h"
#include "bus/service.h"

#include <json-c/linkhash.h>

#define RECORDS_MAX 256

/* Numbers are t but for those that are u everywhere else in the API. */
static bool is_u32(const char *key) {
        return strcmp(key, "job") == 0 || strcmp(key, "uid") == 0 || strcmp(key, "pid") == 0;
}

static int append_value(sd_bus_message *reply, const char *key, json_object *value) {
        uint64_t number;

        switch (json_object_get_type(value)) {
        case json_type_string:
                return sd_bus_message_append(reply, "{sv}", key, "s", json_object_get_string(value));
        case json_type_boolean:
                return sd_bus_message_append(reply, "{sv}", key, "b", json_object_get_boolean(value));
        case json_type_int:
                number = json_object_get_uint64(value);
                if (is_u32(key))
                        return sd_bus_message_append(reply, "{sv}", key, "u", (uint32_t) number);
                return sd_bus_message_append(reply, "{sv}", key, "t", number);
        default:
                return 0; /* no record of ours has any other type */
        }
}

static int append_record(sd_bus_message *reply, json_object *record) {
        int r = sd_bus_message_open_container(reply, 'a', "{sv}");

        if (r < 0)
                return r;
        json_object_object_foreach(record, key, value) {
                r = append_value(reply, key, value);
                if (r < 0)
                        return r;
        }
        return sd_bus_message_close_container(reply);
}

int service_call_get_history(Service *service, sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp)
        sd_bus_message *reply = NULL;
        g_autoptr(GPtrArray) records = NULL;
        int r;

        r = options_read(message, NULL, 0, NULL, error);
        if (r < 0)
                return r;
        if (!service->manager->history)
                return bus_error_set(error, LFA_ERROR_STATE_UNAVAILABLE, NULL);
        records = history_read_tail(service->manager->history, RECORDS_MAX);
        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        for (unsigned i = 0; r >= 0 && i < records->len; i++)
                r = append_record(reply, records->pdata[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(service->bus, reply, NULL);
}
