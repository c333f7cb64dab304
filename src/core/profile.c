/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each version of the kernel driver can be relied on for. The facts were found by running the drivers
 * against modelled firmware, and by reading them. */

#include "core/profile.h"
#include "util/macros.h"

typedef struct ProfileTraits {
        bool allowed;
        bool pending_version_usable;
        bool success_unreliable;
        bool unenforceable;
        bool einval_is_refusal;
        unsigned activate_budget_sec;
} ProfileTraits;

static const ProfileTraits traits[_PROFILE_MAX] = {
        [PROFILE_UNKNOWN] = { .pending_version_usable = true, .activate_budget_sec = 10 },
        [PROFILE_RFC1] = { .einval_is_refusal = true },
        [PROFILE_RFC2] = { .einval_is_refusal = true },
        [PROFILE_NVRFC] = { .einval_is_refusal = true },
        [PROFILE_V1] = { .success_unreliable = true },
        [PROFILE_V1NV] = { .success_unreliable = true, .unenforceable = true, .activate_budget_sec = 20 },
        [PROFILE_V2S] = { .allowed = true, .pending_version_usable = true, .activate_budget_sec = 10 },
        [PROFILE_V2] = { .allowed = true, .pending_version_usable = true, .activate_budget_sec = 10 },
        [PROFILE_V2BOS] = { .allowed = true, .pending_version_usable = true, .activate_budget_sec = 10 },
        [PROFILE_V3] = { .allowed = true, .pending_version_usable = true, .activate_budget_sec = 10 },
        [PROFILE_NV3] = { .allowed = true, .pending_version_usable = true, .activate_budget_sec = 10 },
        [PROFILE_NVNEW] = { .allowed = true, .pending_version_usable = true, .activate_budget_sec = 10 },
};

bool profile_is_allowed(DriverProfile profile) {
        return traits[profile].allowed;
}

bool profile_pending_version_usable(DriverProfile profile) {
        return traits[profile].pending_version_usable;
}

bool profile_success_unreliable(DriverProfile profile) {
        return traits[profile].success_unreliable;
}

bool profile_is_unenforceable(DriverProfile profile) {
        return traits[profile].unenforceable;
}

bool profile_einval_is_refusal(DriverProfile profile) {
        return traits[profile].einval_is_refusal;
}

uint64_t profile_activate_budget_usec(DriverProfile profile) {
        return traits[profile].activate_budget_sec * USEC_PER_SEC;
}
