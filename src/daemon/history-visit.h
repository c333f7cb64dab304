/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading the whole history in the order in which it was written, one record at a time. */

#include "daemon/history.h"

/* record is borrowed and is one (it has a sequence number and a type). 0 goes on; anything else ends the visit and
 * is its result. */
typedef int (*HistoryVisitor)(json_object *record, uint64_t seq, void *userdata);

/* Shows the visitor every record with this sequence number or a higher one, oldest first, over all files. Holds one
 * block and one record; a file that is missing or cannot be read is passed over, and so is what is no record. What
 * the visitor appends is not shown. Blocks on the disk. Returns 0, what the visitor returned, or, after all the others,
 * the negative errno of a file that is there and cannot be read. */
int history_visit(const History *history, uint64_t from_seq, HistoryVisitor visitor, void *userdata);

/* The same for what is among the last so many lines. */
int history_visit_last(const History *history, unsigned lines, HistoryVisitor visitor, void *userdata);
