/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of metrics. Only gauges and counters: node_exporter understands no other type that OpenMetrics would have for
 * them (info, stateset). */

#include "ctl/metric-families.h"

#define SECONDS true

#define GAUGE(name, unit, help, ...)                                                                        \
        { name, METRIC_GAUGE, unit, { __VA_ARGS__ }, help }
#define COUNTER(name, help, ...)                                                                            \
        { name, METRIC_COUNTER, false, { __VA_ARGS__ }, help }

const MetricFamily metric_families[_METRIC_MAX] = {
        [METRIC_WRITTEN] =
                        GAUGE("lfad_metrics_timestamp_seconds", SECONDS, "When these metrics were written."),
        [METRIC_UP] = GAUGE("lfad_up", false, "Whether lfad answered."),
        [METRIC_BUILD] = GAUGE("lfad_build_info", false, "The version of lfad that runs.", "version"),
        [METRIC_CONFIG_OK] =
                        GAUGE("lfad_config_ok", false, "Whether the configuration files have no error."),
        [METRIC_WARNINGS] = GAUGE("lfad_warnings", false, "What lfad warns of.", "code"),
        [METRIC_DRIVER_STATE] = GAUGE("lfad_driver_state", false,
                                      "1 for the state that the kernel driver is in.", "state"),
        [METRIC_DRIVER] = GAUGE("lfad_driver_info", false, "The version of the kernel driver.", "profile"),
        [METRIC_UEVENTS_HEARD] =
                        GAUGE("lfad_uevents_heard", false, "Whether lfad hears of changes without looking."),
        [METRIC_EVALUATED] = GAUGE("lfad_last_evaluation_timestamp_seconds", SECONDS,
                                   "When lfad last judged an image, as after each reading."),
        [METRIC_IMAGES] = GAUGE("lfad_images", false, "Firmware images by state.", "state"),
        [METRIC_IMAGES_PENDING] = GAUGE("lfad_images_pending", false,
                                        "Firmware images with something staged, in whatever state."),
        [METRIC_IMAGE] = GAUGE("lfad_image_info", false, "A firmware image and its versions.", "guid",
                               "alias", "current_version", "pending_version"),
        [METRIC_IMAGE_PENDING] = GAUGE("lfad_image_pending", false,
                                       "Whether something is staged for the image.", "guid", "alias"),
        [METRIC_IMAGE_LAST_ACTIVATION] = GAUGE(
                        "lfad_image_last_activation_timestamp_seconds", SECONDS,
                        "When a job for the image last ended succeeded or unverified.", "guid", "alias"),
        [METRIC_IMAGE_BLACKOUT] = GAUGE("lfad_image_worst_blackout_seconds", SECONDS,
                                        "The longest measured stall of CPUs by the image.", "guid", "alias"),
        [METRIC_JOBS] = GAUGE("lfad_jobs", false, "Jobs that have not ended, by state.", "state"),
        [METRIC_ACTIVATING] =
                        GAUGE("lfad_activating", false, "Whether the kernel driver is being written to."),
        [METRIC_ACTIVATIONS] = COUNTER("lfad_activations", "Jobs that ended, by result.", "result"),
        [METRIC_EXTERNAL_CHANGES] =
                        COUNTER("lfad_external_changes",
                                "Versions that moved, or fell from pending, without a job of lfad."),
        [METRIC_LAST_ACTIVATION] = GAUGE("lfad_last_activation_timestamp_seconds", SECONDS,
                                         "When the last job ended that reached firmware, or may have."),
        [METRIC_LAST_SUCCESS] = GAUGE("lfad_last_success_timestamp_seconds", SECONDS,
                                      "When a job last ended succeeded."),
        [METRIC_LAST_BLACKOUT] =
                        GAUGE("lfad_last_blackout_seconds", SECONDS,
                              "The longest stall of CPUs in the last activation that was measured."),
        [METRIC_WORST_BLACKOUT] = GAUGE("lfad_worst_blackout_seconds", SECONDS,
                                        "The longest measured stall of CPUs by any image."),
        [METRIC_HELD] = GAUGE("lfad_held", false, "Whether activations of all images are paused."),
        [METRIC_HOLDS] = GAUGE("lfad_holds", false, "Pauses in force, of single images and of all."),
        [METRIC_OLDEST_HOLD] = GAUGE("lfad_oldest_hold_timestamp_seconds", SECONDS,
                                     "Since when the oldest pause is in force."),
        [METRIC_INHIBITORS] = GAUGE("lfad_inhibitors", false, "Clients that hold activations back, by mode.",
                                    "mode"),
        [METRIC_WINDOW_OPEN] = GAUGE("lfad_window_open", false, "Whether a window is open."),
        [METRIC_WINDOW_START] = GAUGE("lfad_next_window_start_timestamp_seconds", SECONDS,
                                      "When the next window opens that is not open yet."),
        [METRIC_WINDOW_END] = GAUGE("lfad_next_window_end_timestamp_seconds", SECONDS,
                                    "When the window closes that is open, or else the next."),
        [METRIC_NEXT_PLANNED] = GAUGE("lfad_next_planned_timestamp_seconds", SECONDS,
                                      "When automatic mode begins the next activation."),
        [METRIC_WATCHDOGS] = GAUGE("lfad_watchdogs", false, "Hardware watchdogs."),
        [METRIC_WATCHDOG_SAFE] =
                        GAUGE("lfad_watchdog_safe", false,
                              "Whether no hardware watchdog would reset the host during an activation."),
        [METRIC_WATCHDOG_MARGIN] =
                        GAUGE("lfad_watchdog_margin_seconds", SECONDS,
                              "What the tightest hardware watchdog outlasts beyond what is needed."),
};
