/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values as a person types them: versions, durations, image names, escaped bytes. */

#include "util/guid.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define VERSION_TEXT_SIZE sizeof("4294967295.4294967295")

/* "2.3" -> upper half 2, lower half 3 of one 64-bit register. Both numbers are needed and are at most 32
 * bits. Returns 0, or -EINVAL with ret_version untouched. */
int version_parse(const char *text, uint64_t *ret_version);

/* Two unsigned decimals without padding, as the driver prints them. */
void version_format(uint64_t version, char ret_text[static VERSION_TEXT_SIZE]);

/* A whole number with a unit: 250us, 10ms, 8s, 1min; a bare 0 is allowed. At most one day.
 * Returns 0, or -EINVAL with ret_usec untouched. */
int duration_parse(const char *text, uint64_t *ret_usec);

/* 0 or 1 and nothing else. Returns 0, or -EINVAL. */
int boolean_parse(const char *text, bool *ret_value);

/* A whole decimal number up to limit. Returns 0, or -EINVAL. */
int number_parse(const char *text, uint64_t limit, uint64_t *ret_value);

/* An alias of the table of known GUIDs ("rmm"), or a GUID. Returns 0, or -EINVAL. */
int image_name_parse(const char *text, char ret_guid[static GUID_STRING_SIZE]);

/* The alias of a GUID, or the GUID itself when it has none. Borrowed from guid or static. */
const char *image_short_name(const char *guid);

/* C escapes (\n \t \r \\ \xHH, \0 to \377) to bytes. Returns a new byte array, or NULL for a bad escape. */
GByteArray *escapes_decode(const char *text);

/* An errno by name ("EROFS"). Returns the positive errno, or -EINVAL. */
int errno_parse(const char *text);
