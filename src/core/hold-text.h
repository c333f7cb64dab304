/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What people are told of a hold. */

#include "core/state.h"

/* Until when, as "2026-12-31 23:59:59 UTC"; "released" when it has no end. The caller frees it. */
char *hold_until_text(uint64_t until_usec);

/* Who, until when and why: "uid 0 until 2026-12-31 23:59:59 UTC: year's end". Of lfad's own its reason. The caller frees
 * it. */
char *hold_to_text(const Hold *hold);
