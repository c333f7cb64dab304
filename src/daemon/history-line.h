/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What can be told of a line of the history by its text alone: parsing is what a search spends its time with. */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The record's number as it stands in the text. Inside a string the quotes of the key would be escaped. False when
 * there is none that is written as lfad writes it: then the line has to be parsed. */
static inline bool history_line_seq(const char *line, size_t length, uint64_t *ret_seq) {
        static const char key[] = "\"seq\":";
        const char *p = memmem(line, length, key, sizeof(key) - 1), *end = line + length, *digits;
        uint64_t seq = 0;

        if (!p)
                return false;
        p += sizeof(key) - 1;
        for (digits = p; p < end && g_ascii_isdigit(*p); p++)
                if (__builtin_mul_overflow(seq, 10, &seq) ||
                    __builtin_add_overflow(seq, (uint64_t) (*p - '0'), &seq))
                        return false;
        *ret_seq = seq;
        return p > digits;
}
