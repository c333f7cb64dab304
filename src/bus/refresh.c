/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Refresh: a hint from outside that something was staged. Answers when what was found is published. */

#include "bus/bus-errors.h"
#include "bus/options.h"
#include "bus/request.h"
#include "lfa/bus-names.h"

static int check(Request *request, sd_bus_error *error) {
        return 0;
}

/* The request is over once the scan is asked for; this is what waits. */
typedef struct Waiting {
        Service *service; /* gone when the scan was cancelled */
        sd_bus_message *message;
} Waiting;

static void waiting_freep(Waiting **waiting) {
        sd_bus_message_unref((*waiting)->message);
        g_free(*waiting);
}

static void on_scanned(int scan_error, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(waiting_freep) Waiting *waiting = userdata;

        if (scan_error >= 0) {
                signals_flush(waiting->service);
                (void) sd_bus_reply_method_return(waiting->message, NULL);
                return;
        }
        (void) bus_error_set(&error, LFA_ERROR_KERNEL_BUSY, "The driver's tree could not be read in time.");
        (void) sd_bus_reply_method_error(waiting->message, &error);
}

static int act(Request *request, sd_bus_error *error) {
        Manager *manager = request->service->manager;
        Waiting *waiting = g_new(Waiting, 1);

        *waiting = (Waiting){ request->service, sd_bus_message_ref(request->message) };
        /* Nothing that was published began after now, so it always waits. */
        (void) scanner_wait(manager->scanner, clock_monotonic(manager->clock), on_scanned, waiting);
        return 0;
}

static const RequestType request_type = {
        .action = LFA_ACTION_REFRESH,
        .check = check,
        .act = act,
};

int service_call_refresh(Service *service, sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(request_freep) Request *request = request_new(service, &request_type, message);
        int r = options_read(message, NULL, 0, NULL, error);

        return r < 0 ? r : request_start(g_steal_pointer(&request), error);
}
