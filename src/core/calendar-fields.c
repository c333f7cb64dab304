/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading what a field of a calendar expression lists: numbers, ranges and steps, checked against what it can hold. */

#include "core/calendar-reader.h"
#include "util/macros.h"
#include "util/printable.h"

#include <string.h>

/* As many as systemd takes: nobody needs them, and each costs time in the search. */
#define RANGES_MAX 241

/* Bytes of a sentence that says why an expression was refused. */
#define WHY_MAX 300

#define MINUTE_USEC (60 * (int64_t) USEC_PER_SEC)

/* Each month has that many days, and only these can be counted from its end. */
#define SHORTEST_MONTH 28

/* A range as it stands in the text lacks what was not given. */
#define NOT_GIVEN ((int64_t) -1)

const CalendarBounds calendar_bounds[_CALENDAR_FIELD_MAX] = {
        [CALENDAR_YEAR] = { "A year", "years", CALENDAR_YEAR_FIRST, CALENDAR_YEAR_LAST },
        [CALENDAR_MONTH] = { "A month", "months", 1, 12 },
        [CALENDAR_DAY] = { "A day", "days", 1, 31 },
        [CALENDAR_HOUR] = { "An hour", "hours", 0, 23 },
        [CALENDAR_MINUTE] = { "A minute", "minutes", 0, 59 },
        [CALENDAR_SECOND] = { "A second", "seconds", 0, MINUTE_USEC - 1 },
};

static int64_t unit_of(CalendarField field) {
        return field == CALENDAR_SECOND ? (int64_t) USEC_PER_SEC : 1;
}

int reader_refuse(Reader *reader, const char *format, ...) {
        g_autofree char *why = NULL;
        va_list arguments;

        va_start(arguments, format);
        why = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        reader->why = printable_once(why, WHY_MAX);
        return -EINVAL;
}

int reader_refuse_rest(Reader *reader, const char *wanted) {
        if (!*reader->p)
                return reader_refuse(reader, "It ends where %s is missing.", wanted);
        return reader_refuse(reader, "'%.*s' stands where %s should.", READER_SHOWN_MAX, reader->p, wanted);
}

void reader_skip_spaces(Reader *reader) {
        reader->p += strspn(reader->p, " ");
}

bool reader_take(Reader *reader, const char *text) {
        if (!g_str_has_prefix(reader->p, text))
                return false;
        reader->p += strlen(text);
        return true;
}

/* Digits as µs of a fraction of a second, rounded to whole ones. */
static int64_t read_fraction(Reader *reader) {
        size_t digits = strspn(reader->p, "0123456789");
        int64_t usec = 0;

        for (size_t i = 0; i < 6; i++)
                usec = usec * 10 + (i < digits ? reader->p[i] - '0' : 0);
        if (digits > 6 && reader->p[6] >= '5')
                usec++;
        reader->p += digits;
        return usec;
}

/* A number, for the seconds one of µs. */
static int read_value(Reader *reader, bool seconds, int64_t *ret) {
        int64_t unit = seconds ? (int64_t) USEC_PER_SEC : 1, value = 0;

        if (!g_ascii_isdigit(*reader->p))
                return reader_refuse_rest(reader, "a number");
        for (; g_ascii_isdigit(*reader->p); reader->p++) {
                value = value * 10 + *reader->p - '0';
                if (value > G_MAXINT32 / unit)
                        return reader_refuse(reader, "It has a number that is too large.");
        }
        value *= unit;
        if (seconds && reader->p[0] == '.' && g_ascii_isdigit(reader->p[1])) {
                reader->p++;
                value += read_fraction(reader);
        }
        *ret = value;
        return 0;
}

/* FIRST[..LAST][/STEP] */
static int read_range(Reader *reader, bool seconds, CalendarRange *ret) {
        CalendarRange range = { .stop = NOT_GIVEN, .step = NOT_GIVEN };
        int r = read_value(reader, seconds, &range.start);

        if (r >= 0 && reader_take(reader, ".."))
                r = read_value(reader, seconds, &range.stop);
        if (r >= 0 && reader_take(reader, "/"))
                r = read_value(reader, seconds, &range.step);
        if (r >= 0 && range.step == 0)
                r = reader_refuse(reader, "A step of 0 leads nowhere; '/' takes 1 or more.");
        *ret = range;
        return MIN(r, 0);
}

/* "*" or ranges with commas between. */
int reader_read_ranges(Reader *reader, bool seconds, GArray *ranges) {
        if (reader_take(reader, "*"))
                return 0;
        do {
                CalendarRange range;
                int r = read_range(reader, seconds, &range);

                if (r < 0)
                        return r;
                if (ranges->len == RANGES_MAX)
                        return reader_refuse(reader, "It lists more than %d values in one place.",
                                             RANGES_MAX);
                g_array_append_val(ranges, range);
        } while (reader_take(reader, ","));
        return 0;
}

/* Years may be given by their last two digits: 70 to 99 are of the 20th century, the others of the 21st. */
static int64_t whole_year(int64_t year) {
        if (year < 0 || year >= 100)
                return year;
        return year + (year < 70 ? 2000 : 1900);
}

/* Gives a range what was left out. Without an end it goes to the field's last value; days that are numbered from the end of
 * the month go there too, to the last day, which is 1. A stop that no step meets is drawn in. */
static void complete_range(CalendarField field, bool backwards, CalendarRange *range) {
        CalendarRange given = *range;

        if (given.step == NOT_GIVEN)
                range->step = unit_of(field);
        if (given.stop != NOT_GIVEN)
                range->stop -= (given.stop - given.start) % range->step;
        else if (given.step == NOT_GIVEN)
                range->stop = given.start;
        else if (backwards)
                *range = (CalendarRange){ .start = 1, .stop = given.start, .step = given.step };
        else
                range->stop = calendar_bounds[field].last;
}

/* Checks a range as it was given, and completes it. */
static int check_range(Reader *reader, CalendarField field, bool backwards, CalendarRange *range) {
        const CalendarBounds *bounds = &calendar_bounds[field];
        int64_t last = backwards ? SHORTEST_MONTH : bounds->last;
        bool open = range->stop == NOT_GIVEN, stepping = range->step != NOT_GIVEN;

        if (!open && range->stop < range->start)
                return reader_refuse(reader,
                                     "A range of %s ends before it begins; the smaller number comes first.",
                                     bounds->plural);
        complete_range(field, backwards, range);
        if (range->start < bounds->first || range->start > last || range->stop > last)
                return reader_refuse(reader, "%s can be %d to %d%s.", bounds->name,
                                     (int) (bounds->first / unit_of(field)), (int) (last / unit_of(field)),
                                     backwards ? " from the end of a month, as all have these" : "");
        if (open && stepping && range->step > range->stop - range->start)
                return reader_refuse(reader, "The step behind one of the %s leads beyond the last one.",
                                     bounds->plural);
        return 0;
}

/* Makes these ranges the field's. */
int reader_set_field(Reader *reader, CalendarField field, const GArray *ranges) {
        bool backwards = field == CALENDAR_DAY && reader->calendar->from_month_end;

        for (guint i = 0; i < ranges->len; i++) {
                CalendarRange range = g_array_index(ranges, CalendarRange, i);
                int r;

                if (field == CALENDAR_YEAR) {
                        range.start = whole_year(range.start);
                        range.stop = whole_year(range.stop);
                }
                r = check_range(reader, field, backwards, &range);
                if (r < 0)
                        return r;
                g_array_append_val(reader->calendar->fields[field], range);
        }
        return 0;
}

int reader_set_value(Reader *reader, CalendarField field, int64_t value) {
        CalendarRange range = { .start = value, .stop = value, .step = 1 };

        g_array_append_val(reader->calendar->fields[field], range);
        return 0;
}

/* "*" means each full second. */
int reader_set_seconds(Reader *reader, const GArray *ranges) {
        CalendarRange full = { .stop = 59 * (int64_t) USEC_PER_SEC, .step = (int64_t) USEC_PER_SEC };

        if (ranges->len > 0)
                return reader_set_field(reader, CALENDAR_SECOND, ranges);
        g_array_append_val(reader->calendar->fields[CALENDAR_SECOND], full);
        return 0;
}

GArray *calendar_new_ranges(void) {
        return g_array_new(FALSE, FALSE, sizeof(CalendarRange));
}
