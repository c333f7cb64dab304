/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inhibit: a client holds activations back, as long as it has a descriptor open; and ListInhibitors. Images are judged
 * by what is known already: nobody who needs a moment's peace waits for the driver first. */

#include "bus/bus-errors.h"
#include "bus/image-details.h"
#include "bus/options.h"
#include "core/enum-names.h"
#include "lfa/bus-names.h"

G_STATIC_ASSERT(CLIENT_STRINGS_MAX <= INHIBITOR_IMAGES_MAX);

static int error_from_caps(int r, sd_bus_error *error) {
        return r < 0 ? bus_error_standard(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                          "There are too many inhibitors: %d are allowed, %d for each user.",
                                          INHIBITORS_MAX, INHIBITORS_PER_UID_MAX)
                     : 0;
}

static int check(Request *request, sd_bus_error *error) {
        int r = request_find_images(request, NULL, error);

        if (r < 0)
                return r;
        request_add_detail(request, "who", request->inhibitor.who);
        request_add_detail(request, "why", request->inhibitor.why);
        request_add_detail(request, "mode", inhibit_mode_to_string(request->inhibitor.mode));
        request_show_images(request);
        return error_from_caps(inhibitors_check_caps(request->service->manager->inhibitors, request->uid),
                               error);
}

static int act(Request *request, sd_bus_error *error) {
        Inhibitor wanted = request->inhibitor;
        _cleanup_close_ int fd = -EBADF;
        int r;

        wanted.guids = request->guids;
        wanted.uid = request->uid;
        wanted.pid = request->pid;
        r = inhibitors_take(request->service->manager->inhibitors, &wanted, &fd);
        if (r == -EDQUOT)
                return error_from_caps(r, error);
        if (r < 0)
                return bus_error_set(error, LFA_ERROR_STATE_UNAVAILABLE,
                                     "The inhibitor could not be kept; see lfad's journal.");
        signals_flush(request->service);
        /* If this cannot be sent, nobody has the descriptor, and that is the end of the inhibitor. */
        return sd_bus_reply_method_return(request->message, "h", fd);
}

static const RequestType request_type = {
        .action = LFA_ACTION_INHIBIT,
        .freshness = FRESH_ANY,
        .check = check,
        .act = act,
};

static int read_mode(sd_bus_message *message, InhibitMode *ret, sd_bus_error *error) {
        const char *text;
        int r = sd_bus_message_read_basic(message, 's', &text);

        if (r < 0)
                return r;
        *ret = inhibit_mode_from_string(text);
        return *ret < 0 ? bus_error_invalid(error, "'mode' takes block or delay.") : 0;
}

int service_call_inhibit(Service *service, sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(request_freep) Request *request = request_new(service, &request_type, message);
        const char *who = "", *why = "";
        int r = client_text_read(message, "who", &who, error);

        request->images = g_ptr_array_new();
        if (r >= 0)
                r = client_text_read(message, "why", &why, error);
        request->inhibitor.who = (char *) who;
        request->inhibitor.why = (char *) why;
        if (r >= 0)
                r = read_mode(message, &request->inhibitor.mode, error);
        if (r >= 0)
                r = client_strings_read(message, "images", request->images, error);
        if (r >= 0)
                r = options_read(message, NULL, 0, NULL, error);
        return r < 0 ? r : request_start(g_steal_pointer(&request), error);
}

static int append_images(sd_bus_message *reply, char **guids) {
        int r = sd_bus_message_open_container(reply, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append(reply, "s", "images");
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, guids);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_inhibitor(sd_bus_message *reply, const Inhibitor *inhibitor) {
        int r = sd_bus_message_open_container(reply, 'a', "{sv}");

        if (r >= 0)
                r = sd_bus_message_append(reply, "{sv}{sv}{sv}{sv}", "id", "u", inhibitor->id, "who", "s",
                                          inhibitor->who, "why", "s", inhibitor->why, "mode", "s",
                                          inhibit_mode_to_string(inhibitor->mode));
        if (r >= 0)
                r = append_images(reply, inhibitor->guids);
        if (r >= 0)
                r = sd_bus_message_append(reply, "{sv}{sv}{sv}", "uid", "u", inhibitor->uid, "pid", "u",
                                          inhibitor->pid, "since", "t", inhibitor->since_usec);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int service_call_list_inhibitors(Service *service, sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Inhibitors *inhibitors = service->manager->inhibitors;
        int r = sd_bus_message_new_method_return(message, &reply);

        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        for (unsigned i = 0; r >= 0 && i < inhibitors_count(inhibitors); i++)
                r = append_inhibitor(reply, inhibitors_get(inhibitors, i));
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(service->bus, reply, NULL);
}
