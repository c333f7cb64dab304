/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counting records, and the counts as JSON. */

#include "core/statistics.h"
#include "core/enum-names.h"
#include "core/state-internal.h"

void statistics_init(Statistics *statistics) {
        *statistics = (Statistics){ .last_blackout_usec = STATISTICS_NO_BLACKOUT };
}

static bool count_finished(Statistics *statistics, json_object *record) {
        const char *name = "";
        JobResult result;

        (void) json_get_string(record, "result", &name);
        result = job_result_from_string(name);
        if (result <= RESULT_NONE)
                return false;
        statistics->results[result]++;
        if (result == RESULT_SUCCEEDED)
                (void) json_get_u64(record, "timestamp", &statistics->last_success_usec);
        (void) json_get_u64(record, "blackout-usec", &statistics->last_blackout_usec);
        return true;
}

bool statistics_count(Statistics *statistics, json_object *record) {
        const char *type = "";

        (void) json_get_string(record, "type", &type);
        if (strcmp(type, "finished") == 0)
                return count_finished(statistics, record);
        if (strcmp(type, "external") != 0)
                return false;
        statistics->external++;
        return true;
}

json_object *statistics_to_json(const Statistics *statistics) {
        json_object *object = json_object_new_object(), *results = json_object_new_object();

        for (JobResult result = RESULT_NONE + 1; result < _JOB_RESULT_MAX; result++)
                json_add_u64(results, job_result_to_string(result), statistics->results[result]);
        json_object_object_add(object, "results", results);
        json_add_u64(object, "external", statistics->external);
        if (statistics->last_success_usec > 0)
                json_add_u64(object, "last-success", statistics->last_success_usec);
        if (statistics->last_blackout_usec != STATISTICS_NO_BLACKOUT)
                json_add_u64(object, "last-blackout-usec", statistics->last_blackout_usec);
        return object;
}

/* A key that may be missing; then ret stays as it is. */
static int read_optional(json_object *object, const char *key, uint64_t *ret) {
        return json_object_object_get_ex(object, key, NULL) ? state_read_number(object, key, UINT64_MAX, ret)
                                                            : 0;
}

int statistics_from_json(json_object *object, Statistics *ret) {
        json_object *results;
        Statistics statistics;

        statistics_init(&statistics);
        if (!json_object_is_type(object, json_type_object) ||
            !json_object_object_get_ex(object, "results", &results) ||
            !json_object_is_type(results, json_type_object))
                return -EBADMSG;
        for (JobResult result = RESULT_NONE + 1; result < _JOB_RESULT_MAX; result++)
                if (read_optional(results, job_result_to_string(result), &statistics.results[result]) < 0)
                        return -EBADMSG;
        if (state_read_number(object, "external", UINT64_MAX, &statistics.external) < 0 ||
            read_optional(object, "last-success", &statistics.last_success_usec) < 0 ||
            read_optional(object, "last-blackout-usec", &statistics.last_blackout_usec) < 0)
                return -EBADMSG;
        *ret = statistics;
        return 0;
}
