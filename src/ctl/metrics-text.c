/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Samples by family, written as OpenMetrics text or JSON. */

#include "ctl/metrics-text.h"
#include "util/macros.h"

#include <glib.h>
#include <string.h>

typedef struct Sample {
        char *labels[METRIC_LABELS_MAX]; /* clean */
        int64_t value;
} Sample;

struct Metrics {
        GPtrArray *families[_METRIC_MAX]; /* of Sample */
};

static void sample_free(void *data) {
        Sample *sample = data;

        for (unsigned i = 0; i < METRIC_LABELS_MAX; i++)
                g_free(sample->labels[i]);
        g_free(sample);
}

Metrics *metrics_new(void) {
        Metrics *metrics = g_new0(Metrics, 1);

        for (unsigned i = 0; i < _METRIC_MAX; i++)
                metrics->families[i] = g_ptr_array_new_with_free_func(sample_free);
        return metrics;
}

Metrics *metrics_free(Metrics *metrics) {
        if (!metrics)
                return NULL;
        for (unsigned i = 0; i < _METRIC_MAX; i++)
                g_ptr_array_unref(metrics->families[i]);
        g_free(metrics);
        return NULL;
}

static unsigned count_labels(MetricId id) {
        unsigned count = 0;

        while (count < METRIC_LABELS_MAX && metric_families[id].labels[count])
                count++;
        return count;
}

/* It comes from the bus, and may go to a terminal. */
static char *clean(const char *text) {
        g_autofree char *valid = g_utf8_make_valid(text, -1);
        GString *out = g_string_new(NULL);

        for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
                gunichar c = g_utf8_get_char(p);

                if (c != ' ' && (!g_unichar_isgraph(c) || g_unichar_isspace(c)))
                        c = 0xfffd;
                g_string_append_unichar(out, c);
        }
        return g_string_free(out, FALSE);
}

static Sample *find_sample(const GPtrArray *samples, char *const *labels, unsigned n_labels) {
        for (unsigned i = 0; i < samples->len; i++) {
                Sample *sample = samples->pdata[i];
                unsigned same = 0;

                while (same < n_labels && strcmp(sample->labels[same], labels[same]) == 0)
                        same++;
                if (same == n_labels)
                        return sample;
        }
        return NULL;
}

void metrics_add(Metrics *metrics, MetricId id, const char *const *labels, int64_t value) {
        unsigned n_labels = count_labels(id);
        Sample *sample = g_new0(Sample, 1), *found;

        for (unsigned i = 0; i < n_labels; i++)
                sample->labels[i] = clean(labels[i]);
        found = find_sample(metrics->families[id], sample->labels, n_labels);
        if (found)
                sample_free(sample);
        else
                g_ptr_array_add(metrics->families[id], found = sample);
        found->value += value;
}

static const char *sample_suffix(const MetricFamily *family) {
        return family->type == METRIC_COUNTER ? "_total" : "";
}

/* Never by way of a floating point number: its comma is the locale's. */
static char *format_value(const MetricFamily *family, int64_t value) {
        uint64_t usec = value < 0 ? 0 - (uint64_t) value : (uint64_t) value;

        if (!family->seconds)
                return g_strdup_printf("%" G_GINT64_FORMAT, value);
        return g_strdup_printf("%s%" G_GUINT64_FORMAT ".%06u", value < 0 ? "-" : "",
                               (uint64_t) (usec / USEC_PER_SEC), (unsigned) (usec % USEC_PER_SEC));
}

static void append_labels(GString *out, const MetricFamily *family, const Sample *sample) {
        for (unsigned i = 0; i < METRIC_LABELS_MAX && family->labels[i]; i++) {
                g_string_append_printf(out, "%c%s=\"", i == 0 ? '{' : ',', family->labels[i]);
                for (const char *p = sample->labels[i]; *p; p++) {
                        if (*p == '"' || *p == '\\')
                                g_string_append_c(out, '\\');
                        g_string_append_c(out, *p);
                }
                g_string_append_c(out, '"');
        }
        if (family->labels[0])
                g_string_append_c(out, '}');
}

static void append_family(GString *out, const MetricFamily *family, const GPtrArray *samples) {
        g_string_append_printf(out, "# TYPE %s %s\n", family->name,
                               family->type == METRIC_COUNTER ? "counter" : "gauge");
        if (family->seconds)
                g_string_append_printf(out, "# UNIT %s seconds\n", family->name);
        g_string_append_printf(out, "# HELP %s %s\n", family->name, family->help);
        for (unsigned i = 0; i < samples->len; i++) {
                const Sample *sample = samples->pdata[i];
                g_autofree char *value = format_value(family, sample->value);

                g_string_append_printf(out, "%s%s", family->name, sample_suffix(family));
                append_labels(out, family, sample);
                g_string_append_printf(out, " %s\n", value);
        }
}

char *metrics_to_text(const Metrics *metrics) {
        GString *out = g_string_new(NULL);

        for (unsigned id = 0; id < _METRIC_MAX; id++)
                if (metrics->families[id]->len > 0)
                        append_family(out, &metric_families[id], metrics->families[id]);
        g_string_append(out, "# EOF\n");
        return g_string_free(out, FALSE);
}

static json_object *sample_to_json(const MetricFamily *family, const Sample *sample) {
        json_object *object = json_object_new_object(), *labels = json_object_new_object();
        g_autofree char *name = g_strconcat(family->name, sample_suffix(family), NULL),
                        *value = format_value(family, sample->value);

        for (unsigned i = 0; i < METRIC_LABELS_MAX && family->labels[i]; i++)
                json_object_object_add(labels, family->labels[i], json_object_new_string(sample->labels[i]));
        json_object_object_add(object, "name", json_object_new_string(name));
        json_object_object_add(object, "labels", labels);
        json_object_object_add(
                        object, "value",
                        family->seconds ? json_object_new_double_s((double) sample->value / 1e6, value)
                                        : json_object_new_int64(sample->value));
        return object;
}

json_object *metrics_to_json(const Metrics *metrics) {
        json_object *list = json_object_new_array();

        for (unsigned id = 0; id < _METRIC_MAX; id++)
                for (unsigned i = 0; i < metrics->families[id]->len; i++)
                        json_object_array_add(list, sample_to_json(&metric_families[id],
                                                                   metrics->families[id]->pdata[i]));
        return list;
}
