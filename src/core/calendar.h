/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calendar expressions as systemd.time(7) has them: "Sat,Sun 03:30 Europe/Berlin", "Mon *-*~3 05:00", "quarterly".
 * Pure but for the time zones, which GLib reads from the host's database.
 *
 * Years are 1970 to 2199. Of a time that clocks show twice, as they are set back, the first counts; a time that they leave
 * out, as they are set forward, does not come on that day. lfad.conf(5) says where this differs from systemd. */

#include <glib.h>
#include <stdint.h>

typedef struct Calendar Calendar;

/* Returns 0; -EINVAL with ret_why set to a sentence for people (valid UTF-8; the caller frees it): what is wrong and what is
 * allowed.
 * An expression that can never elapse (30 February) is well-formed: calendar_next tells. */
int calendar_parse(const char *text, Calendar **ret, char **ret_why);
void *calendar_free(Calendar *calendar);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Calendar, calendar_free)

/* The time zone at its end, or NULL when it has none. */
GTimeZone *calendar_zone(const Calendar *calendar);

/* The first moment after that one (CLOCK_REALTIME in µs) at which it elapses; UINT64_MAX = never. zone: counts where the
 * expression has none of its own. Bounded: it goes by days that the dates name, at most those of 230 years, and never by
 * minutes. */
uint64_t calendar_next(const Calendar *calendar, GTimeZone *zone, uint64_t after_usec);

/* The first time of day and date that the expression names, not before this one, whatever clocks show it: seconds since
 * 1970 in local time; INT64_MAX = none. For who looks for those that clocks leave out. */
int64_t calendar_next_local(const Calendar *calendar, int64_t from_local);
