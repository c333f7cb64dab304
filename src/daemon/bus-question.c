/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking other services of the bus without waiting for them. */

#include "daemon/bus-question.h"
#include "util/macros.h"

#include <errno.h>
#include <glib.h>

#define PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"

struct BusQuestion {
        sd_bus_slot *slot;
        BusAnswered answered;
        void *userdata;
        const char *type; /* of the property that was asked for; NULL = the reply is the answer */
};

/* What dbus-daemon passes on from systemd, which it asks to start services: the administrator does not want this one. */
#define UNIT_MASKED "org.freedesktop.systemd1.UnitMasked"
#define NO_SUCH_UNIT "org.freedesktop.systemd1.NoSuchUnit"

/* A service that is not installed, or is not to be started. */
static int error_of(const sd_bus_error *error) {
        int r;

        if (sd_bus_error_has_names(error, SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                                   UNIT_MASKED, NO_SUCH_UNIT))
                return -ENXIO;
        if (sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT))
                return -ETIMEDOUT;
        r = sd_bus_error_get_errno(error);
        return r > 0 && r != ENXIO ? -r : -EIO; /* one that says ENXIO is there */
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        BusQuestion *question = userdata;
        const sd_bus_error *failure = sd_bus_message_get_error(reply);
        int r = failure ? error_of(failure) : 0;

        question->slot = sd_bus_slot_unref(question->slot);
        if (r >= 0 && question->type && sd_bus_message_enter_container(reply, 'v', question->type) <= 0)
                r = -EBADMSG; /* not sd-bus' own -ENXIO, which would say that nobody is there */
        question->answered(MIN(r, 0), r < 0 ? NULL : reply, question->userdata);
        return 1;
}

static int ask(sd_bus_message *call, const char *type, BusAnswered answered, void *userdata,
               BusQuestion **ret) {
        BusQuestion *question = g_new0(BusQuestion, 1);
        int r;

        question->answered = answered;
        question->userdata = userdata;
        question->type = type;
        r = sd_bus_call_async(sd_bus_message_get_bus(call), &question->slot, call, on_reply, question,
                              BUS_QUESTION_PATIENCE_USEC);
        if (r < 0) {
                bus_question_free(question);
                return r;
        }
        *ret = question;
        return 0;
}

int bus_question_call(sd_bus_message *call, BusAnswered answered, void *userdata, BusQuestion **ret) {
        return ask(call, NULL, answered, userdata, ret);
}

static int new_properties_call(sd_bus *bus, const BusProperty *property, const char *method,
                               sd_bus_message **ret) {
        int r = sd_bus_message_new_method_call(bus, ret, property->service, property->path,
                                               PROPERTIES_INTERFACE, method);

        return r < 0 ? r : sd_bus_message_append(*ret, "ss", property->interface, property->name);
}

int bus_question_get(sd_bus *bus, const BusProperty *property, BusAnswered answered, void *userdata,
                     BusQuestion **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r = new_properties_call(bus, property, "Get", &call);

        return r < 0 ? r : ask(call, property->type, answered, userdata, ret);
}

int bus_question_set_u64(sd_bus *bus, const BusProperty *property, uint64_t value, BusAnswered answered,
                         void *userdata, BusQuestion **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r = new_properties_call(bus, property, "Set", &call);

        if (r >= 0)
                r = sd_bus_message_append(call, "v", property->type, value);
        return r < 0 ? r : ask(call, NULL, answered, userdata, ret);
}

void *bus_question_free(BusQuestion *question) {
        if (question) {
                sd_bus_slot_unref(question->slot);
                g_free(question);
        }
        return NULL;
}
