/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ClearQuarantine: a version that went wrong may be tried again. */

#include "bus/bus-errors.h"
#include "bus/image-details.h"
#include "bus/options.h"
#include "lfa/bus-names.h"

static const OptionSpec specs[] = {
        { "reason", OPTION_STRING, offsetof(Request, reason) },
};

static int check(Request *request, sd_bus_error *error) {
        const Quarantine *quarantine;
        Image *image;
        int r = request_find_image(request, &image, error);

        if (r < 0)
                return r;
        quarantine = manager_find_quarantine(request->service->manager, image);
        if (!quarantine)
                return bus_error_set(error, LFA_ERROR_NOT_QUARANTINED, NULL);
        memcpy(request->target.guid, image->values.guid, sizeof(request->target.guid));
        request_add_detail(request, "guid", image->values.guid);
        request_add_detail(request, "name", image_display_name(image));
        request_add_detail(request, "to", version_known(quarantine->to) ? quarantine->to : "none");
        request_add_detail(request, "when", "now");
        request_add_detail(request, "override", gate_to_string(GATE_QUARANTINE));
        request_add_detail(request, "reason", request->reason);
        return 0;
}

static int act(Request *request, sd_bus_error *error) {
        Manager *manager = request->service->manager;
        int r = manager_clear_quarantine(manager, images_remember(manager, request->target.guid),
                                         &request->requester, request->reason);

        if (r == -ENOENT)
                return bus_error_set(error, LFA_ERROR_NOT_QUARANTINED, NULL);
        if (r < 0)
                return bus_error_from_submit(r, error);
        signals_flush(request->service);
        return sd_bus_reply_method_return(request->message, NULL);
}

static const RequestType request_type = {
        .action = LFA_ACTION_OVERRIDE_POLICY,
        .check = check,
        .act = act,
};

int service_call_clear_quarantine(Service *service, sd_bus_message *message, const Image *image,
                                  sd_bus_error *error) {
        _cleanup_(request_freep) Request *request = request_new(service, &request_type, message);
        int r;

        request->image = g_strdup(image->values.guid);
        r = options_read(message, specs, G_N_ELEMENTS(specs), request, error);
        return r < 0 ? r : request_start(g_steal_pointer(&request), error);
}
