/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The nearest name by edit distance, over short ASCII words. */

#include "ctl/suggest.h"

#include <ctype.h>
#include <glib.h>
#include <string.h>

/* What is longer is no typing error, and must not cost the square of its length. */
#define WORD_MAX 64

static size_t least(size_t a, size_t b, size_t c) {
        return MIN(MIN(a, b), c);
}

/* Levenshtein's distance with one row of the matrix; both words are at most WORD_MAX bytes. */
static size_t edit_distance(const char *a, const char *b) {
        size_t row[WORD_MAX + 1];
        size_t length = strlen(b);

        for (size_t j = 0; j <= length; j++)
                row[j] = j;
        for (size_t i = 1; a[i - 1]; i++) {
                size_t diagonal = row[0];

                row[0] = i;
                for (size_t j = 1; j <= length; j++) {
                        size_t above = row[j];
                        int equal = tolower((unsigned char) a[i - 1]) == tolower((unsigned char) b[j - 1]);

                        row[j] = least(above + 1, row[j - 1] + 1, diagonal + (equal ? 0 : 1));
                        diagonal = above;
                }
        }
        return row[length];
}

const char *suggest_nearest(const char *text, const char *const *candidates) {
        size_t length = strlen(text);
        size_t best = CLAMP(length / 3, 1, 3) + 1;
        const char *nearest = NULL;

        if (length == 0 || length > WORD_MAX)
                return NULL;
        for (; *candidates; candidates++) {
                size_t distance;

                if (strlen(*candidates) > WORD_MAX)
                        continue;
                distance = edit_distance(text, *candidates);
                if (distance < best && distance < strlen(*candidates)) {
                        best = distance;
                        nearest = *candidates;
                }
        }
        return nearest;
}
