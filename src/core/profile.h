/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What each version of the kernel driver can be relied on for. */

#include "lfa/enums.h"

#include <stdbool.h>
#include <stdint.h>

/* May be driven without the configuration naming it: the driver neither spins without limit, nor oopses, nor
 * activates by itself. */
bool profile_is_allowed(DriverProfile profile);

/* `pending_version` shows what it says (rfc* have none, v1 and v1nv print arbitrary numbers). */
bool profile_pending_version_usable(DriverProfile profile);

/* A failed activation may be reported as success (v1, v1nv: when the cancel after it worked). */
bool profile_success_unreliable(DriverProfile profile);

/* The kernel activates by itself whatever is pending, and cannot be stopped. */
bool profile_is_unenforceable(DriverProfile profile);

/* EINVAL from `activate` means that nothing reached the firmware (rfc*: the image may reset CPUs). */
bool profile_einval_is_refusal(DriverProfile profile);

/* How long the driver calls ACTIVATE again before it gives up, in µs; 0 = for ever (rfc*, v1). */
uint64_t profile_activate_budget_usec(DriverProfile profile);
