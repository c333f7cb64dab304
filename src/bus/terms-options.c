/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options about the terms of an activation: what they may say. */

#include "bus/terms-options.h"
#include "bus/bus-errors.h"
#include "lfa/bus-names.h"

static unsigned overridable_gates(void) {
        unsigned mask = 0;

        for (int i = 0; i < _GATE_MAX; i++)
                if (gate_is_overridable((GateId) i))
                        mask |= 1U << i;
        return mask;
}

static int add_override(Request *request, const char *name, sd_bus_error *error) {
        g_autofree char *allowed = gate_mask_to_text(overridable_gates());
        GateId gate = gate_from_string(name);

        if ((int) gate < 0)
                return bus_error_invalid(error,
                                         "'override': there is no gate '%s'; these can be passed over: %s.",
                                         name, allowed);
        if (!gate_is_overridable(gate))
                return bus_error_invalid(error,
                                         "'override': gate '%s' cannot be passed over; these can: %s.", name,
                                         allowed);
        request->terms.overrides |= 1U << gate;
        return 0;
}

int request_settle_terms(Request *request, sd_bus_error *error) {
        int r = 0;

        for (unsigned i = 0; r >= 0 && request->override && i < request->override->len; i++)
                r = add_override(request, request->override->pdata[i], error);
        if (r < 0 || request->terms.overrides == 0)
                return r;
        if (!*request->reason)
                return bus_error_invalid(error, "'override' needs a 'reason'.");
        request->action = LFA_ACTION_OVERRIDE_POLICY;
        return 0;
}
