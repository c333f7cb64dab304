/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds for people. */

#include "core/hold-text.h"
#include "util/macros.h"

char *hold_until_text(uint64_t until_usec) {
        g_autoptr(GDateTime) until = NULL;

        if (until_usec == 0)
                return g_strdup("released");
        until = g_date_time_new_from_unix_utc((int64_t) (until_usec / USEC_PER_SEC));
        return until ? g_date_time_format(until, "%Y-%m-%d %H:%M:%S UTC")
                     : g_strdup("the end of the calendar");
}

char *hold_to_text(const Hold *hold) {
        const char *reason = *hold->reason ? hold->reason : "no reason given";
        g_autofree char *until = NULL;

        if (hold->by_lfad)
                return g_strdup(reason);
        until = hold_until_text(hold->until_usec);
        return g_strdup_printf("uid %u until %s: %s", hold->uid, until, reason);
}
