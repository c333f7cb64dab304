/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "Did you mean": the nearest of a few words to what was written. */

/* The candidate with the fewest edits to text, ignoring case, or NULL when none is near (a third of the
 * text, at least one edit and at most three). candidates is NULL-terminated; the answer is one of them. */
const char *nearest_word(const char *text, const char *const *candidates);
