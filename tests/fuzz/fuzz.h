/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What fuzz targets have in common. A target is this one function, called by libFuzzer (./dev fuzz) or by replay.c. It
 * ends the program where what must hold does not. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stays in optimised builds. */
#define MUST(condition)                                                                                     \
        do {                                                                                                \
                if (!(condition)) {                                                                         \
                        fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);             \
                        abort();                                                                            \
                }                                                                                           \
        } while (0)
