/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables with libsmartcols. It would cut what does not fit: here texts are put on several lines before, so that it never
 * has to. */

#include "ctl/output-table.h"

#include "util/guid.h"

#include <string.h>

static const char *const colour_names[_COLOUR_MAX] = {
        [COLOUR_RED] = "red",
        [COLOUR_GREEN] = "green",
        [COLOUR_YELLOW] = "brown",
};

OutputTable *output_table_new(bool legend, const OutputColumn *columns) {
        OutputTable *table = scols_new_table();

        g_assert(table); /* no memory: GLib ends the program as well */
        scols_table_enable_noheadings(table, !legend);
        scols_table_enable_colors(table, output_colours());
        /* The cells are escaped here already; libsmartcols would escape the escapes. */
        scols_table_enable_noencoding(table, 1);
        scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
        for (; columns->title; columns++)
                scols_table_new_column(table, columns->title, (double) columns->least, 0);
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

typedef struct Layout {
        size_t width, least;
} Layout;

static const char *title_of(OutputTable *table, size_t column) {
        return scols_cell_get_data(scols_column_get_header(scols_table_get_column(table, column)));
}

static const char *cell_of(OutputTable *table, size_t line, size_t column) {
        return scols_line_get_column_data(scols_table_get_line(table, line),
                                          scols_table_get_column(table, column));
}

static size_t char_width(gunichar c) {
        return g_unichar_iswide(c) ? 2 : g_unichar_iszerowidth(c) ? 0 : 1;
}

/* How much of the text's beginning stays together, in bytes: a word, or what is before a slash or a hyphen between letters. A
 * GUID stays whole. */
static size_t piece_length(const char *text) {
        size_t word = strcspn(text, " ");
        g_autofree char *copy = g_strndup(text, word);

        for (size_t i = 1; i + 1 < word && !guid_is_valid(copy); i++)
                if (copy[i] == '/' ||
                    (copy[i] == '-' && g_ascii_isalpha(copy[i - 1]) && g_ascii_isalpha(copy[i + 1])))
                        return i + 1;
        return word;
}

static size_t longest_piece(const char *text) {
        size_t longest = 0;

        while (*text) {
                size_t length = piece_length(text);
                g_autofree char *piece = g_strndup(text, length);

                longest = MAX(longest, output_text_width(piece));
                text += length;
                text += strspn(text, " ");
        }
        return longest;
}

/* How wide each column is, and may become. The caller frees it. */
static Layout *measure(OutputTable *table) {
        size_t columns = scols_table_get_ncols(table);
        Layout *layout = g_new0(Layout, columns);

        for (size_t i = 0; i < columns; i++) {
                size_t least = (size_t) scols_column_get_whint(scols_table_get_column(table, i));

                layout[i].width = output_text_width(title_of(table, i));
                least = MAX(least, layout[i].width);
                for (size_t j = 0; j < scols_table_get_nlines(table); j++) {
                        layout[i].width = MAX(layout[i].width, output_text_width(cell_of(table, j, i)));
                        least = MAX(least, longest_piece(cell_of(table, j, i)));
                }
                layout[i].least = scols_column_get_whint(scols_table_get_column(table, i)) > 0
                                                  ? MIN(least, layout[i].width)
                                                  : layout[i].width;
        }
        return layout;
}

/* With a space between columns. */
static size_t total(const Layout *layout, size_t columns) {
        size_t sum = columns - 1;

        for (size_t i = 0; i < columns; i++)
                sum += layout[i].width;
        return sum;
}

/* Takes from the widest column that can give. Returns false when that is not enough. */
static bool narrow(Layout *layout, size_t columns, size_t limit) {
        while (total(layout, columns) > limit) {
                Layout *widest = NULL;

                for (size_t i = 0; i < columns; i++)
                        if (layout[i].width > layout[i].least &&
                            (!widest || layout[i].width > widest->width))
                                widest = &layout[i];
                if (!widest)
                        return false;
                widest->width--;
        }
        return true;
}

/* The end of what of text fits into width, whole pieces if one fits; a longer one may be parted anywhere. */
static const char *line_end(const char *text, size_t width) {
        const char *end = text, *limit = text;
        size_t used = 0;

        for (; *limit; limit = g_utf8_next_char(limit)) {
                used += char_width(g_utf8_get_char(limit));
                if (used > width)
                        break;
        }
        while (*end && end + piece_length(end) <= limit) {
                end += piece_length(end);
                if (end + strspn(end, " ") > limit)
                        break;
                end += strspn(end, " ");
        }
        if (end > text)
                return end;
        return limit > text ? limit : g_utf8_next_char(text);
}

/* The caller frees it. */
static char *break_lines(const char *text, size_t width, const char *separator) {
        GString *lines = g_string_new(NULL);

        while (*text) {
                const char *end = line_end(text, width);

                if (lines->len > 0)
                        g_string_append(lines, separator);
                g_string_append_len(lines, text, end - text);
                while (g_str_has_suffix(lines->str, " "))
                        g_string_truncate(lines, lines->len - 1);
                text = end + strspn(end, " ");
        }
        return g_string_free(lines, FALSE);
}

static void break_cells(OutputTable *table, size_t column, size_t width) {
        struct libscols_column *its_column = scols_table_get_column(table, column);

        scols_column_set_flags(its_column, SCOLS_FL_WRAP);
        scols_column_set_wrapfunc(its_column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
        for (size_t i = 0; i < scols_table_get_nlines(table); i++)
                scols_line_refer_data(scols_table_get_line(table, i), column,
                                      break_lines(cell_of(table, i, column), width, "\n"));
}

/* Without what is empty. */
static void print_block(OutputTable *table, size_t line, size_t title_width, size_t limit) {
        g_autofree char *separator = g_strdup_printf("\n%*s", (int) title_width + 2, "");
        size_t width = limit > 2 * title_width ? limit - title_width - 2 : limit;

        for (size_t i = 0; i < scols_table_get_ncols(table); i++) {
                const char *text = cell_of(table, line, i);
                const char *colour = scols_cell_get_color(
                                scols_line_get_cell(scols_table_get_line(table, line), i));
                g_autofree char *lines = break_lines(text, width, separator);

                if (i > 0 && strcmp(text, "-") == 0)
                        continue;
                colour = output_colours() ? colour : NULL;
                printf("%*s: %s%s%s\n", (int) title_width, title_of(table, i), colour ? colour : "", lines,
                       colour ? "\033[0m" : "");
        }
}

static void print_blocks(OutputTable *table, size_t limit) {
        size_t width = 0;

        for (size_t i = 0; i < scols_table_get_ncols(table); i++)
                width = MAX(width, output_text_width(title_of(table, i)));
        for (size_t i = 0; i < scols_table_get_nlines(table); i++) {
                if (i > 0)
                        putchar('\n');
                print_block(table, i, width, limit);
        }
}

void output_table_print(OutputTable *table) {
        size_t limit = output_width(stdout), columns = scols_table_get_ncols(table);
        g_autofree Layout *layout = measure(table), *wished = g_memdup2(layout, columns * sizeof(*layout));

        if (scols_table_get_nlines(table) == 0)
                return;
        if (limit > 0 && !narrow(layout, columns, limit)) {
                print_blocks(table, limit);
                return;
        }
        for (size_t i = 0; i < columns; i++) {
                scols_column_set_whint(scols_table_get_column(table, i), 0); /* it was ours */
                if (layout[i].width < wished[i].width)
                        break_cells(table, i, layout[i].width);
        }
        scols_print_table(table);
}
