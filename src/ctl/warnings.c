/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lfad warns of, with every verb that asks it. */

#include "ctl/warnings.h"

#include "ctl/bus-value.h"
#include "ctl/json-output.h"
#include "ctl/output.h"
#include "lfa/bus-names.h"

static const char *text_at(json_object *pair, size_t i) {
        json_object *text = json_object_is_type(pair, json_type_array) ? json_object_array_get_idx(pair, i)
                                                                       : NULL;

        return json_object_is_type(text, json_type_string) ? json_object_get_string(text) : "";
}

static void show_one(Client *client, const char *code, const char *text) {
        json_object *object;

        if (!client_json(client)) {
                output_note("Warning: %s", text);
                return;
        }
        object = json_object_new_object();
        json_object_object_add(object, "code", json_object_new_string(code));
        json_object_object_add(object, "text", json_object_new_string(text));
        json_document_append(client->document, "warnings", object);
}

void warnings_show(Client *client) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(json_object_unrefp) json_object *list = NULL;

        if (sd_bus_get_property(client->bus, LFA_BUS_NAME, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE,
                                "Warnings", &error, &reply, "a(ss)") < 0 ||
            bus_value_read(reply, &list) <= 0)
                return;
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                json_object *pair = json_object_array_get_idx(list, i);

                show_one(client, text_at(pair, 0), text_at(pair, 1));
        }
}
