/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which metrics there are: names, types, units, labels. lfactl(1), METRICS, documents each. */

#include <stdbool.h>

#define METRIC_LABELS_MAX 4

typedef enum MetricId {
        METRIC_WRITTEN,
        METRIC_UP,
        METRIC_BUILD,
        METRIC_CONFIG_OK,
        METRIC_WARNINGS,
        METRIC_DRIVER_STATE,
        METRIC_DRIVER,
        METRIC_UEVENTS_HEARD,
        METRIC_EVALUATED,
        METRIC_IMAGES,
        METRIC_IMAGES_PENDING,
        METRIC_IMAGE,
        METRIC_IMAGE_PENDING,
        METRIC_IMAGE_LAST_ACTIVATION,
        METRIC_IMAGE_BLACKOUT,
        METRIC_JOBS,
        METRIC_ACTIVATING,
        METRIC_ACTIVATIONS,
        METRIC_EXTERNAL_CHANGES,
        METRIC_LAST_ACTIVATION,
        METRIC_LAST_SUCCESS,
        METRIC_LAST_BLACKOUT,
        METRIC_WORST_BLACKOUT,
        METRIC_HELD,
        METRIC_HOLDS,
        METRIC_OLDEST_HOLD,
        METRIC_INHIBITORS,
        METRIC_WINDOW_OPEN,
        METRIC_WINDOW_START,
        METRIC_WINDOW_END,
        METRIC_NEXT_PLANNED,
        METRIC_WATCHDOGS,
        METRIC_WATCHDOG_SAFE,
        METRIC_WATCHDOG_MARGIN,
        _METRIC_MAX,
} MetricId;

typedef enum MetricType {
        METRIC_GAUGE,
        METRIC_COUNTER, /* its samples end in _total */
} MetricType;

typedef struct MetricFamily {
        const char *name; /* with the unit, without _total */
        MetricType type;
        bool seconds; /* its unit; else it has none */
        const char *labels[METRIC_LABELS_MAX];
        const char *help; /* one line, without quotes and backslashes: the formats escape them differently */
} MetricFamily;

/* By id. */
extern const MetricFamily metric_families[_METRIC_MAX];
