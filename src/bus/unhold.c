/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unhold: activations may go on, of some images or of all. What holds one image alone ends with its own name only, and
 * what holds all of them without any. */

#include "bus/bus-errors.h"
#include "bus/holds.h"
#include "bus/image-details.h"
#include "bus/options.h"
#include "lfa/bus-names.h"

static const OptionSpec specs[] = {
        { "images", OPTION_STRINGS, offsetof(Request, images) },
        { "reason", OPTION_STRING, offsetof(Request, reason) },
};

static int fail_not_held(const Request *request, const char *guid, sd_bus_error *error) {
        Manager *manager = request->service->manager;
        g_autofree char *text = NULL;

        if (!*guid)
                return bus_error_set(error, LFA_ERROR_NOT_HELD, NULL);
        text = g_strdup_printf(
                        "Image %s (%s) has no hold of its own%s", guid,
                        image_display_name(images_remember(manager, guid)),
                        manager_find_hold(manager, "")
                                        ? "; all images are held: 'lfactl unhold' without a name ends that."
                                        : ".");
        return bus_error_set(error, LFA_ERROR_NOT_HELD, text);
}

static int check_held(const Request *request, sd_bus_error *error) {
        const Manager *manager = request->service->manager;

        if (!request->guids)
                return manager_find_hold_of(manager, "") ? 0 : fail_not_held(request, "", error);
        for (char **guid = request->guids; *guid; guid++)
                if (!manager_find_hold_of(manager, *guid))
                        return fail_not_held(request, *guid, error);
        return 0;
}

/* All that ends is shown, and must be the same when it is done. */
static int check(Request *request, sd_bus_error *error) {
        g_autofree char *hold = NULL;
        int r = request_find_images(request, holds_guid_is_held, error);

        if (r >= 0)
                r = check_held(request, error);
        if (r < 0)
                return r;
        hold = holds_describe(request->service->manager, request->guids, true);
        request_add_detail(request, "verb", "unhold");
        request_show_images(request);
        request_add_detail(request, "reason", request->reason);
        request_add_detail(request, "hold", hold);
        return 0;
}

static int act(Request *request, sd_bus_error *error) {
        int r = manager_unhold(request->service->manager, request->guids, &request->requester,
                               request->reason);

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

        if (r >= 0)
                r = holds_check_images(request, error);
        return r < 0 ? r : request_start(g_steal_pointer(&request), error);
}
