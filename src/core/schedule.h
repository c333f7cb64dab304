/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When an activation may run, by the calendar: windows, freezes and this host's own moment (its slot) in a window. Pure:
 * the configuration and a moment in, an answer out. All times are CLOCK_REALTIME in µs, UINT64_MAX = never; guid is the
 * name of an image's directory, NULL = of whatever image. */

#include "core/config.h"

#include <stdbool.h>
#include <stdint.h>

#define HOST_ID_SIZE 16

/* How much of a window an activation may need while nothing is known of the image: the driver's own budgets, and a margin
 * for the guard and whatever else lies between the gates and the write. */
#define SCHEDULE_BUDGET_USEC (40 * (uint64_t) 1000000)
#define SCHEDULE_MARGIN_USEC (10 * (uint64_t) 1000000)

/* Openings that overlap or adjoin are followed over so many of them, so that windows that never close end at some time:
 * it is known then that they are open at least until that end. */
#define SCHEDULE_MERGED_MAX 1000
/* So many times that are open in one are looked at for one that is long enough; beyond them only single windows count. */
#define SCHEDULE_OPENINGS_MAX 64

/* One opening of one window: start belongs to it, end does not. */
typedef struct Occurrence {
        const ConfigSection *window;
        uint64_t start_usec, end_usec;
} Occurrence;

/* When this window opens next after that moment. Of a time that clocks show twice, as they are set back, the first counts:
 * what is asked for between the two does not find the second. */
uint64_t window_next_start(const Config *config, const ConfigSection *window, uint64_t after_usec);

/* The first opening of this window that ends after that moment, and so may be open then. Returns false when there is none
 * any more. */
bool window_find_occurrence(const Config *config, const ConfigSection *window, uint64_t after_usec,
                            Occurrence *ret);

/* A time at which the window would open between two moments, if clocks did not leave it out as they are set forward, and
 * nothing opens in its place. ret_local: seconds since 1970 in local time; ret_after: where to look for the next one. Returns
 * false when there is none. */
bool window_find_missing_day(const Config *config, const ConfigSection *window, uint64_t after_usec,
                             uint64_t until_usec, int64_t *ret_local, uint64_t *ret_after_usec);

/* The windows in which this image may be activated: ConfigSection, borrowed. */
const GPtrArray *schedule_windows(const Config *config, const char *guid);

/* The first time after that moment, or around it, that is open in one, and at least that long after the moment and after
 * its own beginning. Returns false when there is none any more. */
bool schedule_find_opening(const Config *config, const char *guid, uint64_t after_usec, uint64_t need_usec,
                           uint64_t *ret_start_usec, uint64_t *ret_end_usec);

/* This host's slot in an opening of a window: fixed for a host, even over a fleet. In [start, end - MaxNeedSec], at the
 * start of a window that is shorter. host_id: the machine id made specific to lfad. */
uint64_t occurrence_slot(const Config *config, const Occurrence *occurrence,
                         const uint8_t host_id[static HOST_ID_SIZE]);

/* The slot from which this image may go: one in the past when its window is still open, else the next one that comes.
 * Openings around tried_usec (0 = none) are used up. ret_window: whose slot it is; may be NULL. Returns UINT64_MAX when none comes any more. */
uint64_t schedule_find_slot(const Config *config, const char *guid,
                            const uint8_t host_id[static HOST_ID_SIZE], uint64_t at_usec,
                            uint64_t tried_usec, const ConfigSection **ret_window);

/* The freeze that holds at that moment and ends last, or NULL. ret_until: from when no freeze holds; may be NULL. */
const ConfigSection *schedule_find_freeze(const Config *config, uint64_t at_usec, uint64_t *ret_until_usec);

/* The freeze that begins next after that moment, or NULL. */
const ConfigSection *schedule_find_next_freeze(const Config *config, uint64_t after_usec);

/* The first moment after that one at which a window of this image opens or closes, or a freeze begins or ends. */
uint64_t schedule_next_change(const Config *config, const char *guid, uint64_t after_usec);
