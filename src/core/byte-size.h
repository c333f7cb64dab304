/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sizes as systemd's configuration has them: "65536", "64K", "8M", "1G". */

#include <stdint.h>

/* A whole number of bytes, or one with K, M or G behind it, to the base 1024. Returns 0; -EINVAL when it is no size,
 * -ERANGE when it does not fit; ret_bytes is untouched then. */
int byte_size_parse(const char *text, uint64_t *ret_bytes);
