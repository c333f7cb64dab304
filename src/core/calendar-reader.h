/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between the grammar of calendar expressions and the numbers in them. */

#include "core/calendar-internal.h"
#include "util/macros.h"

/* So many bytes of a text, which can be anything, are repeated to people. */
#define READER_SHOWN_MAX 60

/* The text is read once, from the left; why is what to say of the first thing that cannot be. */
typedef struct Reader {
        const char *p;
        Calendar *calendar;
        char *why;
} Reader;

/* Both return -EINVAL, and make why printable. wanted: what should stand at the place reached, "a number". */
_printf_(2, 3) int reader_refuse(Reader *reader, const char *format, ...);
int reader_refuse_rest(Reader *reader, const char *wanted);

void reader_skip_spaces(Reader *reader);
/* Goes past this text and returns true, if it is what comes next. */
bool reader_take(Reader *reader, const char *text);

/* An array for ranges as they stand in the text; what they are of is often known only after them. */
GArray *calendar_new_ranges(void);

/* "*", which leaves ranges empty, or FIRST[..LAST][/STEP],... seconds: in µs and with fractions. */
int reader_read_ranges(Reader *reader, bool seconds, GArray *ranges);

/* Makes ranges the field's, once they are checked. For the days, from_month_end of the calendar must be set before. */
int reader_set_field(Reader *reader, CalendarField field, const GArray *ranges);
int reader_set_seconds(Reader *reader, const GArray *ranges);
int reader_set_value(Reader *reader, CalendarField field, int64_t value);
