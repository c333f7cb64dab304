/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* lfad's history as the bus gives it: an array of objects with the keys of the records. Any key may be
 * missing, and there may be keys and types that are not known here. */

#include "ctl/managed-objects.h"

/* Which records; 0 and NULL mean any. */
typedef struct HistoryFilter {
        const char *image; /* as a person types it */
        const char *type;
        uint32_t job;
        uint64_t since, until; /* usec of CLOCK_REALTIME */
} HistoryFilter;

/* True when what was loaded until now, newest page first, is enough. */
typedef bool (*HistoryEnough)(json_object *records, void *userdata);

/* The records that fit, oldest first, page by page back from the newest until enough (NULL: one page, that
 * is 256 of them) says so. Returns 0 or a negative errno with error filled; the caller owns *ret. */
int history_load(Client *client, const HistoryFilter *filter, HistoryEnough enough, void *userdata,
                 sd_bus_error *error, json_object **ret);

/* All records of one job merged into one object: a later record's keys win, "type" and "timestamp" are those
 * of its "finished" record, those of a "settled" record get "settled-" before them. NULL when the job has
 * not finished there; else the caller owns it. */
json_object *history_job_record(json_object *records, uint64_t id);

/* The same as a Job, with the names that the bus gives its properties, or NULL. path belongs to the caller.
 */
Job *history_find_job(json_object *records, const char *path, uint32_t id);
