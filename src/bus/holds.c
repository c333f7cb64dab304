/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds on the bus, in Describe and before polkit. */

#include "bus/holds.h"
#include "bus/bus-errors.h"
#include "core/hold-text.h"

static int append_hold(sd_bus_message *reply, const Hold *hold) {
        int r = sd_bus_message_open_container(reply, 'a', "{sv}");

        if (r >= 0)
                r = sd_bus_message_append(reply, "{sv}{sv}{sv}{sv}{sv}", "guid", "s", hold->guid, "reason",
                                          "s", hold->reason, "by-lfad", "b", hold->by_lfad, "since", "t",
                                          hold->since_usec, "until", "t", hold->until_usec);
        if (r >= 0)
                r = hold->by_lfad ? sd_bus_message_append(reply, "{sv}{sv}", "image", "s", hold->image,
                                                          "job", "u", hold->job)
                                  : sd_bus_message_append(reply, "{sv}", "uid", "u", hold->uid);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int holds_append(sd_bus_message *reply, const Manager *manager) {
        g_autoptr(GPtrArray) holds = manager_list_holds(manager);
        int r = sd_bus_message_open_container(reply, 'a', "a{sv}");

        for (unsigned i = 0; r >= 0 && i < holds->len; i++)
                r = append_hold(reply, holds->pdata[i]);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static json_object *hold_to_json(const Hold *hold) {
        json_object *object = json_object_new_object();

        json_add_string(object, "guid", hold->guid);
        json_add_string(object, "reason", hold->reason);
        json_object_object_add(object, "by-lfad", json_object_new_boolean(hold->by_lfad));
        json_add_string(object, "image", hold->image);
        if (hold->by_lfad)
                json_add_u64(object, "job", hold->job);
        else
                json_add_u64(object, "uid", hold->uid);
        json_add_u64(object, "since", hold->since_usec);
        if (hold->until_usec > 0)
                json_add_u64(object, "until", hold->until_usec);
        return object;
}

json_object *holds_to_json(const Manager *manager) {
        g_autoptr(GPtrArray) holds = manager_list_holds(manager);
        json_object *list = json_object_new_array();

        for (unsigned i = 0; i < holds->len; i++)
                json_object_array_add(list, hold_to_json(holds->pdata[i]));
        return list;
}

int holds_check_images(const Request *request, sd_bus_error *error) {
        return request->images && request->images->len == 0
                               ? bus_error_invalid(error, "'images' is empty; leave it out for all images.")
                               : 0;
}

bool holds_guid_is_held(const Manager *manager, const char *guid) {
        return manager_find_hold_of(manager, guid) != NULL;
}

static bool is_in_scope(const Hold *hold, char *const *guids) {
        return guids ? g_strv_contains((const char *const *) guids, hold->guid) : !*hold->guid;
}

char *holds_describe(const Manager *manager, char *const *guids, bool own) {
        g_autoptr(GPtrArray) holds = manager_list_holds(manager);
        g_autoptr(GString) text = g_string_new(NULL);

        for (unsigned i = 0; i < holds->len; i++) {
                const Hold *hold = holds->pdata[i];
                g_autofree char *one = NULL;

                if (!is_in_scope(hold, guids) || (hold->by_lfad && !own))
                        continue;
                one = hold_to_text(hold);
                g_string_append_printf(text, "%s%s", text->len > 0 ? "; " : "", one);
        }
        return g_string_free(g_steal_pointer(&text), FALSE);
}
