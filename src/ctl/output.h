/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text for people: colours, tables, times. All text that lfactl prints goes through here or json-output.h:
 * strings from the bus are not trusted, and a control character of theirs never reaches a terminal. */

#include "util/macros.h"

#include <glib.h>
#include <libsmartcols/libsmartcols.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum Colour {
        COLOUR_NONE,
        COLOUR_RED,
        COLOUR_GREEN,
        COLOUR_YELLOW,
        COLOUR_BOLD,
        _COLOUR_MAX,
} Colour;

/* Looks at the locale, the terminal and NO_COLOR (no-color.org); call it once, first. */
void output_init(void);

/* True when standard output takes colours. */
bool output_colours(void);

/* True when c can be printed as it is: no control or formatting character, and the locale can show it. */
bool output_is_printable(gunichar c);

/* What is not printable as \xNN, \uNNNN or \UNNNNNNNN, a backslash doubled. The caller frees the answer. */
char *output_escape(const char *text);

/* Formats, escapes the whole and prints it to standard output, without a newline. */
void output_print(Colour colour, const char *format, ...) _printf_(2, 3);

/* The same with a newline. */
void output_line(const char *format, ...) _printf_(1, 2);

/* The same to standard error. */
void output_note(const char *format, ...) _printf_(1, 2);

/* "label: value" with the label to the right in width columns, so that the colons stand below one another.
 */
#define FIELD_NARROW 8 /* for "Driver", "Uevents", ... */
#define FIELD_WIDE 22  /* for the names of properties */
void output_field(int width, const char *label, Colour colour, const char *value);

/* An arrow that the locale can show. */
const char *output_arrow(void);

/* "-" for an empty text. */
const char *output_or_dash(const char *text);

/* The colour that an image's state or a job's result is shown in. */
Colour output_state_colour(const char *state);

/* Local time with zone and age; "-" for 0, "never" for UINT64_MAX. usec is of CLOCK_REALTIME. */
char *output_time(uint64_t usec);

/* "350 ms", "12 s", "3 min", ... */
char *output_span(uint64_t usec);

/* Tables. columns and cells are NULL-terminated; a cell of colour_column is shown in colour. Cells are
 * escaped. */
typedef struct libscols_table OutputTable;
OutputTable *output_table_new(bool legend, const char *const *columns);
void output_table_row(OutputTable *table, const char *const *cells, size_t colour_column, Colour colour);
void output_table_print(OutputTable *table);

static inline void output_table_freep(OutputTable **table) {
        scols_unref_table(*table);
        *table = NULL;
}
