/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a point in time. */

#include "ctl/time-text.h"

#include "util/macros.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <time.h>

/* Beyond this year nobody means it, and nothing overflows before it. */
#define SECONDS_MAX (UINT64_C(250000000000))

static int parse_span(const char *text, uint64_t *ret_usec) {
        static const struct {
                const char *unit;
                uint64_t seconds;
        } units[] = { { "s", 1 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 } };
        size_t digits = strspn(text, "0123456789");
        g_autofree char *number = g_strndup(text, digits);
        guint64 value;

        if (!g_ascii_string_to_unsigned(number, 10, 0, SECONDS_MAX / 86400, &value, NULL))
                return -EINVAL;
        for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
                if (strcmp(text + digits, units[i].unit) == 0) {
                        *ret_usec = value * units[i].seconds * USEC_PER_SEC;
                        return 0;
                }
        return -EINVAL;
}

static int parse_relative(const char *text, uint64_t now_usec, uint64_t *ret_usec) {
        uint64_t span;
        int r = parse_span(text + 1, &span);

        if (r < 0)
                return r;
        if (*text == '+')
                *ret_usec = now_usec + span;
        else
                *ret_usec = span < now_usec ? now_usec - span : 1;
        return 0;
}

static int parse_calendar(const char *text, uint64_t now_usec, uint64_t *ret_usec) {
        static const char *const formats[] = { "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%H:%M:%S",
                                               "%H:%M" };
        time_t now = (time_t) (now_usec / USEC_PER_SEC), found;

        for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
                struct tm tm = { .tm_mday = 1 };
                const char *end;

                if (formats[i][1] == 'H') {
                        localtime_r(&now, &tm);
                        tm.tm_sec = 0;
                }
                end = strptime(text, formats[i], &tm);
                if (!end || *end)
                        continue;
                tm.tm_isdst = -1;
                found = mktime(&tm);
                if (found <= 0)
                        return -EINVAL;
                *ret_usec = (uint64_t) found * USEC_PER_SEC;
                return 0;
        }
        return -EINVAL;
}

int time_text_parse(const char *text, uint64_t now_usec, uint64_t *ret_usec) {
        guint64 seconds;

        if (strcmp(text, "now") == 0) {
                *ret_usec = now_usec;
                return 0;
        }
        if (*text == '@') {
                if (!g_ascii_string_to_unsigned(text + 1, 10, 1, SECONDS_MAX, &seconds, NULL))
                        return -EINVAL;
                *ret_usec = seconds * USEC_PER_SEC;
                return 0;
        }
        if (*text == '+' || *text == '-')
                return parse_relative(text, now_usec, ret_usec);
        return parse_calendar(text, now_usec, ret_usec);
}
