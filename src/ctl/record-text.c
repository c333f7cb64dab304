/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the numbers of a record mean. */

#include "ctl/record-text.h"

#include "ctl/output.h"
#include "ctl/policy-time.h"

#include <pwd.h>
#include <string.h>

char *record_user_name(const Client *client, json_object *uid) {
        const struct passwd *entry;

        if (client_is_remote(client) || !json_object_is_type(uid, json_type_int))
                return NULL;
        entry = getpwuid((uid_t) json_object_get_int64(uid));
        return entry ? g_strdup(entry->pw_name) : NULL;
}

/* Returns NULL when there is nothing to add. The caller frees it. */
static char *explain(Client *client, const Inventory *inventory, const char *key, json_object *value) {
        bool is_number = json_object_is_type(value, json_type_int);
        const char *label;

        if (g_str_has_suffix(key, "uid") && is_number)
                return record_user_name(client, value);
        if (g_str_has_suffix(key, "-usec") && is_number)
                return output_span(json_object_get_uint64(value));
        if ((strcmp(key, "until") == 0 || strcmp(key, "deadline") == 0) && is_number)
                return policy_time_and_age(policy_zone(client), json_object_get_uint64(value));
        if ((strcmp(key, "errno") == 0 || strcmp(key, "cancel-answer") == 0) &&
            json_object_get_int(value) > 0)
                return g_strdup(g_strerror(json_object_get_int(value)));
        if (strcmp(key, "guid") != 0)
                return NULL;
        label = inventory_label(inventory, json_object_get_string(value));
        return strcmp(label, json_object_get_string(value)) == 0 ? NULL : g_strdup(label);
}

/* "hold, inhibitor" */
static char *join(json_object *names) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (size_t i = 0; i < json_object_array_length(names); i++)
                g_string_append_printf(text, "%s%s", i > 0 ? ", " : "",
                                       json_object_get_string(json_object_array_get_idx(names, i)));
        return g_string_free(g_steal_pointer(&text), FALSE);
}

char *record_value_text(Client *client, const Inventory *inventory, json_object *record, const char *key) {
        json_object *value = json_object_object_get(record, key);
        const char *text = json_object_get_string(value);
        g_autofree char *meaning = NULL;

        if (json_object_is_type(value, json_type_array))
                return join(value);
        /* firmware's own code says what the driver's choice of an error number only blurs */
        if (strcmp(key, "errno") != 0 || !json_object_object_get(record, "firmware-code"))
                meaning = explain(client, inventory, key, value);
        return meaning ? g_strdup_printf("%s (%s)", text, meaning) : g_strdup(text);
}
