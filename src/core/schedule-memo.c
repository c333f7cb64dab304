/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Some moments, and the openings that follow them. */

#include "core/schedule-memo.h"

#include <glib.h>

#define ANSWERS 8

/* Nothing opens after the one up to the other: what holds of the first moment holds of all between them. */
typedef struct Answer {
        uint64_t after_usec, start_usec; /* both 0: none */
} Answer;

struct WindowMemo {
        Answer answers[ANSWERS];
        unsigned oldest;
};

WindowMemo *window_memo_new(void) {
        return g_new0(WindowMemo, 1);
}

void window_memo_clear(WindowMemo *memo) {
        *memo = (WindowMemo){ 0 };
}

bool window_memo_find(const WindowMemo *memo, uint64_t after_usec, uint64_t *ret_start_usec) {
        for (unsigned i = 0; i < ANSWERS; i++) {
                const Answer *answer = &memo->answers[i];

                if (after_usec < answer->after_usec || after_usec >= answer->start_usec)
                        continue;
                *ret_start_usec = answer->start_usec;
                return true;
        }
        return false;
}

void window_memo_add(WindowMemo *memo, uint64_t after_usec, uint64_t start_usec) {
        for (unsigned i = 0; i < ANSWERS; i++)
                if (memo->answers[i].start_usec == start_usec) {
                        memo->answers[i].after_usec = MIN(memo->answers[i].after_usec, after_usec);
                        return;
                }
        memo->answers[memo->oldest] = (Answer){ after_usec, start_usec };
        memo->oldest = (memo->oldest + 1) % ANSWERS;
}
