/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When an activation may run, by the calendar: windows, freezes and this host's slot in a window. Pure: the configuration
 * and a moment in, an answer out; all times are CLOCK_REALTIME in µs. */

#include "core/config.h"

#include <stdbool.h>
#include <stdint.h>

/* One opening of one window, [start, end). */
typedef struct Occurrence {
        const ConfigSection *window;
        uint64_t start_usec, end_usec;
} Occurrence;

/* The first opening of this window that ends after that moment: it may be open then. Returns false when there is none
 * any more. */
bool window_find_occurrence(const Config *config, const ConfigSection *window, uint64_t after_usec,
                            Occurrence *ret);

/* Whether that window is one of the image with this directory GUID (Windows= of its section; all without that). */
bool window_is_for_image(const Config *config, const ConfigSection *window, const char *guid);

/* This host's own moment in it: fixed for a host, even over a fleet. host_id: the machine id made specific to lfad, 16
 * bytes. */
uint64_t occurrence_slot(const Config *config, const Occurrence *occurrence,
                         const uint8_t host_id[static 16]);

/* The time that is open for this image around or after a moment: what overlaps or adjoins is one. Returns false when
 * no window of it opens any more, or it has none. */
bool schedule_find_opening(const Config *config, const char *guid, uint64_t after_usec,
                           uint64_t *ret_start_usec, uint64_t *ret_end_usec);

/* Whether any window is configured for this image. */
bool schedule_has_window(const Config *config, const char *guid);

/* The freeze that holds at that moment, or else the next one that begins later; NULL = none. */
const ConfigSection *schedule_find_freeze(const Config *config, uint64_t at_usec);
const ConfigSection *schedule_find_next_freeze(const Config *config, uint64_t after_usec);
