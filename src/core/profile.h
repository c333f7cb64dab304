/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What each version of the kernel driver can be relied on for. */

#include "lfa/enums.h"

#include <stdbool.h>
#include <stdint.h>

/* May be driven without the configuration naming it: the driver neither spins without limit, nor oopses, nor
 * activates by itself. */
bool profile_is_allowed(DriverProfile profile);

/* The configuration allows it; allowed is a mask of DriverProfile. rfc2 and nvrfc are the same until one is caught
 * busy: naming either allows both. */
bool profile_is_allowed_by(DriverProfile profile, uint32_t allowed);

/* `pending_version` shows what it says (rfc* have none, v1 and v1nv print arbitrary numbers). */
bool profile_pending_version_usable(DriverProfile profile);

/* A failed activation may be reported as success (v1, v1nv: when the cancel after it worked). */
bool profile_success_unreliable(DriverProfile profile);

/* The kernel activates by itself whatever is pending, and cannot be stopped. */
bool profile_is_unenforceable(DriverProfile profile);

/* The driver may lose the directories of live images when activations follow each other closely, and shows
 * them again only after a later success or when it is bound anew. */
bool profile_loses_tree(DriverProfile profile);

/* What was seen of the driver that bound this tree, besides its attributes. */
typedef enum ProfileEvidence {
        EVIDENCE_CHANGE_EVENT = 1 << 0, /* a `change` event of its device that nobody else made */
        EVIDENCE_BUSY = 1 << 1,         /* a write to `activate` was answered EBUSY or EAGAIN */
} ProfileEvidence;

/* Versions whose attributes are the same differ in what they do. known: what this very tree was taken for
 * before, or PROFILE_UNKNOWN; evidence: a mask of ProfileEvidence. */
DriverProfile profile_refine(DriverProfile detected, DriverProfile known, unsigned evidence);

/* What must have been seen for the driver to be taken for this version. */
unsigned profile_evidence_of(DriverProfile profile);

/* Images have the attribute auto_activate. */
bool profile_has_auto_activate(DriverProfile profile);

/* EINVAL from `activate` means that nothing reached the firmware (rfc*: the image may reset CPUs). */
bool profile_einval_is_refusal(DriverProfile profile);

/* How long the driver calls ACTIVATE again before it gives up, in µs; 0 = for ever (rfc*, v1). */
uint64_t profile_activate_budget_usec(DriverProfile profile);
