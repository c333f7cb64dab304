/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unhold: activations may go on. */

#include "bus/bus-errors.h"
#include "bus/options.h"
#include "bus/request.h"
#include "lfa/bus-names.h"

static const OptionSpec specs[] = {
        { "reason", OPTION_STRING, offsetof(Request, reason) },
};

/* The reason is shown, and must be the same when it is done. Others that hold all images end with it. */
static int check(Request *request, sd_bus_error *error) {
        const Hold *hold = manager_find_hold(request->service->manager, "");

        if (!hold)
                return bus_error_set(error, LFA_ERROR_NOT_HELD, NULL);
        request_add_detail(request, "hold", hold->reason);
        return 0;
}

static int act(Request *request, sd_bus_error *error) {
        int r = manager_unhold(request->service->manager, &request->requester, request->reason);

        if (r == -ENOENT)
                return bus_error_set(error, LFA_ERROR_NOT_HELD, NULL);
        if (r < 0)
                return bus_error_from_submit(r, error);
        signals_flush(request->service);
        return sd_bus_reply_method_return(request->message, NULL);
}

static const RequestType request_type = {
        .action = LFA_ACTION_HOLD,
        .check = check,
        .act = act,
};

int service_call_unhold(Service *service, sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(request_freep) Request *request = request_new(service, &request_type, message);
        int r = options_read(message, specs, G_N_ELEMENTS(specs), request, error);

        return r < 0 ? r : request_start(g_steal_pointer(&request), error);
}
