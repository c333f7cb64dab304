/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading time spans. */

#include "core/time-span.h"
#include "util/macros.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#define MINUTE (60 * USEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* Months and years, whose length is a matter of taste, are left out. */
static const struct {
        const char *name;
        uint64_t usec;
} units[] = {
        { "us", 1 },
        { "usec", 1 },
        { "µs", 1 },
        { "ms", USEC_PER_MSEC },
        { "msec", USEC_PER_MSEC },
        { "s", USEC_PER_SEC },
        { "sec", USEC_PER_SEC },
        { "second", USEC_PER_SEC },
        { "seconds", USEC_PER_SEC },
        { "m", MINUTE },
        { "min", MINUTE },
        { "minute", MINUTE },
        { "minutes", MINUTE },
        { "h", HOUR },
        { "hr", HOUR },
        { "hour", HOUR },
        { "hours", HOUR },
        { "d", DAY },
        { "day", DAY },
        { "days", DAY },
        { "w", 7 * DAY },
        { "week", 7 * DAY },
        { "weeks", 7 * DAY },
};

/* A number with its fraction, as it stands in the text. */
typedef struct Number {
        uint64_t whole;
        const char *fraction; /* its digits end at the first that is none */
} Number;

static const char *skip_blanks(const char *p) {
        return p + strspn(p, " \t");
}

static int read_number(const char **p, Number *ret) {
        Number number = { .fraction = "" };
        const char *start = *p;

        for (; g_ascii_isdigit(**p); (*p)++)
                if (__builtin_mul_overflow(number.whole, 10, &number.whole) ||
                    __builtin_add_overflow(number.whole, (uint64_t) (**p - '0'), &number.whole))
                        return -ERANGE;
        if (*p == start)
                return -EINVAL;
        if (**p == '.') {
                number.fraction = ++*p;
                *p += strspn(*p, "0123456789");
                if (*p == number.fraction)
                        return -EINVAL;
        }
        *ret = number;
        return 0;
}

/* Returns the unit's µs, or 0 when it is none. */
static uint64_t read_unit(const char **p) {
        size_t length = strcspn(*p, " \t.0123456789");

        for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
                if (strlen(units[i].name) == length && strncmp(units[i].name, *p, length) == 0) {
                        *p += length;
                        return units[i].usec;
                }
        return 0;
}

static int add_span(const Number *number, uint64_t unit, uint64_t *total) {
        uint64_t usec, fraction = 0, scale = unit / 10;

        for (const char *p = number->fraction; g_ascii_isdigit(*p); p++, scale /= 10)
                fraction += (uint64_t) (*p - '0') * scale;
        if (__builtin_mul_overflow(number->whole, unit, &usec) ||
            __builtin_add_overflow(usec, fraction, &usec) || __builtin_add_overflow(*total, usec, total))
                return -ERANGE;
        return 0;
}

int time_span_parse(const char *text, uint64_t *ret_usec) {
        const char *p = skip_blanks(text);
        uint64_t total = 0;
        bool first = true;

        if (!*p)
                return -EINVAL;
        for (; *p; first = false) {
                Number number;
                uint64_t unit;
                int r = read_number(&p, &number);

                if (r < 0)
                        return r;
                p = skip_blanks(p);
                unit = first && !*p ? USEC_PER_SEC : read_unit(&p);
                if (unit == 0)
                        return -EINVAL;
                r = add_span(&number, unit, &total);
                if (r < 0)
                        return r;
                p = skip_blanks(p);
        }
        *ret_usec = total;
        return 0;
}
