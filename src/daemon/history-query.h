/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Searching the history, newest first, in a bounded number of bytes at a time. */

#include "daemon/history.h"

typedef struct HistoryQuery {
        const char *guid;      /* "" = any */
        const char *type;      /* "" = any; else one of the record types */
        uint32_t job;          /* 0 = any */
        uint64_t before;       /* only records with a smaller sequence number; 0 = all */
        uint64_t since, until; /* CLOCK_REALTIME in µs, both inclusive; until 0 = no end */
        unsigned limit;        /* at most so many */
} HistoryQuery;

/* Returns the newest records that fit, oldest first, as json_object references. Reads backwards from the end,
 * the newest file first, and holds no more than one block and what it returns; a file that is missing or cannot be
 * read is passed over. A record among others whose numbers are all too high (somebody has edited the file) is not
 * found. */
GPtrArray *history_query(const History *history, const HistoryQuery *query);
