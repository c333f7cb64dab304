/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GetHistory: the newest records as dictionaries. */

#include "bus/bus-errors.h"
#include "bus/options.h"
#include "bus/service.h"
#include "daemon/history-query.h"

#include <json-c/linkhash.h>

#define RECORDS_MAX 256

typedef struct HistoryOptions {
        HistoryQuery query;
        const char *image;
} HistoryOptions;

static const OptionSpec specs[] = {
        { "limit", OPTION_U32, offsetof(HistoryOptions, query.limit) },
        { "before", OPTION_U64, offsetof(HistoryOptions, query.before) },
        { "image", OPTION_STRING, offsetof(HistoryOptions, image) },
        { "job", OPTION_U32, offsetof(HistoryOptions, query.job) },
        { "type", OPTION_STRING, offsetof(HistoryOptions, query.type) },
        { "since", OPTION_U64, offsetof(HistoryOptions, query.since) },
        { "until", OPTION_U64, offsetof(HistoryOptions, query.until) },
};

/* An image that is gone by now is still found by its GUID. */
static int find_guid(const Manager *manager, const char *image, char ret[static GUID_STRING_SIZE],
                     sd_bus_error *error) {
        Image *found;
        int r = manager_lookup_image(manager, image, &found);

        if (r >= 0)
                memcpy(ret, found->values.guid, GUID_STRING_SIZE);
        else if (guid_parse(image, ret) < 0)
                return bus_error_set(error,
                                     r == -ENOTUNIQ ? LFA_ERROR_AMBIGUOUS_IMAGE : LFA_ERROR_NO_SUCH_IMAGE,
                                     NULL);
        return 0;
}

static int check_options(HistoryOptions *options, sd_bus_error *error) {
        if (options->query.limit == 0 || options->query.limit > RECORDS_MAX)
                return bus_error_invalid(error, "'limit' is from 1 to %d.", RECORDS_MAX);
        if (*options->query.type && (int) record_type_from_string(options->query.type) < 0)
                return bus_error_invalid(error, "There is no record type '%s'.", options->query.type);
        return 0;
}

/* Numbers are t but for those that are u everywhere else in the API. */
static bool is_u32(const char *key) {
        static const char *const keys[] = {
                "job", "uid", "pid", "login-uid", "cancel-uid", "cancel-pid", "cancel-login-uid"
        };

        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
                if (strcmp(key, keys[i]) == 0)
                        return true;
        return false;
}

static bool are_names(json_object *array) {
        for (size_t i = 0; i < json_object_array_length(array); i++)
                if (!json_object_is_type(json_object_array_get_idx(array, i), json_type_string))
                        return false;
        return json_object_array_length(array) > 0;
}

/* Names of gates. */
static int append_names(sd_bus_message *reply, const char *key, json_object *names) {
        int r = sd_bus_message_open_container(reply, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append(reply, "s", key);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "s");
        for (size_t i = 0; r >= 0 && i < json_object_array_length(names); i++)
                r = sd_bus_message_append(reply, "s",
                                          json_object_get_string(json_object_array_get_idx(names, i)));
        for (int depth = 0; r >= 0 && depth < 3; depth++)
                r = sd_bus_message_close_container(reply);
        return r;
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
        case json_type_array:
                return are_names(value) ? append_names(reply, key, value) : 0;
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
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        HistoryOptions options = { .query = { .guid = "", .type = "", .limit = RECORDS_MAX }, .image = "" };
        g_autoptr(GPtrArray) records = NULL;
        char guid[GUID_STRING_SIZE];
        int r;

        r = options_read(message, specs, G_N_ELEMENTS(specs), &options, error);
        if (r >= 0)
                r = check_options(&options, error);
        if (r >= 0 && *options.image) {
                r = find_guid(service->manager, options.image, guid, error);
                options.query.guid = guid;
        }
        if (r < 0)
                return r;
        if (!service->manager->history)
                return bus_error_set(error, LFA_ERROR_STATE_UNAVAILABLE, NULL);
        records = history_query(service->manager->history, &options.query);
        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        for (unsigned i = 0; r >= 0 && i < records->len; i++)
                r = append_record(reply, records->pdata[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(service->bus, reply, NULL);
}
