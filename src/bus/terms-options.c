/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options about the terms of an activation: what they may say. */

#include "bus/terms-options.h"
#include "bus/bus-errors.h"
#include "lfa/bus-names.h"
#include "util/macros.h"

#define DAY_USEC (24 * 3600 * USEC_PER_SEC)

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

int request_check_deadline(const Request *request, sd_bus_error *error) {
        uint64_t now = clock_realtime(request->service->manager->clock);
        g_autofree char *text = NULL;

        if (request->deadline == 0)
                return 0;
        text = gate_time_to_text(request->deadline);
        if (request->deadline <= now)
                return bus_error_invalid(error, "'deadline' is over: %s.", text);
        if (request->deadline - now > DEADLINE_MAX_DAYS * DAY_USEC)
                return bus_error_invalid(error, "'deadline' is more than %d days ahead: %s.",
                                         DEADLINE_MAX_DAYS, text);
        return 0;
}

JobRequest request_new_job(const Request *request) {
        const Manager *manager = request->service->manager;
        JobRequest job_request = {
                .terms = request->terms,
                .when_allowed = request->when_allowed,
                .deadline_usec = request->deadline,
                .deadline_given = request->deadline > 0,
                .requester = &request->requester,
                .reason = request->reason,
                .request_id = request->request_id,
        };

        if (request->when_allowed && request->deadline == 0)
                job_request.deadline_usec = clock_realtime(manager->clock) + manager->config->max_wait_usec;
        return job_request;
}

int request_settle_terms(Request *request, sd_bus_error *error) {
        int r = 0;

        if (request->deadline > 0 && !request->when_allowed)
                return bus_error_invalid(error, "'deadline' is for requests that wait: 'when-allowed'.");
        for (unsigned i = 0; r >= 0 && request->override && i < request->override->len; i++)
                r = add_override(request, request->override->pdata[i], error);
        if (r < 0 || request->terms.overrides == 0)
                return r;
        if (!*request->reason)
                return bus_error_invalid(error, "'override' needs a 'reason'.");
        request->action = LFA_ACTION_OVERRIDE_POLICY;
        return 0;
}
