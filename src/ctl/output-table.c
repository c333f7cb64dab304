/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables with libsmartcols: coloured and fitted on a terminal, plain and never cut elsewhere. */

#include "ctl/output.h"

#include <unistd.h>

static const char *const colour_names[_COLOUR_MAX] = {
        [COLOUR_RED] = "red",
        [COLOUR_GREEN] = "green",
        [COLOUR_YELLOW] = "brown",
};

OutputTable *output_table_new(bool legend, const char *const *columns) {
        OutputTable *table = scols_new_table();

        g_assert(table); /* no memory: GLib ends the program as well */
        scols_table_enable_noheadings(table, !legend);
        scols_table_enable_colors(table, output_colours());
        /* The cells are escaped here already; libsmartcols would escape the escapes. */
        scols_table_enable_noencoding(table, 1);
        if (!isatty(STDOUT_FILENO))
                scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
        for (; *columns; columns++)
                scols_table_new_column(table, *columns, 0, 0);
        return table;
}

void output_table_row(OutputTable *table, const char *const *cells, size_t colour_column, Colour colour) {
        struct libscols_line *line = scols_table_new_line(table, NULL);

        for (size_t i = 0; cells[i]; i++) {
                char *safe = output_escape(output_or_dash(cells[i]));

                /* malloc and g_malloc are the same since GLib 2.46: the table frees it */
                scols_line_refer_data(line, i, safe);
        }
        if (colour_names[colour])
                scols_cell_set_color(scols_line_get_cell(line, colour_column), colour_names[colour]);
}

void output_table_print(OutputTable *table) {
        if (scols_table_get_nlines(table) > 0)
                scols_print_table(table);
}
