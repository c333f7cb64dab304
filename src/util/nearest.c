/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The nearest word by edit distance, over short ASCII words. */

#include "util/nearest.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

/* What is longer is no typing error, and must not cost the square of its length. */
#define WORD_MAX 64

/* Levenshtein's distance; both words are at most WORD_MAX bytes. row[j]: from what of a was seen so far to
 * the first j bytes of b. */
static unsigned count_edits(const char *a, const char *b) {
        unsigned row[WORD_MAX + 1], length = (unsigned) strlen(b);

        for (unsigned j = 0; j <= length; j++)
                row[j] = j;
        for (; *a; a++) {
                unsigned corner = row[0]++;

                for (unsigned j = 1; j <= length; j++) {
                        bool same = g_ascii_tolower(*a) == g_ascii_tolower(b[j - 1]);
                        unsigned edits = MIN(MIN(row[j], row[j - 1]) + 1, corner + !same);

                        corner = row[j];
                        row[j] = edits;
                }
        }
        return row[length];
}

const char *nearest_word(const char *text, const char *const *candidates) {
        unsigned length = (unsigned) strnlen(text, WORD_MAX + 1);
        unsigned best = CLAMP(length / 3, 1, 3) + 1;
        const char *nearest = NULL;

        if (length == 0 || length > WORD_MAX)
                return NULL;
        for (; *candidates; candidates++) {
                unsigned edits;

                if (strlen(*candidates) > WORD_MAX)
                        continue;
                edits = count_edits(text, *candidates);
                if (edits >= best || edits >= strlen(*candidates))
                        continue;
                best = edits;
                nearest = *candidates;
        }
        return nearest;
}
