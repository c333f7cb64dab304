/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Image identities: 16 bytes as text, in lower case with dashes at 4-2-2-2-6.
 * The directory form (bytes in memory order) is the identity; the EFI form of the same bytes has its first
 * three groups byte-swapped. The text alone cannot tell which form it is. */

#include <stdbool.h>

#define GUID_STRING_LENGTH 36
#define GUID_STRING_SIZE (GUID_STRING_LENGTH + 1)

/* True when text is a GUID exactly as the kernel writes directory names: lower case, no braces. */
bool guid_is_valid(const char *text);

/* Reads a GUID as a person types it (either case, optionally in braces) into its lower-case form.
 * Returns 0, or -EINVAL with ret_guid untouched. */
int guid_parse(const char *text, char ret_guid[static GUID_STRING_SIZE]);

/* Converts between the directory form and the EFI form; it is its own inverse. guid must be valid. */
void guid_swap_form(const char *guid, char ret_other[static GUID_STRING_SIZE]);
