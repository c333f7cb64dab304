/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Automatic mode: lfad itself asks for the activation of what is pending, where the configuration says so, once the gates
 * let it. */

#include "daemon/manager.h"

/* Asks for what may go now, and finds out when to look next. For the scheduler, whenever something may be otherwise. */
void automatic_run(Manager *manager);

/* The next moment at which it may ask for something (CLOCK_REALTIME in µs), as it was found last; UINT64_MAX = none. */
uint64_t automatic_next_moment(const Manager *manager, uint64_t now_usec);
