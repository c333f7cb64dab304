/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading calendar expressions: [WEEKDAYS] [DATE] [TIME] [ZONE], a shorthand or @SECONDS. */

#include "core/calendar-reader.h"
#include "core/time-zone.h"
#include "util/macros.h"

#include <string.h>

static const struct {
        const char *name, *expression;
} shorthands[] = {
        { "minutely", "*-*-* *:*:00" },
        { "hourly", "*-*-* *:00:00" },
        { "daily", "*-*-* 00:00:00" },
        { "monthly", "*-*-01 00:00:00" },
        { "weekly", "Mon *-*-* 00:00:00" },
        { "yearly", "*-01-01 00:00:00" },
        { "annually", "*-01-01 00:00:00" },
        { "anually", "*-01-01 00:00:00" },
        { "quarterly", "*-01,04,07,10-01 00:00:00" },
        { "semiannually", "*-01,07-01 00:00:00" },
        { "semi-annually", "*-01,07-01 00:00:00" },
        { "biannually", "*-01,07-01 00:00:00" },
        { "bi-annually", "*-01,07-01 00:00:00" },
};

static const char *const weekday_names[] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
                                             "Friday", "Saturday", "Sunday" };

/* A full name or its first three letters. Returns its number, 0 = Monday. */
static int read_weekday(Reader *reader) {
        size_t length = strcspn(reader->p, " ,-.");

        for (int i = 0; i < (int) G_N_ELEMENTS(weekday_names); i++)
                if ((length == 3 || length == strlen(weekday_names[i])) &&
                    g_ascii_strncasecmp(reader->p, weekday_names[i], length) == 0) {
                        reader->p += length;
                        return i;
                }
        return reader_refuse(
                        reader,
                        "'%.*s' is no day of the week; these are Mon, Tue, Wed, Thu, Fri, Sat, Sun, or their full "
                        "names.",
                        (int) MIN(length, READER_SHOWN_MAX), reader->p);
}

static int read_weekday_range(Reader *reader) {
        int first = read_weekday(reader), last = first;

        if (first < 0)
                return first;
        if (reader_take(reader, "..") || reader_take(reader, "-"))
                last = read_weekday(reader);
        if (last < 0)
                return last;
        if (last < first)
                return reader_refuse(reader, "The week begins on Monday, so %s..%s is no range; write two.",
                                     weekday_names[first], weekday_names[last]);
        for (int i = first; i <= last; i++)
                reader->calendar->weekdays |= 1U << i;
        return 0;
}

/* A comma may stand behind the last one: "Wed, 17:48". */
static int read_weekdays(Reader *reader) {
        if (!g_ascii_isalpha(*reader->p)) {
                reader->calendar->weekdays = CALENDAR_EVERY_DAY;
                return 0;
        }
        do {
                int r = read_weekday_range(reader);

                if (r < 0)
                        return r;
        } while (reader_take(reader, ",") && *reader->p && *reader->p != ' ');
        if (*reader->p && *reader->p != ' ')
                return reader_refuse_rest(reader, "a space, ',' or '..' after a day of the week");
        reader_skip_spaces(reader);
        return 0;
}

/* HOUR:MINUTE[:SECOND], of which the hours were read. */
static int read_time(Reader *reader, const GArray *hours) {
        g_autoptr(GArray) minutes = calendar_new_ranges();
        g_autoptr(GArray) seconds = calendar_new_ranges();
        int r;

        if (!reader_take(reader, ":"))
                return reader_refuse_rest(reader, "':' after the hours");
        r = reader_read_ranges(reader, false, minutes);
        if (r >= 0)
                r = reader_set_field(reader, CALENDAR_HOUR, hours);
        if (r >= 0)
                r = reader_set_field(reader, CALENDAR_MINUTE, minutes);
        if (r >= 0 && reader_take(reader, ":")) {
                r = reader_read_ranges(reader, true, seconds);
                if (r >= 0)
                        r = reader_set_seconds(reader, seconds);
        } else if (r >= 0)
                r = reader_set_value(reader, CALENDAR_SECOND, 0);
        if (r >= 0 && *reader->p)
                return reader_refuse_rest(reader, "the end or a time zone of the tz database");
        return r;
}

/* MONTH-DAY, MONTH~DAY, YEAR-MONTH-DAY or YEAR-MONTH~DAY, of which the first was read. */
static int read_date(Reader *reader, const GArray *first) {
        g_autoptr(GArray) second = calendar_new_ranges();
        g_autoptr(GArray) third = calendar_new_ranges();
        bool backwards = reader_take(reader, "~");
        int r;

        if (!backwards)
                reader->p++; /* "-" */
        r = reader_read_ranges(reader, false, second);
        if (r < 0)
                return r;
        if (backwards || (*reader->p != '-' && *reader->p != '~')) {
                reader->calendar->from_month_end = backwards;
                r = reader_set_field(reader, CALENDAR_MONTH, first);
                return r < 0 ? r : reader_set_field(reader, CALENDAR_DAY, second);
        }
        reader->calendar->from_month_end = *reader->p++ == '~';
        r = reader_read_ranges(reader, false, third);
        if (r >= 0)
                r = reader_set_field(reader, CALENDAR_YEAR, first);
        if (r >= 0)
                r = reader_set_field(reader, CALENDAR_MONTH, second);
        return r < 0 ? r : reader_set_field(reader, CALENDAR_DAY, third);
}

static int set_midnight(Reader *reader) {
        (void) reader_set_value(reader, CALENDAR_HOUR, 0);
        (void) reader_set_value(reader, CALENDAR_MINUTE, 0);
        return reader_set_value(reader, CALENDAR_SECOND, 0);
}

/* [DATE] [TIME]: what follows its first number tells which it is. */
static int read_date_and_time(Reader *reader) {
        g_autoptr(GArray) first = calendar_new_ranges();
        g_autoptr(GArray) hours = calendar_new_ranges();
        int r;

        if (!*reader->p)
                return set_midnight(reader);
        r = reader_read_ranges(reader, false, first);
        if (r < 0)
                return r;
        if (*reader->p == ':')
                return read_time(reader, first);
        if (*reader->p != '-' && *reader->p != '~')
                return reader_refuse_rest(reader, "'-' of a date or ':' of a time");
        r = read_date(reader, first);
        if (r < 0)
                return r;
        if (*reader->p && *reader->p != ' ')
                return reader_refuse_rest(reader, "the end of the date");
        reader_skip_spaces(reader);
        if (!*reader->p)
                return set_midnight(reader);
        r = reader_read_ranges(reader, false, hours);
        return r < 0 ? r : read_time(reader, hours);
}

/* @SECONDS since 1970, which is in UTC whatever zone follows. */
static int read_epoch(Reader *reader) {
        g_autoptr(GDateTime) date = NULL;
        uint64_t sec;
        char *end;

        reader_skip_spaces(reader);
        if (!g_ascii_isdigit(*reader->p))
                return reader_refuse_rest(reader, "a number of seconds since 1970");
        sec = g_ascii_strtoull(reader->p, &end, 10);
        reader->p = end;
        if (*end)
                return reader_refuse_rest(reader, "the end");
        date = sec > G_MAXINT32 * UINT64_C(4) ? NULL : g_date_time_new_from_unix_utc((gint64) sec);
        if (!date || g_date_time_get_year(date) > CALENDAR_YEAR_LAST)
                return reader_refuse(reader, "That is after the year %d.", CALENDAR_YEAR_LAST);
        g_clear_pointer(&reader->calendar->zone, g_time_zone_unref);
        reader->calendar->zone = g_time_zone_new_utc();
        (void) reader_set_value(reader, CALENDAR_YEAR, g_date_time_get_year(date));
        (void) reader_set_value(reader, CALENDAR_MONTH, g_date_time_get_month(date));
        (void) reader_set_value(reader, CALENDAR_DAY, g_date_time_get_day_of_month(date));
        (void) reader_set_value(reader, CALENDAR_HOUR, g_date_time_get_hour(date));
        (void) reader_set_value(reader, CALENDAR_MINUTE, g_date_time_get_minute(date));
        return reader_set_value(reader, CALENDAR_SECOND,
                                g_date_time_get_second(date) * (int64_t) USEC_PER_SEC);
}

static const char *expand_shorthand(const char *text) {
        for (size_t i = 0; i < G_N_ELEMENTS(shorthands); i++)
                if (g_ascii_strcasecmp(text, shorthands[i].name) == 0)
                        return shorthands[i].expression;
        return text;
}

static Calendar *calendar_new(void) {
        Calendar *calendar = g_new0(Calendar, 1);

        for (int i = 0; i < _CALENDAR_FIELD_MAX; i++)
                calendar->fields[i] = calendar_new_ranges();
        return calendar;
}

int calendar_parse(const char *text, Calendar **ret, char **ret_why) {
        g_autoptr(Calendar) calendar = calendar_new();
        g_autofree char *body = g_strdup(text);
        Reader reader = { .calendar = calendar };
        int r;

        calendar->zone = time_zone_cut(body);
        reader.p = expand_shorthand(body);
        if (!*reader.p || *reader.p == ' ')
                r = reader_refuse(
                                &reader,
                                "A calendar expression is expected, such as 'Sat,Sun 03:30 Europe/Berlin'.");
        else
                r = read_weekdays(&reader);
        if (r >= 0)
                r = reader_take(&reader, "@") ? read_epoch(&reader) : read_date_and_time(&reader);
        if (r < 0) {
                *ret_why = reader.why;
                return r;
        }
        *ret = g_steal_pointer(&calendar);
        return 0;
}

void *calendar_free(Calendar *calendar) {
        if (!calendar)
                return NULL;
        for (int i = 0; i < _CALENDAR_FIELD_MAX; i++)
                g_array_unref(calendar->fields[i]);
        g_clear_pointer(&calendar->zone, g_time_zone_unref);
        g_free(calendar);
        return NULL;
}

GTimeZone *calendar_zone(const Calendar *calendar) {
        return calendar->zone;
}
