/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Learning from the history. */

#include "ctl/usual-duration.h"

#include "ctl/bus-value.h"
#include "ctl/history.h"

#include <stdlib.h>
#include <string.h>

#define DURATIONS_MAX 5

static bool is_type(json_object *record, const char *type) {
        return strcmp(bus_value_string(record, "type"), type) == 0;
}

/* When the job began that ended with the record at this index; 0: that is not there. */
static uint64_t find_start(json_object *records, size_t index) {
        uint64_t job = bus_value_uint(json_object_array_get_idx(records, index), "job");

        while (index-- > 0) {
                json_object *record = json_object_array_get_idx(records, index);

                if (is_type(record, "started") && bus_value_uint(record, "job") == job)
                        return bus_value_uint(record, "timestamp");
        }
        return 0;
}

static int compare(const void *a, const void *b) {
        const uint64_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

uint64_t usual_duration(Client *client, const char *guid) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_unrefp) json_object *records = NULL;
        HistoryFilter filter = { .image = guid };
        uint64_t durations[DURATIONS_MAX];
        size_t n = 0;

        if (history_load(client, &filter, NULL, NULL, &error, &records) < 0)
                return 0;
        for (size_t i = json_object_array_length(records); i-- > 0 && n < DURATIONS_MAX;) {
                json_object *record = json_object_array_get_idx(records, i);
                uint64_t end = bus_value_uint(record, "timestamp"), start;

                if (!is_type(record, "finished") ||
                    strcmp(bus_value_string(record, "result"), "succeeded") != 0)
                        continue;
                start = find_start(records, i);
                if (start > 0 && start < end) /* the clock may have been set meanwhile */
                        durations[n++] = end - start;
        }
        qsort(durations, n, sizeof(durations[0]), compare);
        return n > 0 ? durations[n / 2] : 0;
}
