/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether the text is such a line already: valid UTF-8 without anything that would be escaped but a backslash. */
bool is_printable(const char *text);

/* The text as one line that may be shown anywhere: valid UTF-8, in which control and format characters (line ends, escape
 * sequences, reversed writing) and stray bytes stand as \xNN, and a backslash as two. What does not fit into max bytes is
 * cut off, and three dots say so. The caller frees it. */
char *printable(const char *text, size_t max);

/* The same, but a text that is such a line and fits stays as it is, backslashes too: for what is passed on by several,
 * each of whom would double them. */
char *printable_once(const char *text, size_t max);
