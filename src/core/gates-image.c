/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gates about the image: what is staged for it, and what became of it before. */

#include "core/enum-names.h"
#include "core/gates-internal.h"

GateVerdict gate_image(const GateFacts *facts) {
        const ImageValues *image = facts->image;

        if (!image)
                return gate_deny(LFA_ERROR_IMAGE_GONE, "The driver does not show this image any more.");
        if (image_values_look_stale(image))
                return gate_deny(LFA_ERROR_IMAGE_STALE, "The driver is dropping image %s.", image->guid);
        if (image->capable != 1)
                return gate_deny(LFA_ERROR_NOT_CAPABLE, "Image %s does not support live activation.",
                                 image->guid);
        if (image->pending != 1)
                return gate_deny(LFA_ERROR_NOT_PENDING, "Nothing is staged for image %s.", image->guid);
        /* Unreadable counts as yes: some drivers oops when such an image is activated. */
        if (image->may_reset_cpu != 0)
                return gate_deny(LFA_ERROR_NEEDS_CPU_RESET, "Activating image %s may reset CPUs.",
                                 image->guid);
        return gate_allow();
}

static const char *version_or_none(const char *version) {
        return version_known(version) ? version : "none";
}

static GateVerdict judge_by_rules(const VersionRules *rules, const ImageValues *image) {
        const char *guid = image->guid, *to = image->pending_version;

        switch (version_rules_judge(rules, image->current_version, to)) {
        case VERSION_NOT_LISTED:
                return gate_deny(LFA_ERROR_VERSION_FORBIDDEN,
                                 "Version %s of image %s is not among those of AllowVersion=.", to, guid);
        case VERSION_LISTED:
                return gate_deny(LFA_ERROR_VERSION_FORBIDDEN,
                                 "Version %s of image %s is among those of ForbidVersion=.", to, guid);
        case VERSION_TOO_LOW:
                return gate_deny(LFA_ERROR_VERSION_FORBIDDEN,
                                 "Version %s of image %s is lower than MinimumVersion=%s.", to, guid,
                                 rules->minimum);
        case VERSION_IS_DOWNGRADE:
                return gate_deny(
                                LFA_ERROR_VERSION_FORBIDDEN,
                                "Version %s of image %s is lower than %s, which runs, and AllowDowngrade=no.",
                                to, guid, image->current_version);
        case VERSION_UNKNOWN:
                return gate_deny(
                                LFA_ERROR_VERSION_FORBIDDEN,
                                "Firmware gives no %s version of image %s, so that it cannot be seen whether the "
                                "configuration allows it.",
                                version_known(to) ? "current" : "pending", guid);
        default:
                return gate_allow();
        }
}

GateVerdict gate_version(const GateFacts *facts) {
        const ImageValues *image = facts->image;

        if (!image)
                return gate_allow(); /* gate image has said it */
        if (facts->terms.expected_current.given &&
            strcmp(facts->terms.expected_current.version, image->current_version) != 0)
                return gate_deny(LFA_ERROR_VERSION_CHANGED,
                                 "The current version of image %s is %s, expected was %s.", image->guid,
                                 version_or_none(image->current_version),
                                 version_or_none(facts->terms.expected_current.version));
        if (facts->terms.expected_pending.given &&
            strcmp(facts->terms.expected_pending.version, image->pending_version) != 0)
                return gate_deny(LFA_ERROR_VERSION_CHANGED,
                                 "The pending version of image %s is %s, expected was %s.", image->guid,
                                 version_or_none(image->pending_version),
                                 version_or_none(facts->terms.expected_pending.version));
        if (facts->version_rules && image->pending == 1) /* else gate image has said it */
                return judge_by_rules(facts->version_rules, image);
        return gate_allow();
}

GateVerdict gate_quarantine(const GateFacts *facts) {
        const Quarantine *quarantine = facts->quarantine;

        if (!quarantine || !quarantine_is_in_force(quarantine, facts->quarantine_after))
                return gate_allow();
        if (quarantine->host_restarted)
                return gate_deny(
                                LFA_ERROR_QUARANTINED,
                                "The host restarted while image %s was activated to version %s (job %u). Stage another "
                                "version, or 'lfactl clear-quarantine' once the host was checked.",
                                quarantine->guid, version_or_none(quarantine->to), quarantine->job);
        if (quarantine->automatic_unknown)
                return gate_deny(
                                LFA_ERROR_QUARANTINED,
                                "What automatic mode did to image %s (to version %s, job %u) ended unknown; once is enough "
                                "there. Stage another version, or 'lfactl clear-quarantine' once the cause is known.",
                                quarantine->guid, version_or_none(quarantine->to), quarantine->job);
        return gate_deny(
                        LFA_ERROR_QUARANTINED,
                        "%u activations of image %s to version %s went wrong, the last of them job %u "
                        "(QuarantineAfter=%u). Stage another version, or 'lfactl clear-quarantine' once the cause is known.",
                        quarantine->failures, quarantine->guid, version_or_none(quarantine->to),
                        quarantine->job, facts->quarantine_after);
}

GateVerdict gate_repeat(const GateFacts *facts) {
        if (!facts->activated_without_effect)
                return gate_allow();
        return gate_deny(LFA_ERROR_REPEATED_ACTIVATION,
                         "This image was activated before; it is pending as before and no version moved.");
}
