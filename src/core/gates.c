/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gates, in their order, each a function of the facts. */

#include "core/gates.h"
#include "core/enum-names.h"
#include "core/profile.h"
#include "util/macros.h"
#include "util/string-table.h"

#include <glib.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const gate_names[_GATE_MAX] = {
        [GATE_CONFIG] = "config",     [GATE_STATE] = "state",     [GATE_DRIVER] = "driver",
        [GATE_IMAGE] = "image",       [GATE_VERSION] = "version", [GATE_QUARANTINE] = "quarantine",
        [GATE_SETTLE] = "settle",     [GATE_REPEAT] = "repeat",   [GATE_KERNEL_AUTO] = "kernel-auto",
        [GATE_SETTINGS] = "settings", [GATE_HOLD] = "hold",       [GATE_INHIBITOR] = "inhibitor",
        [GATE_ORDER] = "order",       [GATE_SYSTEM] = "system",   [GATE_WATCHDOG] = "watchdog",
};
DEFINE_STRING_TABLE(gate, GateId, gate_names)

static GateVerdict allow(void) {
        return (GateVerdict){ .answer = GATE_ALLOW };
}

static GateVerdict _printf_(2, 3) deny(ErrorId error, const char *format, ...) {
        GateVerdict verdict = { .answer = GATE_DENY, .error = error };
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(verdict.text, sizeof(verdict.text), format, arguments);
        va_end(arguments);
        return verdict;
}

/* The text has words from files in it and may be cut in the middle of a character, which no bus would take.
 */
static void end_at_character(char *text) {
        const char *end;

        if (!g_utf8_validate(text, -1, &end))
                text[end - text] = 0;
}

static GateVerdict gate_config(const GateFacts *facts) {
        GateVerdict verdict;

        if (!facts->configuration_error)
                return allow();
        verdict = deny(LFA_ERROR_CONFIG_INVALID, "%s", facts->configuration_error);
        end_at_character(verdict.text);
        return verdict;
}

static GateVerdict gate_state(const GateFacts *facts) {
        GateVerdict verdict;

        if (facts->state_error == LFA_ERROR_NONE)
                return allow();
        verdict = deny(facts->state_error, "%s", facts->state_text);
        end_at_character(verdict.text);
        return verdict;
}

static GateVerdict gate_driver(const GateFacts *facts) {
        switch (facts->driver_state) {
        case DRIVER_NO_DRIVER:
                return deny(LFA_ERROR_NO_DRIVER, "%s", error_text(LFA_ERROR_NO_DRIVER));
        case DRIVER_TREE_LOST:
                break; /* said below */
        case DRIVER_NO_FIRMWARE:
                return deny(LFA_ERROR_NO_FIRMWARE, "%s", error_text(LFA_ERROR_NO_FIRMWARE));
        case DRIVER_UNKNOWN:
                return deny(LFA_ERROR_STARTING, "The driver's tree has not been read yet.");
        default:
                break;
        }
        if (!profile_is_allowed(facts->profile) && !facts->profile_allowed_by_configuration)
                return deny(LFA_ERROR_PROFILE_NOT_ALLOWED,
                            "The kernel driver is of version '%s', which is not safe to drive, and AllowProfile= "
                            "of lfad.conf does not allow it.",
                            driver_profile_to_string(facts->profile));
        if (facts->images_lost > 0)
                return deny(LFA_ERROR_TREE_LOST,
                            "The kernel driver lost %u of its images; it must be bound again.",
                            facts->images_lost);
        return allow();
}

static GateVerdict gate_image(const GateFacts *facts) {
        const ImageValues *image = facts->image;

        if (!image)
                return deny(LFA_ERROR_IMAGE_GONE, "The driver does not show this image any more.");
        if (image_values_look_stale(image))
                return deny(LFA_ERROR_IMAGE_STALE, "The driver is dropping image %s.", image->guid);
        if (image->capable != 1)
                return deny(LFA_ERROR_NOT_CAPABLE, "Image %s does not support live activation.",
                            image->guid);
        if (image->pending != 1)
                return deny(LFA_ERROR_NOT_PENDING, "Nothing is staged for image %s.", image->guid);
        /* Unreadable counts as yes: some drivers oops when such an image is activated. */
        if (image->may_reset_cpu != 0)
                return deny(LFA_ERROR_NEEDS_CPU_RESET, "Activating image %s may reset CPUs.", image->guid);
        return allow();
}

static const char *version_or_none(const char *version) {
        return version_known(version) ? version : "none";
}

static GateVerdict gate_version(const GateFacts *facts) {
        const ImageValues *image = facts->image;

        if (!image)
                return allow(); /* gate image has said it */
        if (facts->expected_current.given &&
            strcmp(facts->expected_current.version, image->current_version) != 0)
                return deny(LFA_ERROR_VERSION_CHANGED,
                            "The current version of image %s is %s, expected was %s.", image->guid,
                            version_or_none(image->current_version),
                            version_or_none(facts->expected_current.version));
        if (facts->expected_pending.given &&
            strcmp(facts->expected_pending.version, image->pending_version) != 0)
                return deny(LFA_ERROR_VERSION_CHANGED,
                            "The pending version of image %s is %s, expected was %s.", image->guid,
                            version_or_none(image->pending_version),
                            version_or_none(facts->expected_pending.version));
        return allow();
}

static GateVerdict gate_quarantine(const GateFacts *facts) {
        const Quarantine *quarantine = facts->quarantine;

        if (!quarantine || !quarantine_is_in_force(quarantine, facts->quarantine_after))
                return allow();
        if (quarantine->host_restarted)
                return deny(LFA_ERROR_QUARANTINED,
                            "The host restarted while image %s was activated to version %s (job %u). Stage another "
                            "version, or 'lfactl clear-quarantine' once the host was checked.",
                            quarantine->guid, version_or_none(quarantine->to), quarantine->job);
        return deny(LFA_ERROR_QUARANTINED,
                    "%u activations of image %s to version %s went wrong, the last of them job %u "
                    "(QuarantineAfter=%u). Stage another version, or 'lfactl clear-quarantine' once the cause is known.",
                    quarantine->failures, quarantine->guid, version_or_none(quarantine->to), quarantine->job,
                    facts->quarantine_after);
}

static GateVerdict _printf_(3, 4) wait_for(ErrorId error, uint64_t retry_at_usec, const char *format, ...) {
        GateVerdict verdict = { .answer = GATE_WAIT, .error = error, .retry_at_usec = retry_at_usec };
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(verdict.text, sizeof(verdict.text), format, arguments);
        va_end(arguments);
        return verdict;
}

static GateVerdict gate_settle(const GateFacts *facts) {
        uint64_t settled = facts->tree_stable_since_usec + facts->settle_usec;

        if (facts->activation_running)
                return wait_for(LFA_ERROR_KERNEL_BUSY, UINT64_MAX, "Another activation runs.");
        if (facts->now_usec >= settled)
                return allow();
        if (facts->now_usec >= facts->settle_deadline_usec)
                return deny(LFA_ERROR_KERNEL_BUSY, "The driver's tree does not settle.");
        return wait_for(LFA_ERROR_KERNEL_BUSY,
                        settled < facts->settle_deadline_usec ? settled : facts->settle_deadline_usec,
                        "The driver's tree changed %" PRIu64 " ms ago.",
                        (uint64_t) ((facts->now_usec - facts->tree_stable_since_usec) / USEC_PER_MSEC));
}

static GateVerdict gate_repeat(const GateFacts *facts) {
        if (!facts->activated_without_effect)
                return allow();
        return deny(LFA_ERROR_REPEATED_ACTIVATION,
                    "This image was activated before; it is pending as before and no version moved.");
}

/* What is being set is waited for as an unsettled tree is: not for ever. */
static bool patience_is_over(const GateFacts *facts) {
        return facts->now_usec >= facts->settle_deadline_usec;
}

static GateVerdict gate_kernel_auto(const GateFacts *facts) {
        bool unreadable = facts->image && facts->image->auto_activate < 0 &&
                          profile_has_auto_activate(facts->profile);

        if (facts->auto_activate_left)
                return deny(LFA_ERROR_KERNEL_AUTO_ACTIVATE,
                            "auto_activate of this image is 1, and the configuration leaves it so "
                            "(KernelAutoActivate=leave).");
        if (unreadable)
                return deny(LFA_ERROR_KERNEL_AUTO_ACTIVATE, "auto_activate of this image cannot be read.");
        if (!facts->auto_activate_stuck && !facts->auto_activate_clearing &&
            !(facts->image && facts->image->auto_activate == 1))
                return allow();
        if (!facts->auto_activate_stuck && !patience_is_over(facts))
                return wait_for(LFA_ERROR_KERNEL_AUTO_ACTIVATE, facts->settle_deadline_usec,
                                "auto_activate is being set to 0.");
        return deny(LFA_ERROR_KERNEL_AUTO_ACTIVATE,
                    "auto_activate of this image is 1 and could not be set to 0.");
}

static GateVerdict gate_settings(const GateFacts *facts) {
        if (!facts->image || !facts->rendezvous_differs)
                return allow();
        if (!facts->rendezvous_stuck && !patience_is_over(facts))
                return wait_for(LFA_ERROR_SETTING_NOT_APPLIED, facts->settle_deadline_usec,
                                "force_cpu_rendezvous is being set as CpuRendezvous= wants it.");
        return deny(LFA_ERROR_SETTING_NOT_APPLIED,
                    "force_cpu_rendezvous of image %s could not be set as CpuRendezvous= wants it.",
                    facts->image->guid);
}

static GateVerdict _printf_(3, 4) defer(ErrorId error, uint64_t not_before_usec, const char *format, ...) {
        GateVerdict verdict = { .answer = GATE_DEFER, .error = error, .not_before_usec = not_before_usec };
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(verdict.text, sizeof(verdict.text), format, arguments);
        va_end(arguments);
        return verdict;
}

static GateVerdict gate_hold(const GateFacts *facts) {
        const Hold *hold = facts->hold;
        GateVerdict verdict;

        if (!hold)
                return allow();
        verdict = hold->by_lfad ? defer(LFA_ERROR_HELD, 0, "%s Check why, then 'lfactl unhold'.",
                                        hold->reason)
                                : defer(LFA_ERROR_HELD, hold->until_usec, "uid %u paused activations: %s",
                                        hold->uid, *hold->reason ? hold->reason : "no reason given");
        end_at_character(verdict.text);
        return verdict;
}

/* Until when is the holder's to know. */
static GateVerdict gate_inhibitor(const GateFacts *facts) {
        if (!facts->inhibitor_who)
                return allow();
        if (facts->inhibitors_more == 0)
                return defer(LFA_ERROR_INHIBITED, 0, "Activations of this image are blocked by %s: %s",
                             facts->inhibitor_who, facts->inhibitor_why);
        return defer(LFA_ERROR_INHIBITED, 0,
                     "Activations of this image are blocked by %u clients, first by %s: %s",
                     facts->inhibitors_more + 1, facts->inhibitor_who, facts->inhibitor_why);
}

static GateVerdict gate_order(const GateFacts *facts) {
        const ImageValues *image = facts->image;

        if (!image || image->pending != 1 || !*facts->must_go_first)
                return allow(); /* or gate image has said it */
        if (facts->first_are_under_way)
                return wait_for(LFA_ERROR_ORDER_PENDING, UINT64_MAX, "Image %s goes after the jobs of: %s.",
                                image->guid, facts->must_go_first);
        return defer(LFA_ERROR_ORDER_PENDING, 0,
                     "Image %s goes after what is pending still: %s. Activate that first (After= in lfad.conf).",
                     image->guid, facts->must_go_first);
}

/* Not asked is not known: then it is no. A host without the service has nothing to say. */
static GateVerdict gate_system(const GateFacts *facts) {
        const SystemFacts *system = &facts->system;

        if (system->state == SYSTEM_STOPPING || system->preparing_for_shutdown == SYSTEM_ANSWER_YES)
                return deny(LFA_ERROR_SYSTEM_STOPPING, "The host is shutting down.");
        if (system->preparing_for_sleep == SYSTEM_ANSWER_YES)
                return deny(LFA_ERROR_SYSTEM_STOPPING, "The host is going to sleep.");
        if (system->state == SYSTEM_UNKNOWN)
                return defer(LFA_ERROR_SYSTEM_NOT_READY, 0, "systemd does not tell the state of the host.");
        if (system->state != SYSTEM_ABSENT && system->state != SYSTEM_RUNNING &&
            system->state != SYSTEM_DEGRADED)
                return defer(LFA_ERROR_SYSTEM_NOT_READY, 0,
                             "The host has not booted fully: its state is '%s'.",
                             system_state_to_string(system->state));
        if (system->preparing_for_shutdown == SYSTEM_ANSWER_UNKNOWN ||
            system->preparing_for_sleep == SYSTEM_ANSWER_UNKNOWN)
                return defer(LFA_ERROR_SYSTEM_NOT_READY, 0,
                             "logind does not tell whether the host is shutting down or going to sleep.");
        if (system->lock_refused)
                return defer(LFA_ERROR_SYSTEM_NOT_READY, 0,
                             "logind does not let shutdown and sleep be put off.");
        return allow();
}

static GateVerdict gate_watchdog(const GateFacts *facts) {
        GateVerdict verdict;

        if (!*facts->watchdog_refusal)
                return allow();
        verdict = deny(LFA_ERROR_WATCHDOG_UNSAFE, "%s", facts->watchdog_refusal);
        end_at_character(verdict.text);
        return verdict;
}

static GateVerdict (*const gates[_GATE_MAX])(const GateFacts *facts) = {
        [GATE_CONFIG] = gate_config,
        [GATE_STATE] = gate_state,
        [GATE_DRIVER] = gate_driver,
        [GATE_IMAGE] = gate_image,
        [GATE_VERSION] = gate_version,
        [GATE_QUARANTINE] = gate_quarantine,
        [GATE_SETTLE] = gate_settle,
        [GATE_REPEAT] = gate_repeat,
        [GATE_KERNEL_AUTO] = gate_kernel_auto,
        [GATE_SETTINGS] = gate_settings,
        [GATE_HOLD] = gate_hold,
        [GATE_INHIBITOR] = gate_inhibitor,
        [GATE_ORDER] = gate_order,
        [GATE_SYSTEM] = gate_system,
        [GATE_WATCHDOG] = gate_watchdog,
};

void gates_run(const GateFacts *facts, GateVerdict verdicts[static _GATE_MAX]) {
        for (int i = 0; i < _GATE_MAX; i++)
                verdicts[i] = gates[i](facts);
}

static const GateVerdict *first_with(const GateVerdict verdicts[static _GATE_MAX], GateAnswer answer) {
        for (int i = 0; i < _GATE_MAX; i++)
                if (verdicts[i].answer == answer)
                        return &verdicts[i];
        return NULL;
}

const GateVerdict *gates_first_denial(const GateVerdict verdicts[static _GATE_MAX]) {
        return first_with(verdicts, GATE_DENY);
}

const GateVerdict *gates_find_refusal(const GateVerdict verdicts[static _GATE_MAX]) {
        const GateVerdict *denial = gates_first_denial(verdicts);

        return denial ? denial : first_with(verdicts, GATE_DEFER);
}

const GateVerdict *gates_decide(const GateVerdict verdicts[static _GATE_MAX]) {
        const GateVerdict *waits = first_with(verdicts, GATE_WAIT);

        return waits ? waits : gates_find_refusal(verdicts);
}
