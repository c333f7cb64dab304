/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text for people: what may reach a terminal and in which colour; fields and times. Tables: output-table.c.
 */

#include "ctl/output.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool utf8_locale;
static bool colours_on;

static const char *const colour_sequences[_COLOUR_MAX] = {
        [COLOUR_NONE] = "",           [COLOUR_RED] = "\033[31m", [COLOUR_GREEN] = "\033[32m",
        [COLOUR_YELLOW] = "\033[33m", [COLOUR_BOLD] = "\033[1m",
};

void output_init(void) {
        const char *no_color = getenv("NO_COLOR");
        const char *term = getenv("TERM");

        setlocale(LC_ALL, "");
        utf8_locale = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
        colours_on = isatty(STDOUT_FILENO) && (!no_color || !*no_color) && term && strcmp(term, "dumb") != 0;
        setvbuf(stdout, NULL, _IOLBF, 0);
}

bool output_colours(void) {
        return colours_on;
}

bool output_is_printable(gunichar c) {
        GUnicodeType type;

        if (c < 0x80)
                return c >= 0x20 && c < 0x7f;
        if (!utf8_locale || !g_unichar_isprint(c))
                return false;
        type = g_unichar_type(c);
        return type != G_UNICODE_LINE_SEPARATOR && type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

static void append_escaped(GString *out, gunichar c) {
        if (c == '\\')
                g_string_append(out, "\\\\");
        else if (output_is_printable(c))
                g_string_append_unichar(out, c);
        else if (c < 0x80)
                g_string_append_printf(out, "\\x%02x", c);
        else if (c < 0x10000)
                g_string_append_printf(out, "\\u%04x", c);
        else
                g_string_append_printf(out, "\\U%08x", c);
}

char *output_escape(const char *text) {
        GString *out = g_string_new(NULL);

        while (*text) {
                gunichar c = g_utf8_get_char_validated(text, -1);

                if (c == (gunichar) -1 || c == (gunichar) -2) {
                        g_string_append_printf(out, "\\x%02x", (unsigned char) *text);
                        text++;
                        continue;
                }
                append_escaped(out, c);
                text = g_utf8_next_char(text);
        }
        return g_string_free(out, FALSE);
}

_printf_(1, 0) static char *format_escaped(const char *format, va_list arguments) {
        g_autofree char *text = g_strdup_vprintf(format, arguments);

        return output_escape(text);
}

void output_print(Colour colour, const char *format, ...) {
        bool coloured = colours_on && colour != COLOUR_NONE;
        g_autofree char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        text = format_escaped(format, arguments);
        va_end(arguments);
        printf("%s%s%s", coloured ? colour_sequences[colour] : "", text, coloured ? "\033[0m" : "");
}

void output_line(const char *format, ...) {
        g_autofree char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        text = format_escaped(format, arguments);
        va_end(arguments);
        puts(text);
}

void output_note(const char *format, ...) {
        g_autofree char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        text = format_escaped(format, arguments);
        va_end(arguments);
        fflush(stdout);
        fprintf(stderr, "%s\n", text);
}

void output_field(int width, const char *label, Colour colour, const char *value) {
        g_autofree char *safe = output_escape(label);

        printf("%*s: ", width, safe);
        output_print(colour, "%s", output_or_dash(value));
        putchar('\n');
}

const char *output_arrow(void) {
        return utf8_locale ? "→" : "->";
}

const char *output_or_dash(const char *text) {
        return text && *text ? text : "-";
}

Colour output_state_colour(const char *state) {
        static const struct {
                const char *state;
                Colour colour;
        } colours[] = {
                { "pending", COLOUR_YELLOW },    { "scheduled", COLOUR_YELLOW },
                { "activating", COLOUR_YELLOW }, { "failed", COLOUR_RED },
                { "quarantined", COLOUR_RED },   { "stale", COLOUR_YELLOW },
                { "succeeded", COLOUR_GREEN },   { "unknown", COLOUR_RED },
                { "unverified", COLOUR_YELLOW }, { "refused", COLOUR_YELLOW },
                { "active", COLOUR_GREEN },      { "unenforceable", COLOUR_RED },
                { "no-driver", COLOUR_RED },     { "no-firmware", COLOUR_RED },
                { "tree-lost", COLOUR_RED },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(colours); i++)
                if (strcmp(colours[i].state, state) == 0)
                        return colours[i].colour;
        return COLOUR_NONE;
}

char *output_span(uint64_t usec) {
        uint64_t seconds = usec / USEC_PER_SEC;

        if (usec < 1000)
                return g_strdup_printf("%" G_GUINT64_FORMAT " us", usec);
        if (seconds < 1)
                return g_strdup_printf("%" G_GUINT64_FORMAT " ms", (uint64_t) (usec / USEC_PER_MSEC));
        if (seconds < 120)
                return g_strdup_printf("%" G_GUINT64_FORMAT " s", seconds);
        if (seconds < 2 * 3600)
                return g_strdup_printf("%" G_GUINT64_FORMAT " min", seconds / 60);
        if (seconds < 2 * 86400)
                return g_strdup_printf("%" G_GUINT64_FORMAT " h", seconds / 3600);
        return g_strdup_printf("%" G_GUINT64_FORMAT " days", seconds / 86400);
}

char *output_time(uint64_t usec) {
        g_autoptr(GDateTime) date = NULL;
        g_autofree char *text = NULL, *age = NULL;
        uint64_t now = (uint64_t) g_get_real_time();

        if (usec == 0)
                return g_strdup("-");
        if (usec == UINT64_MAX)
                return g_strdup("never");
        date = g_date_time_new_from_unix_local((gint64) (usec / USEC_PER_SEC));
        if (!date)
                return g_strdup_printf("%" G_GUINT64_FORMAT " us", usec);
        text = g_date_time_format(date, "%Y-%m-%d %H:%M:%S %Z");
        age = output_span(usec <= now ? now - usec : usec - now);
        return g_strdup_printf(usec <= now ? "%s (%s ago)" : "%s (in %s)", text, age);
}
