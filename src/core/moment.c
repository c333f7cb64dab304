/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading moments: each way of writing one shows by its first characters. */

#include "core/moment.h"
#include "core/calendar.h"
#include "core/time-span.h"
#include "core/timestamp.h"
#include "util/macros.h"

#include <stdbool.h>
#include <string.h>

/* The seconds of the year 2200 and of later ones, which no date reaches. */
#define EPOCH_END UINT64_C(7258118400)

static int refuse(char **ret_why, const char *why) {
        *ret_why = g_strdup(why);
        return -EINVAL;
}

static int parse_span(const char *text, uint64_t now_usec, uint64_t *ret_usec, char **ret_why) {
        uint64_t span, usec;

        if (time_span_parse(text, &span) < 0)
                return refuse(ret_why, "After '+' a span of time is expected, such as 30min or 2h.");
        if (__builtin_add_overflow(now_usec, span, &usec) || usec >= EPOCH_END * USEC_PER_SEC)
                return refuse(ret_why, "That is after the year 2199.");
        *ret_usec = usec;
        return 0;
}

static int parse_epoch(const char *text, uint64_t *ret_usec, char **ret_why) {
        uint64_t sec;
        char *end;

        if (!g_ascii_isdigit(*text))
                return refuse(ret_why, "After '@' seconds since 1970 are expected.");
        sec = g_ascii_strtoull(text, &end, 10);
        if (*end)
                return refuse(ret_why, "After '@' nothing but seconds since 1970 can stand.");
        if (sec >= EPOCH_END)
                return refuse(ret_why, "That is after the year 2199.");
        *ret_usec = sec * USEC_PER_SEC;
        return 0;
}

static int parse_calendar(const char *text, GTimeZone *zone, uint64_t now_usec, uint64_t *ret_usec,
                          char **ret_why) {
        g_autoptr(Calendar) calendar = NULL;
        uint64_t usec;
        int r = calendar_parse(text, &calendar, ret_why);

        if (r < 0)
                return r;
        usec = calendar_next(calendar, zone, now_usec);
        if (usec == UINT64_MAX)
                return refuse(ret_why, "That does not come any more.");
        *ret_usec = usec;
        return 0;
}

/* A day, and a time or zone behind it, says one moment, past or future. With lists, ranges or steps in them it is a calendar
 * expression. */
static bool is_timestamp(const char *text) {
        const char *day_end = text + strspn(text, "0123456789-");
        const char *time, *time_end;

        if (strspn(text, "0123456789") != 4 || text[4] != '-' || (*day_end && *day_end != ' '))
                return false;
        if (!*day_end)
                return true;
        time = day_end + 1;
        time_end = time + strspn(time, "0123456789:");
        return g_ascii_isalpha(*time) || !*time_end || *time_end == ' ';
}

int moment_parse(const char *text, GTimeZone *zone, uint64_t now_usec, uint64_t *ret_usec, char **ret_why) {
        if (strcmp(text, "now") == 0) {
                *ret_usec = now_usec;
                return 0;
        }
        if (text[0] == '+')
                return parse_span(text + 1, now_usec, ret_usec, ret_why);
        if (text[0] == '@')
                return parse_epoch(text + 1, ret_usec, ret_why);
        if (is_timestamp(text))
                return timestamp_parse(text, zone, ret_usec, ret_why);
        return parse_calendar(text, zone, now_usec, ret_usec, ret_why);
}
