/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "Did you mean": the nearest of a few names to what was typed. */

#include <stddef.h>

/* The candidate with the fewest edits to text, ignoring case, or NULL when none is near (a third of the
 * text, at least one edit and at most three). candidates is NULL-terminated; the answer is one of its
 * strings. */
const char *suggest_nearest(const char *text, const char *const *candidates);
