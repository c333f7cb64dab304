/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One moment, written as a date and a time: "2026-12-24 18:00 Europe/Berlin". */

#include <glib.h>
#include <stdint.h>

/* The last year that is taken, as in calendar expressions. */
#define TIMESTAMP_YEAR_LAST 2199

/* "YYYY-MM-DD[ HH:MM[:SS]][ ZONE]"; 00:00:00 where no time is given, zone where no ZONE. Returns 0 with CLOCK_REALTIME in
 * µs; -EINVAL with ret_why set to a sentence for people (the caller frees it), also for a time that clocks there leave out
 * as they are set forward. Of one that they show twice, as they are set back, the first is meant. */
int timestamp_parse(const char *text, GTimeZone *zone, uint64_t *ret_usec, char **ret_why);

/* "YYYY-MM-DD HH:MM:SS CET", in UTC where zone is NULL; parts of a second are left out. Never NULL: "never" for what is
 * beyond the last year. */
char *timestamp_format(uint64_t usec, GTimeZone *zone);
