/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manager's statistics on the bus. */

#include "bus/statistics.h"
#include "core/enum-names.h"

static int append_results(sd_bus_message *reply, const Statistics *statistics) {
        int r = sd_bus_message_open_container(reply, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append(reply, "s", "results");
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', "a{st}");
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{st}");
        for (JobResult result = RESULT_NONE + 1; r >= 0 && result < _JOB_RESULT_MAX; result++)
                r = sd_bus_message_append(reply, "{st}", job_result_to_string(result),
                                          statistics->results[result]);
        for (int depth = 0; r >= 0 && depth < 3; depth++)
                r = sd_bus_message_close_container(reply);
        return r;
}

static int append_number(sd_bus_message *reply, const char *key, bool known, uint64_t number) {
        return known ? sd_bus_message_append(reply, "{sv}", key, "t", number) : 0;
}

int statistics_append(sd_bus_message *reply, const Manager *manager) {
        const Statistics *statistics = &manager->state->statistics;
        uint64_t last_usec = manager->state->last.ended_usec, success_usec = statistics->last_success_usec,
                 blackout_usec = statistics->last_blackout_usec;
        int r = sd_bus_message_open_container(reply, 'a', "{sv}");

        if (r >= 0)
                r = append_results(reply, statistics);
        if (r >= 0)
                r = append_number(reply, "external", true, statistics->external);
        if (r >= 0)
                r = append_number(reply, "last-activation", last_usec > 0, last_usec);
        if (r >= 0)
                r = append_number(reply, "last-success", success_usec > 0, success_usec);
        if (r >= 0)
                r = append_number(reply, "last-blackout-usec", blackout_usec != STATISTICS_NO_BLACKOUT,
                                  blackout_usec);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

json_object *statistics_describe(const Manager *manager) {
        json_object *object = statistics_to_json(&manager->state->statistics);

        if (manager->state->last.ended_usec > 0)
                json_add_u64(object, "last-activation", manager->state->last.ended_usec);
        return object;
}
