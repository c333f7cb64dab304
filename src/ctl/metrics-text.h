/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Samples of metrics, and what they look like. Pure. */

#include "ctl/metric-families.h"

#include <json-c/json.h>
#include <stdint.h>

typedef struct Metrics Metrics;

Metrics *metrics_new(void);
Metrics *metrics_free(Metrics *metrics);

static inline void metrics_freep(Metrics **metrics) {
        *metrics = metrics_free(*metrics);
}

/* Adds to the sample with these labels, which is made with 0 when it is not there: there are never two of the same. labels:
 * as many values as the family has, NULL where it has none. value: in µs where the family is in seconds. */
void metrics_add(Metrics *metrics, MetricId id, const char *const *labels, int64_t value);

/* For families with one label. */
static inline void metrics_add_by(Metrics *metrics, MetricId id, const char *label, int64_t value) {
        metrics_add(metrics, id, &label, value);
}

/* OpenMetrics text that the Prometheus text format's readers take, too: no sample has a time, and what is particular to
 * OpenMetrics (units, the end) are comments to them. They know counters by the name with _total only, of which OpenMetrics
 * allows no description: there a counter is untyped. Families without a sample are left out, and characters that cannot be
 * printed become U+FFFD. The caller frees it. */
char *metrics_to_text(const Metrics *metrics);

/* The same as an array of objects with name, labels and value. The caller owns it. */
json_object *metrics_to_json(const Metrics *metrics);
