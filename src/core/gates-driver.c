/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gates about the kernel driver: its version, its tree, its settings. */

#include "core/enum-names.h"
#include "core/gates-internal.h"
#include "core/profile.h"
#include "util/macros.h"

#include <inttypes.h>

GateVerdict gate_driver(const GateFacts *facts) {
        switch (facts->driver_state) {
        case DRIVER_NO_DRIVER:
                return gate_deny(LFA_ERROR_NO_DRIVER, "%s", error_text(LFA_ERROR_NO_DRIVER));
        case DRIVER_TREE_LOST:
                break; /* said below */
        case DRIVER_NO_FIRMWARE:
                return gate_deny(LFA_ERROR_NO_FIRMWARE, "%s", error_text(LFA_ERROR_NO_FIRMWARE));
        case DRIVER_UNKNOWN:
                return gate_deny(LFA_ERROR_STARTING, "The driver's tree has not been read yet.");
        default:
                break;
        }
        if (!profile_is_allowed(facts->profile) && !facts->profile_allowed_by_configuration)
                return gate_deny(
                                LFA_ERROR_PROFILE_NOT_ALLOWED,
                                "The kernel driver is of version '%s', which is not safe to drive, and AllowProfile= "
                                "of lfad.conf does not allow it.",
                                driver_profile_to_string(facts->profile));
        if (facts->images_lost > 0)
                return gate_deny(LFA_ERROR_TREE_LOST,
                                 "The kernel driver lost %u of its images; it must be bound again.",
                                 facts->images_lost);
        return gate_allow();
}

GateVerdict gate_settle(const GateFacts *facts) {
        uint64_t settled = facts->tree_stable_since_usec + facts->settle_usec;

        if (facts->activation_running)
                return gate_wait_for(LFA_ERROR_KERNEL_BUSY, UINT64_MAX, "Another activation runs.");
        if (facts->now_usec >= settled)
                return gate_allow();
        if (facts->now_usec >= facts->settle_deadline_usec)
                return gate_deny(LFA_ERROR_KERNEL_BUSY, "The driver's tree does not settle.");
        return gate_wait_for(LFA_ERROR_KERNEL_BUSY,
                             settled < facts->settle_deadline_usec ? settled : facts->settle_deadline_usec,
                             "The driver's tree changed %" PRIu64 " ms ago.",
                             (uint64_t) ((facts->now_usec - facts->tree_stable_since_usec) / USEC_PER_MSEC));
}

/* What is being set is waited for as an unsettled tree is: not for ever. */
static bool patience_is_over(const GateFacts *facts) {
        return facts->now_usec >= facts->settle_deadline_usec;
}

GateVerdict gate_kernel_auto(const GateFacts *facts) {
        bool unreadable = facts->image && facts->image->auto_activate < 0 &&
                          profile_has_auto_activate(facts->profile);

        if (facts->auto_activate_left)
                return gate_deny(LFA_ERROR_KERNEL_AUTO_ACTIVATE,
                                 "auto_activate of this image is 1, and the configuration leaves it so "
                                 "(KernelAutoActivate=leave).");
        if (unreadable)
                return gate_deny(LFA_ERROR_KERNEL_AUTO_ACTIVATE,
                                 "auto_activate of this image cannot be read.");
        if (!facts->auto_activate_stuck && !facts->auto_activate_clearing &&
            !(facts->image && facts->image->auto_activate == 1))
                return gate_allow();
        if (!facts->auto_activate_stuck && !patience_is_over(facts))
                return gate_wait_for(LFA_ERROR_KERNEL_AUTO_ACTIVATE, facts->settle_deadline_usec,
                                     "auto_activate is being set to 0.");
        return gate_deny(LFA_ERROR_KERNEL_AUTO_ACTIVATE,
                         "auto_activate of this image is 1 and could not be set to 0.");
}

GateVerdict gate_settings(const GateFacts *facts) {
        if (!facts->image || !facts->rendezvous_differs)
                return gate_allow();
        if (!facts->rendezvous_stuck && !patience_is_over(facts))
                return gate_wait_for(LFA_ERROR_SETTING_NOT_APPLIED, facts->settle_deadline_usec,
                                     "force_cpu_rendezvous is being set as CpuRendezvous= wants it.");
        return gate_deny(LFA_ERROR_SETTING_NOT_APPLIED,
                         "force_cpu_rendezvous of image %s could not be set as CpuRendezvous= wants it.",
                         facts->image->guid);
}
