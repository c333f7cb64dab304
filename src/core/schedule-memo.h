/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When a window opens is asked again and again, by each gate, each image and each look ahead, and mostly about the same
 * moments: the last answers are kept. Nobody can tell from the answers. */

#include <stdbool.h>
#include <stdint.h>

typedef struct WindowMemo WindowMemo;

WindowMemo *window_memo_new(void); /* g_free() */
void window_memo_clear(WindowMemo *memo);

/* The first opening after that moment, if it is known. */
bool window_memo_find(const WindowMemo *memo, uint64_t after_usec, uint64_t *ret_start_usec);
void window_memo_add(WindowMemo *memo, uint64_t after_usec, uint64_t start_usec);
