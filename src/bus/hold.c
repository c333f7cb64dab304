/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hold: a person pauses activations, of some images or of all, until a time or until Unhold. */

#include "bus/bus-errors.h"
#include "bus/holds.h"
#include "bus/image-details.h"
#include "bus/options.h"
#include "core/hold-text.h"
#include "lfa/bus-names.h"

/* Whoever means longer means: until it is released. */
#define UNTIL_MAX_USEC (10 * 366 * UINT64_C(86400) * USEC_PER_SEC)

static const OptionSpec specs[] = {
        { "images", OPTION_STRINGS, offsetof(Request, images) },
        { "until", OPTION_U64, offsetof(Request, until) },
};

static int check_until(const Request *request, sd_bus_error *error) {
        uint64_t now = clock_realtime(request->service->manager->clock);

        if (request->until == 0)
                return 0;
        if (request->until <= now)
                return bus_error_invalid(error, "'until' lies in the past.");
        if (request->until - now > UNTIL_MAX_USEC)
                return bus_error_invalid(error, "'until' lies more than ten years ahead; without it a hold "
                                                "lasts until it is released.");
        return 0;
}

static int error_from_caps(int r, sd_bus_error *error) {
        return r < 0 ? bus_error_standard(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                          "There are too many holds: %d are allowed.", HOLDS_MAX)
                     : 0;
}

/* What is replaced ends, so it is shown too. */
static int check(Request *request, sd_bus_error *error) {
        const Manager *manager = request->service->manager;
        g_autofree char *until = NULL, *hold = NULL, *replaced = NULL;
        int r = request_find_images(request, holds_guid_is_held, error);

        if (r >= 0)
                r = check_until(request, error);
        if (r < 0)
                return r;
        until = hold_until_text(request->until);
        hold = g_strdup_printf("until %s: %s", until, request->reason);
        replaced = holds_describe(manager, request->guids, false);
        request_add_detail(request, "verb", "hold");
        request_show_images(request);
        request_add_detail(request, "until", until);
        request_add_detail(request, "reason", request->reason);
        request_add_detail(request, "hold", hold);
        request_add_detail(request, "replaces", replaced);
        return error_from_caps(manager_check_hold_caps(manager, request->guids), error);
}

static int act(Request *request, sd_bus_error *error) {
        int r = manager_hold(request->service->manager, request->guids, request->until, &request->requester,
                             request->reason);

        if (r == -EDQUOT)
                return error_from_caps(r, error);
        if (r < 0)
                return bus_error_from_submit(r, error);
        signals_flush(request->service);
        return sd_bus_reply_method_return(request->message, NULL);
}

static const RequestType request_type = {
        .action = LFA_ACTION_HOLD,
        .freshness = FRESH_ANY,
        .check = check,
        .act = act,
};

int service_call_hold(Service *service, sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(request_freep) Request *request = request_new(service, &request_type, message);
        int r = client_text_read(message, "reason", &request->reason, error);

        if (r >= 0)
                r = options_read(message, specs, G_N_ELEMENTS(specs), request, error);
        if (r >= 0)
                r = holds_check_images(request, error);
        return r < 0 ? r : request_start(g_steal_pointer(&request), error);
}
