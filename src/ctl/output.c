/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text for people: what may reach a terminal and in which colour; fields and spans. Tables: output-table.c.
 */

#include "ctl/output.h"

#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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

bool output_finish(void) {
        /* Who closed it does not want any. */
        return (fflush(stdout) == 0 && !ferror(stdout)) || fcntl(STDOUT_FILENO, F_GETFD) < 0;
}

bool output_colours(void) {
        return colours_on;
}

size_t output_width(FILE *stream) {
        const char *columns = getenv("COLUMNS");
        struct winsize size;
        guint64 number;

        if (!isatty(fileno(stream)))
                return 0;
        if (columns && g_ascii_string_to_unsigned(columns, 10, 1, UINT16_MAX, &number, NULL))
                return number;
        return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

size_t output_text_width(const char *text) {
        size_t width = 0;

        for (; *text; text = g_utf8_next_char(text)) {
                gunichar c = g_utf8_get_char(text);

                width += g_unichar_iswide(c) ? 2 : g_unichar_iszerowidth(c) ? 0 : 1;
        }
        return width;
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

static bool all_is_printable(const char *text) {
        if (!g_utf8_validate(text, -1, NULL))
                return false;
        for (; *text; text = g_utf8_next_char(text))
                if (!output_is_printable(g_utf8_get_char(text)))
                        return false;
        return true;
}

char *output_escape(const char *text) {
        GString *out;

        if (all_is_printable(text))
                return g_strdup(text);
        out = g_string_new(NULL);

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

void output_pair(const char *a, const char *b) {
        g_autofree char *safe_a = output_escape(a), *safe_b = output_escape(b);

        printf("%s\t%s\n", safe_a, safe_b);
}

void output_note(const char *format, ...) {
        g_autofree char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        text = format_escaped(format, arguments);
        va_end(arguments);
        (void) fflush(stdout);
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

char *output_count(uint64_t count, const char *noun) {
        return g_strdup_printf("%" G_GUINT64_FORMAT " %s%s", count, noun, count == 1 ? "" : "s");
}

char *output_span(uint64_t usec) {
        static const struct {
                const char *name;
                uint64_t usec, below; /* so many are told in the next one */
        } units[] = {
                { "us", 1, 1000 },
                { "ms", USEC_PER_MSEC, 1000 },
                { "s", USEC_PER_SEC, 120 },
                { "min", 60 * USEC_PER_SEC, 120 },
                { "h", 3600 * USEC_PER_SEC, 48 },
                { "days", 86400 * USEC_PER_SEC, UINT64_MAX },
        };

        for (size_t i = 0;; i++) {
                uint64_t count = usec / units[i].usec + (usec % units[i].usec * 2 >= units[i].usec);

                if (count < units[i].below)
                        return g_strdup_printf("%" G_GUINT64_FORMAT " %s", count, units[i].name);
        }
}
