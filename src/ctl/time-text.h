/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A point in time as a person types it. */

#include <stdint.h>

#define TIME_TEXT_FORMS "2026-12-31, \"2026-12-31 23:59[:59]\", 23:59, now, +2h, -30min or @SECONDS"

/* One of TIME_TEXT_FORMS, in local time; a span is a whole number of s, min, h or d before (-) or after (+)
 * now_usec; a time without a date is today's. usec of CLOCK_REALTIME. Returns 0, or -EINVAL with ret_usec
 * untouched. */
int time_text_parse(const char *text, uint64_t now_usec, uint64_t *ret_usec);
