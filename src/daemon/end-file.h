/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a job ended that may wait, where the history could not take it: in the runtime folder, for the next lfad of this
 * boot. Else that one would let the job wait on, and activate what somebody has cancelled. */

#include "util/json.h"

#include <stdint.h>

/* record: that of its end. Returns 0 or a negative errno. */
int end_file_write(const char *runtime_folder, uint32_t job, json_object *record);

/* The record of this job's end; NULL = there is none. The caller releases it. */
json_object *end_file_read(const char *runtime_folder, uint32_t job, const char *guid);

void end_file_remove(const char *runtime_folder, uint32_t job);
