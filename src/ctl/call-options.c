/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Appending the options of a call. */

#include "ctl/call-options.h"

int call_option_string(sd_bus_message *call, const char *key, const char *value) {
        return value ? sd_bus_message_append(call, "{sv}", key, "s", value) : 0;
}

int call_option_u32(sd_bus_message *call, const char *key, uint32_t value) {
        return value > 0 ? sd_bus_message_append(call, "{sv}", key, "u", value) : 0;
}

int call_option_u64(sd_bus_message *call, const char *key, uint64_t value) {
        return value > 0 ? sd_bus_message_append(call, "{sv}", key, "t", value) : 0;
}

int call_option_bool(sd_bus_message *call, const char *key, bool value) {
        return value ? sd_bus_message_append(call, "{sv}", key, "b", true) : 0;
}

int call_option_strings(sd_bus_message *call, const char *key, char **values) {
        int r;

        if (!values || !*values)
                return 0;
        r = sd_bus_message_open_container(call, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(call, "s", key);
        if (r >= 0)
                r = sd_bus_message_open_container(call, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(call, values);
        if (r >= 0)
                r = sd_bus_message_close_container(call);
        return r < 0 ? r : sd_bus_message_close_container(call);
}
