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
        bool loses_tree;
        unsigned activate_budget_sec;
} ProfileTraits;

static const ProfileTraits traits[_PROFILE_MAX] = {
        [PROFILE_UNKNOWN] = { .pending_version_usable = true, .activate_budget_sec = 10 },
        [PROFILE_RFC1] = { .einval_is_refusal = true },
        [PROFILE_RFC2] = { .einval_is_refusal = true },
        [PROFILE_NVRFC] = { .einval_is_refusal = true },
        [PROFILE_V1] = { .success_unreliable = true },
        [PROFILE_V1NV] = { .success_unreliable = true, .unenforceable = true, .activate_budget_sec = 20 },
        [PROFILE_V2S] = { .allowed = true,
                          .pending_version_usable = true,
                          .loses_tree = true,
                          .activate_budget_sec = 10 },
        [PROFILE_V2] = { .allowed = true,
                         .pending_version_usable = true,
                         .loses_tree = true,
                         .activate_budget_sec = 10 },
        [PROFILE_V2BOS] = { .allowed = true,
                            .pending_version_usable = true,
                            .loses_tree = true,
                            .activate_budget_sec = 10 },
        [PROFILE_V3] = { .allowed = true,
                         .pending_version_usable = true,
                         .loses_tree = true,
                         .activate_budget_sec = 10 },
        [PROFILE_NV3] = { .allowed = true,
                          .pending_version_usable = true,
                          .loses_tree = true,
                          .activate_budget_sec = 10 },
        [PROFILE_NVNEW] = { .allowed = true, .pending_version_usable = true, .activate_budget_sec = 10 },
};

bool profile_is_allowed(DriverProfile profile) {
        return traits[profile].allowed;
}

bool profile_is_allowed_by(DriverProfile profile, uint32_t allowed) {
        const uint32_t alike = UINT32_C(1) << PROFILE_RFC2 | UINT32_C(1) << PROFILE_NVRFC;
        uint32_t mask = UINT32_C(1) << profile;

        return allowed & (mask & alike ? alike : mask);
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

bool profile_loses_tree(DriverProfile profile) {
        return traits[profile].loses_tree;
}

/* Each only replaces what looks the same but for what was seen. */
DriverProfile profile_refine(DriverProfile detected, DriverProfile known, unsigned evidence) {
        /* Once a version was left out it is no v1, whatever all images show by now. */
        if (detected == PROFILE_V1 && known == PROFILE_V2S)
                detected = PROFILE_V2S;
        /* The image whose name told it may have vanished since. */
        if (detected == PROFILE_V3 && (known == PROFILE_NV3 || known == PROFILE_NVNEW))
                detected = PROFILE_NV3;
        if (evidence & EVIDENCE_CHANGE_EVENT) {
                if (detected == PROFILE_V2)
                        return PROFILE_V2BOS;
                if (detected == PROFILE_V3 || detected == PROFILE_NV3)
                        return PROFILE_NVNEW;
        }
        if (evidence & EVIDENCE_BUSY) {
                if (detected == PROFILE_RFC2)
                        return PROFILE_NVRFC;
                if (detected == PROFILE_V3 || detected == PROFILE_NV3)
                        return PROFILE_NVNEW;
        }
        return detected;
}

uint64_t profile_activate_budget_usec(DriverProfile profile) {
        return traits[profile].activate_budget_sec * USEC_PER_SEC;
}

unsigned profile_evidence_of(DriverProfile profile) {
        switch (profile) {
        case PROFILE_V2BOS:
        case PROFILE_NVNEW:
                return EVIDENCE_CHANGE_EVENT;
        case PROFILE_NVRFC:
                return EVIDENCE_BUSY;
        default:
                return 0;
        }
}

bool profile_has_auto_activate(DriverProfile profile) {
        return profile >= PROFILE_V2 && profile <= PROFILE_NVNEW;
}
