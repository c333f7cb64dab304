/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's state, by name. */

#include "core/system.h"
#include "util/string-table.h"

static const char *const system_states[_SYSTEM_STATE_MAX] = {
        [SYSTEM_UNKNOWN] = "unknown",           [SYSTEM_ABSENT] = "absent",
        [SYSTEM_INITIALIZING] = "initializing", [SYSTEM_STARTING] = "starting",
        [SYSTEM_RUNNING] = "running",           [SYSTEM_DEGRADED] = "degraded",
        [SYSTEM_MAINTENANCE] = "maintenance",   [SYSTEM_STOPPING] = "stopping",
};
DEFINE_STRING_TABLE(system_state, SystemState, system_states)
