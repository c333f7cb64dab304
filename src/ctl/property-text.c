/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values of properties by what the ends of their names say: org.arm.LFA1(5). */

#include "ctl/property-text.h"

#include "ctl/output.h"
#include "ctl/policy-time.h"

static char *list_to_text(json_object *array) {
        GString *text = g_string_new(NULL);

        for (size_t i = 0; i < json_object_array_length(array); i++)
                g_string_append_printf(text, "%s%s", i > 0 ? ", " : "",
                                       json_object_get_string(json_object_array_get_idx(array, i)));
        return g_string_free(text, FALSE);
}

char *property_text(GTimeZone *zone, const char *name, json_object *value) {
        if (json_object_is_type(value, json_type_boolean))
                return g_strdup(json_object_get_boolean(value) ? "yes" : "no");
        if (json_object_is_type(value, json_type_array))
                return list_to_text(value);
        if (json_object_is_type(value, json_type_int) && g_str_has_suffix(name, "Timestamp"))
                return policy_time_and_age(zone, json_object_get_uint64(value));
        if (json_object_is_type(value, json_type_int) && g_str_has_suffix(name, "USec"))
                return output_span(json_object_get_uint64(value));
        return g_strdup(json_object_get_string(value)); /* numbers and whatever else as JSON has them */
}
