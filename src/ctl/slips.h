/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What people write who know other programs, or are in a hurry, and what they may have meant. Each returns a hint, or NULL
 * when nothing is known. The caller frees it. */

#include "ctl/options.h"

/* For a word where a verb was expected. */
char *slip_verb_hint(const char *word, const Options *options);

/* For an option that does not exist, with its dashes. */
char *slip_option_hint(const char *option);

/* For the first argument that is too many for this verb. */
char *slip_argument_hint(const char *verb, const char *argument);

/* For a verb that got too few arguments. */
char *slip_missing_hint(const char *verb);
