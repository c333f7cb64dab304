/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How long activations of an image take on this host, as far as the history can tell. */

#include "ctl/client.h"

/* From the start to the end of its latest that succeeded, the middle one of at most five, in µs; 0 when there was none. Asks
 * lfad, and fails silently. */
uint64_t usual_duration(Client *client, const char *guid);
