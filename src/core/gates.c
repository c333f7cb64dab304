/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gates, in their order, each a function of the facts. */

#include "core/gates-internal.h"
#include "util/string-table.h"

#include <stddef.h>

static const char *const gate_names[_GATE_MAX] = {
        [GATE_CONFIG] = "config",     [GATE_STATE] = "state",         [GATE_DRIVER] = "driver",
        [GATE_IMAGE] = "image",       [GATE_VERSION] = "version",     [GATE_QUARANTINE] = "quarantine",
        [GATE_SETTLE] = "settle",     [GATE_REPEAT] = "repeat",       [GATE_KERNEL_AUTO] = "kernel-auto",
        [GATE_SETTINGS] = "settings", [GATE_HOLD] = "hold",           [GATE_FREEZE] = "freeze",
        [GATE_WINDOW] = "window",     [GATE_SLOT] = "slot",           [GATE_INTERVAL] = "interval",
        [GATE_CLOCK] = "clock",       [GATE_INHIBITOR] = "inhibitor", [GATE_ORDER] = "order",
        [GATE_SYSTEM] = "system",     [GATE_WATCHDOG] = "watchdog",
};
DEFINE_STRING_TABLE(gate, GateId, gate_names)

#define OVERRIDABLE                                                                                         \
        (1U << GATE_VERSION | 1U << GATE_QUARANTINE | 1U << GATE_REPEAT | 1U << GATE_HOLD |                 \
         1U << GATE_FREEZE | 1U << GATE_WINDOW | 1U << GATE_SLOT | 1U << GATE_INTERVAL | 1U << GATE_CLOCK | \
         1U << GATE_INHIBITOR | 1U << GATE_ORDER)

bool gate_is_overridable(GateId gate) {
        return OVERRIDABLE >> gate & 1;
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
        [GATE_FREEZE] = gate_freeze,
        [GATE_WINDOW] = gate_window,
        [GATE_SLOT] = gate_slot,
        [GATE_INTERVAL] = gate_interval,
        [GATE_CLOCK] = gate_clock,
        [GATE_INHIBITOR] = gate_inhibitor,
        [GATE_ORDER] = gate_order,
        [GATE_SYSTEM] = gate_system,
        [GATE_WATCHDOG] = gate_watchdog,
};

/* Other versions than those that somebody asked for, or was authorised for, are another request. A pause that was made
 * since is for what waits, too. */
static bool may_be_passed_over(const GateFacts *facts, GateId gate, const GateVerdict *verdict) {
        return verdict->answer != GATE_ALLOW && gate_is_overridable(gate) &&
               verdict->error != LFA_ERROR_VERSION_CHANGED && !(gate == GATE_HOLD && facts->hold_is_newer);
}

void gates_run(const GateFacts *facts, GateVerdict verdicts[static _GATE_MAX]) {
        for (int i = 0; i < _GATE_MAX; i++) {
                GateVerdict *verdict = &verdicts[i];

                *verdict = gates[i](facts);
                if (!may_be_passed_over(facts, (GateId) i, verdict) || !(facts->terms.overrides & 1U << i))
                        continue;
                verdict->answer = GATE_ALLOW;
                verdict->overridden = true;
        }
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
