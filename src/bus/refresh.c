/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Refresh: a hint from outside that something was staged. Answers when what was found is published. */

#include "bus/bus-errors.h"
#include "bus/options.h"
#include "bus/request.h"
#include "daemon/log-fields.h"
#include "lfa/bus-names.h"

static int check(Request *request, sd_bus_error *error) {
        return 0;
}

/* Anybody may ask, as often as scans are made: the journal gets a few lines of that. */
static void log_request(const Request *request) {
        g_autofree char *asker = requester_to_text(&request->requester);

        if (ratelimit_pass(&request->service->refresh_limit,
                           clock_monotonic(request->service->manager->clock)))
                log_detail(LOG_INFO, add_requester(NULL, &request->requester),
                           "%s had the driver's images read.", asker);
}

static int act(Request *request, sd_bus_error *error) {
        log_request(request);
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
