/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text for people: colours, fields, spans. All text that lfactl prints goes through here or json-output.h:
 * strings from the bus are not trusted, and a control character of theirs never reaches a terminal. */

#include "util/macros.h"

#include <glib.h>
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

/* False when something of what was printed did not get out, because of a full disk for example. */
bool output_finish(void);

/* True when standard output takes colours. */
bool output_colours(void);

/* How many columns a terminal has, or COLUMNS says; 0 when the stream is none, and nothing needs to fit. */
size_t output_width(FILE *stream);

/* How many columns a text takes that has nothing in it to be escaped. */
size_t output_text_width(const char *text);

/* True when c can be printed as it is: no control or formatting character, and the locale can show it. */
bool output_is_printable(gunichar c);

/* What is not printable as \xNN, \uNNNN or \UNNNNNNNN, a backslash beside it doubled. A text of which all is printable
 * stays as it is: lfad may have escaped it. The caller frees the answer. */
char *output_escape(const char *text);

/* Formats, escapes the whole and prints it to standard output, without a newline. */
void output_print(Colour colour, const char *format, ...) _printf_(2, 3);

/* The same with a newline. */
void output_line(const char *format, ...) _printf_(1, 2);

/* Two texts, each escaped, with a tab between, for programs. */
void output_pair(const char *a, const char *b);

/* The same as output_line() to standard error. */
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

/* "1 file", "2 files": noun is the singular of one that takes an s. The caller frees it. */
char *output_count(uint64_t count, const char *noun);

/* "350 ms", "12 s", "3 min", ...: to the nearest. The caller frees it. */
char *output_span(uint64_t usec);
