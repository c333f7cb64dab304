/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The help texts, made from the tables of verbs, options and exit codes. */

#include "ctl/verbs.h"

/* verbs ends with a NULL name. */
void help_print(const Verb *verbs);
void help_print_verb(const Verb *verb);
