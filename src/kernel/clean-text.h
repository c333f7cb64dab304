/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text from the kernel made safe to show. One driver version prints bytes of a dead stack buffer as an
 * image's name. */

#include <stddef.h>

/* Copies text when it is valid UTF-8, printable, not empty and fits (size - 1 bytes); else ret becomes "".
 */
void clean_text(const char *text, char *ret, size_t size);
