/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tables: on a terminal fitted to its width, elsewhere plain and never cut. */

#include "ctl/output.h"

#include <libsmartcols/libsmartcols.h>

typedef struct OutputColumn {
        const char *title;
        size_t least; /* on a narrow terminal its text is put on several lines of so many columns at least; 0: never */
} OutputColumn;

typedef struct libscols_table OutputTable;

/* columns ends with a NULL title. legend: whether titles stand above. */
OutputTable *output_table_new(bool legend, const OutputColumn *columns);

/* cells is NULL-terminated; they are escaped. One of them is shown in colour. */
void output_table_row(OutputTable *table, const char *const *cells, size_t colour_column, Colour colour);

/* Where the terminal is too narrow even with texts on several lines, each row becomes a block of lines with titles. */
void output_table_print(OutputTable *table);

static inline void output_table_freep(OutputTable **table) {
        scols_unref_table(*table);
        *table = NULL;
}
