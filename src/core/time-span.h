/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Time spans as systemd.time(7) has them: "60", "60s", "1min 20s", "1.5h". */

#include <stdint.h>

/* A number without a unit is seconds, and then stands alone. Returns 0; -EINVAL when it is no time span,
 * -ERANGE when it does not fit in µs; ret_usec is untouched then. */
int time_span_parse(const char *text, uint64_t *ret_usec);
