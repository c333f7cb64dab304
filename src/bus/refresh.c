/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Refresh: a hint from outside that something was staged. Answers when what was found is published. */

#include "bus/bus-errors.h"
#include "bus/options.h"
#include "bus/request.h"
#include "lfa/bus-names.h"

static int check(Request *request, sd_bus_error *error) {
        return 0;
}

static int act(Request *request, sd_bus_error *error) {
        signals_flush(request->service);
        return sd_bus_reply_method_return(request->message, NULL);
}

static const RequestType request_type = {
        .action = LFA_ACTION_REFRESH,
        .freshness = FRESH_NEW,
        .check = check,
        .act = act,
};

int service_call_refresh(Service *service, sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(request_freep) Request *request = request_new(service, &request_type, message);
        int r = options_read(message, NULL, 0, NULL, error);

        return r < 0 ? r : request_start(g_steal_pointer(&request), error);
}
