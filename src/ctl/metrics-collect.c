/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Samples of the manager, images, jobs, inhibitors and watchdogs. */

#include "ctl/metrics-collect.h"
#include "core/enum-names.h"
#include "ctl/bus-value.h"
#include "ctl/watchdog-list.h"

#include <string.h>

static void set(Metrics *metrics, MetricId id, int64_t value) {
        metrics_add(metrics, id, NULL, value);
}

/* A time or a span in µs. 0 = none, and what is beyond all times = never. */
static void set_usec(Metrics *metrics, MetricId id, const char *const *labels, uint64_t usec) {
        if (usec > 0 && usec <= INT64_MAX)
                metrics_add(metrics, id, labels, (int64_t) usec);
}

/* A number that may be missing. */
static void set_number(Metrics *metrics, MetricId id, json_object *object, const char *key) {
        if (json_object_object_get(object, key))
                set(metrics, id, (int64_t) MIN(bus_value_uint(object, key), INT64_MAX));
}

/* 0 for what is no array. */
static size_t length(json_object *list) {
        return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static void take_driver(Metrics *metrics, const Inventory *inventory) {
        for (DriverState state = DRIVER_UNKNOWN; state < _DRIVER_STATE_MAX; state++)
                metrics_add_by(metrics, METRIC_DRIVER_STATE, driver_state_to_string(state), 0);
        metrics_add_by(metrics, METRIC_DRIVER_STATE, inventory->driver_state, 1);
        metrics_add_by(metrics, METRIC_DRIVER, inventory->driver_profile, 1);
        set(metrics, METRIC_UEVENTS_HEARD, strcmp(inventory->uevent_monitor, "listening") == 0);
}

static void take_warnings(Metrics *metrics, json_object *warnings) {
        for (size_t i = 0; i < length(warnings); i++) {
                json_object *pair = json_object_array_get_idx(warnings, i);

                if (length(pair) > 0)
                        metrics_add_by(metrics, METRIC_WARNINGS,
                                       json_object_get_string(json_object_array_get_idx(pair, 0)), 1);
        }
}

static void take_holds(Metrics *metrics, json_object *manager) {
        json_object *holds = json_object_object_get(manager, "Holds");
        uint64_t oldest = UINT64_MAX;

        set(metrics, METRIC_HELD, bus_value_bool(manager, "Held"));
        set(metrics, METRIC_HOLDS, (int64_t) length(holds));
        for (size_t i = 0; i < length(holds); i++)
                oldest = MIN(oldest, bus_value_uint(json_object_array_get_idx(holds, i), "since"));
        set_usec(metrics, METRIC_OLDEST_HOLD, NULL, oldest);
}

/* Where no window is configured, none is closed either. */
static void take_schedule(Metrics *metrics, json_object *manager) {
        bool open = bus_value_bool(manager, "WindowOpen");
        uint64_t end = bus_value_uint(manager, "NextWindowEndTimestamp");

        if (open || end > 0)
                set(metrics, METRIC_WINDOW_OPEN, open);
        set_usec(metrics, METRIC_WINDOW_START, NULL, bus_value_uint(manager, "NextWindowStartTimestamp"));
        set_usec(metrics, METRIC_WINDOW_END, NULL, end);
        set_usec(metrics, METRIC_NEXT_PLANNED, NULL, bus_value_uint(manager, "NextPlannedTimestamp"));
}

static void take_statistics(Metrics *metrics, json_object *statistics) {
        json_object *results = json_object_object_get(statistics, "results");

        if (!json_object_is_type(results, json_type_object)) /* an older lfad */
                return;
        json_object_object_foreach(results, result, count) {
                metrics_add_by(metrics, METRIC_ACTIVATIONS, result, json_object_get_int64(count));
        }
        set_number(metrics, METRIC_EXTERNAL_CHANGES, statistics, "external");
        set_number(metrics, METRIC_LAST_ACTIVATION, statistics, "last-activation");
        set_number(metrics, METRIC_LAST_SUCCESS, statistics, "last-success");
        set_number(metrics, METRIC_LAST_BLACKOUT, statistics, "last-blackout-usec");
}

static void take_manager(Metrics *metrics, const Inventory *inventory) {
        json_object *manager = inventory->manager;

        metrics_add_by(metrics, METRIC_BUILD, inventory->version, 1);
        set(metrics, METRIC_CONFIG_OK, !*inventory->config_error);
        take_warnings(metrics, json_object_object_get(manager, "Warnings"));
        take_driver(metrics, inventory);
        set(metrics, METRIC_ACTIVATING, bus_value_bool(manager, "Activating"));
        take_statistics(metrics, json_object_object_get(manager, "Statistics"));
        take_holds(metrics, manager);
        take_schedule(metrics, manager);
}

static void take_image(Metrics *metrics, const Image *image) {
        const char *labels[METRIC_LABELS_MAX] = { image->guid, image->alias, image->current_version,
                                                  image->pending_version };

        metrics_add(metrics, METRIC_IMAGE, labels, 1);
        metrics_add(metrics, METRIC_IMAGE_PENDING, labels, image->pending);
        set_usec(metrics, METRIC_IMAGE_LAST_ACTIVATION, labels,
                 bus_value_uint(image->properties, "LastActivatedTimestamp"));
        set_usec(metrics, METRIC_IMAGE_BLACKOUT, labels, bus_value_uint(image->properties, "BlackoutUSec"));
}

static void take_images(Metrics *metrics, const GPtrArray *images) {
        uint64_t evaluated = 0, worst = 0;

        for (ImageState state = IMAGE_IDLE; state < _IMAGE_STATE_MAX; state++)
                metrics_add_by(metrics, METRIC_IMAGES, image_state_to_string(state), 0);
        set(metrics, METRIC_IMAGES_PENDING, 0);
        for (guint i = 0; i < images->len; i++) {
                const Image *image = images->pdata[i];

                metrics_add_by(metrics, METRIC_IMAGES, image->state, 1);
                set(metrics, METRIC_IMAGES_PENDING, image->pending);
                evaluated = MAX(evaluated, bus_value_uint(image->properties, "EvaluatedTimestamp"));
                worst = MAX(worst, bus_value_uint(image->properties, "BlackoutUSec"));
                if (images->len <= METRIC_IMAGES_MAX)
                        take_image(metrics, image);
        }
        set_usec(metrics, METRIC_EVALUATED, NULL, evaluated);
        set_usec(metrics, METRIC_WORST_BLACKOUT, NULL, worst);
}

static void take_jobs(Metrics *metrics, const GPtrArray *jobs) {
        const char *done = job_state_to_string(JOB_DONE);

        for (JobState state = JOB_QUEUED; state < JOB_DONE; state++)
                metrics_add_by(metrics, METRIC_JOBS, job_state_to_string(state), 0);
        for (guint i = 0; i < jobs->len; i++)
                if (strcmp(((const Job *) jobs->pdata[i])->state, done) != 0)
                        metrics_add_by(metrics, METRIC_JOBS, ((const Job *) jobs->pdata[i])->state, 1);
}

void metrics_take_inventory(Metrics *metrics, const Inventory *inventory) {
        set(metrics, METRIC_UP, 1);
        take_manager(metrics, inventory);
        take_images(metrics, inventory->images);
        take_jobs(metrics, inventory->jobs);
}

void metrics_take_inhibitors(Metrics *metrics, json_object *inhibitors) {
        for (InhibitMode mode = INHIBIT_BLOCK; mode < _INHIBIT_MODE_MAX; mode++)
                metrics_add_by(metrics, METRIC_INHIBITORS, inhibit_mode_to_string(mode), 0);
        for (size_t i = 0; i < json_object_array_length(inhibitors); i++)
                metrics_add_by(metrics, METRIC_INHIBITORS,
                               bus_value_string(json_object_array_get_idx(inhibitors, i), "mode"), 1);
}

/* Of what must outlast an activation and is known to outlast something. */
static bool find_margin(json_object *watchdog, int64_t *ret) {
        uint64_t usable = bus_value_uint(watchdog, "usable-stall-usec"),
                 need = bus_value_uint(watchdog, "need-usec");

        if (!watchdog_is_hardware(watchdog) || !json_object_object_get(watchdog, "usable-stall-usec") ||
            strcmp(bus_value_string(watchdog, "verdict"), "ignored") == 0 || usable > INT64_MAX ||
            need > INT64_MAX)
                return false;
        *ret = (int64_t) usable - (int64_t) need;
        return true;
}

void metrics_take_watchdogs(Metrics *metrics, json_object *watchdogs) {
        WatchdogCount count = watchdogs_count(watchdogs);
        int64_t least = INT64_MAX, margin;

        set(metrics, METRIC_WATCHDOGS, count.hardware);
        set(metrics, METRIC_WATCHDOG_SAFE, count.unsafe == 0);
        for (size_t i = 0; i < json_object_array_length(watchdogs); i++)
                if (find_margin(json_object_array_get_idx(watchdogs, i), &margin))
                        least = MIN(least, margin);
        if (least != INT64_MAX)
                set(metrics, METRIC_WATCHDOG_MARGIN, least);
}
