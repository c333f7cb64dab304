/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of metrics, to the letter: what OpenMetrics and the Prometheus text format both demand. Whether others can read
 * it is asked of theirs in tests/component/test-metrics.py. */

#include "ctl/metrics-text.h"
#include "unit.h"
#include "util/macros.h"

#include <locale.h>

static char *text_of(const Metrics *metrics) {
        char *text = metrics_to_text(metrics);

        assert_true(g_str_has_suffix(text, "# EOF\n"));
        return text;
}

static void test_without_samples_there_is_the_end_alone(void **unused) {
        _cleanup_(metrics_freep) Metrics *metrics = metrics_new();
        g_autofree char *text = text_of(metrics);

        assert_string_equal(text, "# EOF\n");
}

static void test_families_are_in_the_order_of_the_table_and_counters_end_in_total(void **unused) {
        _cleanup_(metrics_freep) Metrics *metrics = metrics_new();
        g_autofree char *text = NULL;

        metrics_add_by(metrics, METRIC_ACTIVATIONS, "failed", 2);
        metrics_add(metrics, METRIC_UP, NULL, 1);
        metrics_add_by(metrics, METRIC_ACTIVATIONS, "unknown", 0);
        text = text_of(metrics);
        assert_string_equal(text, "# TYPE lfad_up gauge\n"
                                  "# HELP lfad_up Whether lfad answered.\n"
                                  "lfad_up 1\n"
                                  "# TYPE lfad_activations counter\n"
                                  "# HELP lfad_activations Jobs that ended, by result.\n"
                                  "lfad_activations_total{result=\"failed\"} 2\n"
                                  "lfad_activations_total{result=\"unknown\"} 0\n"
                                  "# EOF\n");
}

static void test_there_is_one_sample_for_the_same_labels(void **unused) {
        const char *const labels[] = { "g", "a", "1", "2" }, *const others[] = { "g", "a", "1", "3" };
        _cleanup_(metrics_freep) Metrics *metrics = metrics_new();
        g_autofree char *text = NULL;

        metrics_add(metrics, METRIC_IMAGE, labels, 1);
        metrics_add(metrics, METRIC_IMAGE, others, 1);
        metrics_add(metrics, METRIC_IMAGE, labels, 2);
        text = text_of(metrics);
        assert_non_null(strstr(
                        text,
                        "{guid=\"g\",alias=\"a\",current_version=\"1\",pending_version=\"2\"} 3\n"
                        "lfad_image_info{guid=\"g\",alias=\"a\",current_version=\"1\",pending_version=\"3\"} 1\n"
                        "# EOF"));
}

static void test_times_are_in_seconds_whatever_the_locale(void **unused) {
        static const struct {
                int64_t usec;
                const char *text;
        } values[] = {
                { 0, " 0.000000\n" },
                { 1, " 0.000001\n" },
                { -1, " -0.000001\n" },
                { 2500000, " 2.500000\n" },
                { -2500000, " -2.500000\n" },
                { 1790000000123456, " 1790000000.123456\n" },
                { INT64_MAX, " 9223372036854.775807\n" },
                { INT64_MIN, " -9223372036854.775808\n" },
        };
        static const char *const locales[] = { "C", "C.UTF-8", "de_DE.UTF-8" };

        for (size_t l = 0; l < G_N_ELEMENTS(locales); l++)
                for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
                        _cleanup_(metrics_freep) Metrics *metrics = metrics_new();
                        g_autofree char *text = NULL;

                        setlocale(LC_ALL, locales[l]);
                        metrics_add(metrics, METRIC_WATCHDOG_MARGIN, NULL, values[i].usec);
                        text = text_of(metrics);
                        assert_non_null(strstr(text, values[i].text));
                        assert_non_null(strstr(text, "# UNIT lfad_watchdog_margin_seconds seconds\n"));
                }
        setlocale(LC_ALL, "C");
}

static void test_labels_from_outside_break_nothing(void **unused) {
        static const struct {
                const char *label, *text;
        } labels[] = {
                { "", "{code=\"\"} 1\n" },
                { "a b", "{code=\"a b\"} 1\n" },
                { "\"\\", "{code=\"\\\"\\\\\"} 1\n" },
                { "a\nlfad_up 0\n", "{code=\"a\xef\xbf\xbdlfad_up 0\xef\xbf\xbd\"} 1\n" },
                { "\x1b[31m\x7f", "{code=\"\xef\xbf\xbd[31m\xef\xbf\xbd\"} 1\n" },
                { "\xc3\xa4\xe2\x80\xae\xe2\x80\xa8", "{code=\"\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\"} 1\n" },
                { "\xff", "{code=\"\xef\xbf\xbd\"} 1\n" },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(labels); i++) {
                _cleanup_(metrics_freep) Metrics *metrics = metrics_new();
                g_autofree char *text = NULL;

                metrics_add_by(metrics, METRIC_WARNINGS, labels[i].label, 1);
                text = text_of(metrics);
                assert_non_null(strstr(text, labels[i].text));
        }
}

static void test_json_has_the_same_samples(void **unused) {
        _cleanup_(metrics_freep) Metrics *metrics = metrics_new();
        json_object *list;

        metrics_add(metrics, METRIC_WATCHDOG_MARGIN, NULL, -1500000);
        metrics_add_by(metrics, METRIC_ACTIVATIONS, "failed", 2);
        list = metrics_to_json(metrics);
        assert_string_equal(
                        json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN),
                        "[{\"name\":\"lfad_activations_total\",\"labels\":{\"result\":\"failed\"},\"value\":2},"
                        "{\"name\":\"lfad_watchdog_margin_seconds\",\"labels\":{},\"value\":-1.500000}]");
        json_object_put(list);
}

/* Each rule holds for the table, whatever is added to it. */
static void test_the_table_keeps_the_rules_of_both_formats(void **unused) {
        for (MetricId id = 0; id < _METRIC_MAX; id++) {
                const MetricFamily *family = &metric_families[id];

                assert_non_null(family->name);
                assert_true(g_str_has_prefix(family->name, "lfad_"));
                assert_int_equal(strspn(family->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(family->name));
                assert_int_equal(family->seconds, g_str_has_suffix(family->name, "_seconds"));
                assert_false(g_str_has_suffix(family->name, "_total"));
                assert_false(g_str_has_suffix(family->name, "_created"));
                assert_null(strpbrk(family->help, "\\\"\n"));
                assert_true(g_str_has_suffix(family->help, "."));
                for (MetricId other = 0; other < id; other++)
                        assert_string_not_equal(metric_families[other].name, family->name);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_without_samples_there_is_the_end_alone),
                cmocka_unit_test(test_families_are_in_the_order_of_the_table_and_counters_end_in_total),
                cmocka_unit_test(test_there_is_one_sample_for_the_same_labels),
                cmocka_unit_test(test_times_are_in_seconds_whatever_the_locale),
                cmocka_unit_test(test_labels_from_outside_break_nothing),
                cmocka_unit_test(test_json_has_the_same_samples),
                cmocka_unit_test(test_the_table_keeps_the_rules_of_both_formats),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
