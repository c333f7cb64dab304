/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Moments in the time zone of lfad's policy, which need not be that of whoever asks: each text names its zone. usec is
 * of CLOCK_REALTIME. */

#include "ctl/client.h"

#include <glib.h>

#define POLICY_MOMENT_FORMS                                                                                          \
        "\"Sat 03:30\" or another calendar expression, 2026-12-31, \"2026-12-31 23:59 Europe/Berlin\", now, +2h or " \
        "@SECONDS"
#define POLICY_PAST_FORMS                                                                                   \
        "2026-12-31, \"2026-12-31 23:59[:59]\", 23:59, today, yesterday, now, -30min, +2h or @SECONDS"

/* TimeZone= as lfad has it, asked for once; "UTC" from one that does not tell. It belongs to the client. */
const char *policy_zone_name(Client *client);

/* The zone of that name. It belongs to the client. */
GTimeZone *policy_zone(Client *client);

/* The zone that lfad calls so; UTC when this host does not know it. The caller unrefs. */
GTimeZone *policy_zone_load(const char *name);

/* Whether it is a moment at all, in a form that a person may write; for the second one in a form that history takes, where a
 * time without a day is today's. Neither knows the policy's zone. Returns 0 or -EINVAL. */
int policy_moment_guess(const char *text);
int policy_past_guess(const char *text);

/* Reads one in the policy's zone; NULL: 0. A failure is reported. */
ExitCode policy_moment_read(Client *client, const char *text, uint64_t *ret_usec);
ExitCode policy_past_read(Client *client, const char *text, uint64_t *ret_usec);

/* "Sat 2026-11-28 03:30:00 CET"; "" for 0, "open" for UINT64_MAX. The caller frees it, as those of the following. */
char *policy_time(GTimeZone *zone, uint64_t usec);

/* "2026-11-28 03:30:00 CET (2 h ago)"; "-" for 0, "never" for UINT64_MAX. */
char *policy_time_and_age(GTimeZone *zone, uint64_t usec);

/* "2026-11-28 02:30:00 UTC, 03:30:00 CET (in 5 days)", the second one where it is another; "" for 0 and UINT64_MAX. */
char *policy_time_in_both(GTimeZone *zone, uint64_t usec);
