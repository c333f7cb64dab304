/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking polkit. Interface: org.freedesktop.PolicyKit1.Authority (polkit's reference manual). */

#include "bus/polkit.h"
#include "util/macros.h"

#define POLKIT_SERVICE "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_ALLOW_INTERACTION 1U
/* A person gets that long to type a password. */
#define PATIENCE_USEC (5 * 60 * USEC_PER_SEC)

struct PolkitCheck {
        sd_bus *bus;
        sd_bus_slot *slot; /* the call under way */
        char *cancellation_id;
        PolkitCallback callback;
        void *userdata;
};

/* A dialog that is open closes. */
static void take_back(PolkitCheck *check) {
        (void) sd_bus_call_method_async(check->bus, NULL, POLKIT_SERVICE, POLKIT_PATH, POLKIT_INTERFACE,
                                        "CancelCheckAuthorization", NULL, NULL, "s", check->cancellation_id);
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        PolkitCheck *check = userdata;
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        int authorized = 0, challenge = 0, r;

        check->slot = sd_bus_slot_unref(check->slot);
        if (error) {
                if (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY))
                        take_back(check);
                check->callback(POLKIT_FAILED, error->message ? error->message : error->name,
                                check->userdata);
                return 1;
        }
        r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
        if (r > 0)
                r = sd_bus_message_read(reply, "bb", &authorized, &challenge);
        if (r <= 0)
                check->callback(POLKIT_FAILED, "polkit's answer could not be read", check->userdata);
        else
                check->callback(authorized  ? POLKIT_YES
                                : challenge ? POLKIT_CHALLENGE
                                            : POLKIT_NO,
                                NULL, check->userdata);
        return 1;
}

static int append_details(sd_bus_message *call, const GPtrArray *details) {
        int r = sd_bus_message_open_container(call, 'a', "{ss}");

        for (unsigned i = 0; r >= 0 && i + 1 < details->len; i += 2)
                r = sd_bus_message_append(call, "{ss}", details->pdata[i], details->pdata[i + 1]);
        return r < 0 ? r : sd_bus_message_close_container(call);
}

static int new_call(sd_bus_message *message, const char *action, bool interactive, const GPtrArray *details,
                    const char *cancellation_id, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        uint32_t flags = interactive ? POLKIT_ALLOW_INTERACTION : 0;
        int r;

        r = sd_bus_message_new_method_call(sd_bus_message_get_bus(message), &call, POLKIT_SERVICE,
                                           POLKIT_PATH, POLKIT_INTERFACE, "CheckAuthorization");
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                                  sd_bus_message_get_sender(message), action);
        if (r < 0)
                return r;
        r = append_details(call, details);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "us", flags, cancellation_id);
        if (r < 0)
                return r;
        *ret = sd_bus_message_ref(call);
        return 0;
}

int polkit_check_start(sd_bus_message *message, const char *action, bool interactive,
                       const GPtrArray *details, PolkitCallback callback, void *userdata,
                       PolkitCheck **ret) {
        static uint64_t counter;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        PolkitCheck *check = g_new0(PolkitCheck, 1);
        int r;

        check->bus = sd_bus_ref(sd_bus_message_get_bus(message));
        check->cancellation_id = g_strdup_printf("lfad-%" G_GUINT64_FORMAT, ++counter);
        check->callback = callback;
        check->userdata = userdata;
        r = new_call(message, action, interactive, details, check->cancellation_id, &call);
        if (r >= 0)
                r = sd_bus_call_async(check->bus, &check->slot, call, on_answer, check, PATIENCE_USEC);
        if (r < 0) {
                polkit_check_free(check);
                return r;
        }
        *ret = check;
        return 0;
}

void *polkit_check_free(PolkitCheck *check) {
        if (!check)
                return NULL;
        if (check->slot) {
                sd_bus_slot_unref(check->slot);
                take_back(check);
        }
        sd_bus_unref(check->bus);
        g_free(check->cancellation_id);
        g_free(check);
        return NULL;
}
