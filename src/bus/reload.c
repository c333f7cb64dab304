/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reload: the configuration files are read again. What systemctl reload calls, so that it fails visibly. */

#include "bus/bus-errors.h"
#include "bus/options.h"
#include "bus/request.h"
#include "daemon/config.h"
#include "daemon/log-fields.h"
#include "lfa/bus-names.h"

static int check(Request *request, sd_bus_error *error) {
        return 0;
}

static int act(Request *request, sd_bus_error *error) {
        g_autofree char *asker = requester_to_text(&request->requester), *text = NULL;

        log_detail(LOG_INFO, add_requester(NULL, &request->requester),
                   "%s asked for the configuration to be read again.", asker);
        if (manager_reload_config(request->service->manager, &text) < 0)
                return bus_error_set(error, LFA_ERROR_CONFIG_INVALID, text);
        signals_flush(request->service);
        return sd_bus_reply_method_return(request->message, NULL);
}

static const RequestType request_type = {
        .action = LFA_ACTION_CONFIGURE,
        .check = check,
        .act = act,
};

int service_call_reload(Service *service, sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(request_freep) Request *request = request_new(service, &request_type, message);
        int r = options_read(message, NULL, 0, NULL, error);

        return r < 0 ? r : request_start(g_steal_pointer(&request), error);
}
