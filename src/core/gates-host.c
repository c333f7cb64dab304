/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gates about lfad itself and its host: whether an activation would be safe and remembered. */

#include "core/enum-names.h"
#include "core/gates-internal.h"

GateVerdict gate_config(const GateFacts *facts) {
        GateVerdict verdict;

        if (!facts->configuration_error)
                return gate_allow();
        verdict = gate_deny(LFA_ERROR_CONFIG_INVALID, "%s", facts->configuration_error);
        gate_end_text_at_character(verdict.text);
        return verdict;
}

GateVerdict gate_state(const GateFacts *facts) {
        GateVerdict verdict;

        if (facts->state_error == LFA_ERROR_NONE)
                return gate_allow();
        verdict = gate_deny(facts->state_error, "%s", facts->state_text);
        gate_end_text_at_character(verdict.text);
        return verdict;
}

/* Not asked is not known: then it is no. A host without the service has nothing to say. */
GateVerdict gate_system(const GateFacts *facts) {
        const SystemFacts *system = &facts->system;

        if (system->state == SYSTEM_STOPPING || system->preparing_for_shutdown == SYSTEM_ANSWER_YES)
                return gate_deny(LFA_ERROR_SYSTEM_STOPPING, "The host is shutting down.");
        if (system->preparing_for_sleep == SYSTEM_ANSWER_YES)
                return gate_deny(LFA_ERROR_SYSTEM_STOPPING, "The host is going to sleep.");
        if (system->state == SYSTEM_UNKNOWN)
                return gate_defer(LFA_ERROR_SYSTEM_NOT_READY, 0,
                                  "systemd does not tell the state of the host.");
        if (system->state != SYSTEM_ABSENT && system->state != SYSTEM_RUNNING &&
            system->state != SYSTEM_DEGRADED)
                return gate_defer(LFA_ERROR_SYSTEM_NOT_READY, 0,
                                  "The host has not booted fully: its state is '%s'.",
                                  system_state_to_string(system->state));
        if (system->preparing_for_shutdown == SYSTEM_ANSWER_UNKNOWN ||
            system->preparing_for_sleep == SYSTEM_ANSWER_UNKNOWN)
                return gate_defer(
                                LFA_ERROR_SYSTEM_NOT_READY, 0,
                                "logind does not tell whether the host is shutting down or going to sleep.");
        if (system->lock_refused)
                return gate_defer(LFA_ERROR_SYSTEM_NOT_READY, 0,
                                  "logind does not let shutdown and sleep be put off.");
        return gate_allow();
}

GateVerdict gate_watchdog(const GateFacts *facts) {
        GateVerdict verdict;

        if (!*facts->watchdog_refusal)
                return gate_allow();
        verdict = gate_deny(LFA_ERROR_WATCHDOG_UNSAFE, "%s", facts->watchdog_refusal);
        gate_end_text_at_character(verdict.text);
        return verdict;
}
