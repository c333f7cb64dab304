/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What somebody has to look at or to do. */

#include "ctl/managed-objects.h"

/* Whether there is anything of that. */
bool attention_has_any(const Inventory *inventory);

/* A line for each with what to do; nothing when there is none. */
void attention_print(const Inventory *inventory);
