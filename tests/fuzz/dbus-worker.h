/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A worker that is no process: what it would say comes from memory. It stands in for daemon/worker-process.c at link
 * time, and knows when one begins to write that nobody has asked for. */

#include "dbus-world.h"

/* From now on all workers are of this world, with images that nothing was done to. */
void worker_answers_for(World *world);
