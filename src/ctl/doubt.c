/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking for a later reading that told what a job had come to. */

#include "ctl/doubt.h"

#include "ctl/bus-value.h"
#include "ctl/history.h"

#include <string.h>

/* Of the newest record about an activation: whether it settles one. */
static bool ends_settled(json_object *records) {
        for (size_t i = json_object_array_length(records); i-- > 0;) {
                const char *type = bus_value_string(json_object_array_get_idx(records, i), "type");

                if (strcmp(type, "settled") == 0)
                        return true;
                if (strcmp(type, "finished") == 0)
                        return false;
        }
        return false;
}

static bool is_settled(Client *client, const Image *image) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_unrefp) json_object *records = NULL;
        HistoryFilter filter = { .image = image->guid };

        return history_load(client, &filter, NULL, NULL, &error, &records) >= 0 && ends_settled(records);
}

void doubt_settle(Client *client, Inventory *inventory) {
        for (guint i = 0; i < inventory->images->len; i++) {
                Image *image = inventory->images->pdata[i];

                if (image->in_doubt)
                        image->in_doubt = !is_settled(client, image);
        }
}
