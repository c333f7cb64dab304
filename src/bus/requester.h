/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/requester.h"

/* Fills in what the kernel says of the process: its unit and who logged in. What cannot be read stays unknown: /proc
 * may hide processes, the caller may be gone, and another may have its number by now. */
void requester_read_hints(Requester *requester);
