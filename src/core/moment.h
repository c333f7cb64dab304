/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A moment, in the ways that people write one. */

#include <glib.h>
#include <stdint.h>

/* "now", "+2h" (time-span.h), "@SECONDS" since 1970, a timestamp (timestamp.h), or a calendar expression, whose next
 * elapse after now is meant: "Sat 03:30". zone: counts where the text names none. now_usec and ret_usec: CLOCK_REALTIME in
 * µs. Returns 0; -EINVAL with ret_why set to a sentence for people (the caller frees it). */
int moment_parse(const char *text, GTimeZone *zone, uint64_t now_usec, uint64_t *ret_usec, char **ret_why);
