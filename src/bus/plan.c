/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GetPlan: what is ahead, as dictionaries. The host is asked first: right after a change of the configuration nothing may
 * be known yet of what the gates want to know now. */

#include "daemon/plan.h"
#include "bus/bus-errors.h"
#include "bus/options.h"
#include "bus/request.h"
#include "lfa/bus-names.h"
#include "util/macros.h"

static const OptionSpec specs[] = {
        { "until", OPTION_U64, offsetof(Request, until) },
};

/* What is empty is absent. */
static int append_text(sd_bus_message *reply, const char *key, const char *text) {
        return *text ? sd_bus_message_append(reply, "{sv}", key, "s", text) : 0;
}

static int append_time(sd_bus_message *reply, const char *key, uint64_t usec) {
        return usec > 0 ? sd_bus_message_append(reply, "{sv}", key, "t", usec) : 0;
}

static int append_event(sd_bus_message *reply, const PlanEvent *event) {
        const struct {
                const char *key, *text;
        } texts[] = {
                { "type", plan_event_type_to_string(event->type) },
                { "name", event->name },
                { "guid", event->guid },
                { "from", event->from },
                { "to", event->to },
                { "gate", event->gate },
                { "error", error_bus_name(event->error) },
                { "text", event->text },
        };
        int r = sd_bus_message_open_container(reply, 'a', "{sv}");

        for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(texts); i++)
                r = append_text(reply, texts[i].key, texts[i].text);
        if (r >= 0)
                r = append_time(reply, "start", event->start_usec);
        if (r >= 0)
                r = append_time(reply, "end", event->end_usec);
        if (r >= 0)
                r = append_time(reply, "slot", event->slot_usec);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int check(Request *request, sd_bus_error *error) {
        return 0;
}

/* Anybody may look. */
static bool exempt(const Request *request) {
        return true;
}

static int act(Request *request, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        g_autoptr(GPtrArray) events = manager_plan(request->service->manager, request->until);
        int r;

        r = sd_bus_message_new_method_return(request->message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        for (unsigned i = 0; r >= 0 && i < events->len; i++)
                r = append_event(reply, events->pdata[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(request->service->bus, reply, NULL);
}

static const RequestType request_type = {
        .action = LFA_ACTION_ACTIVATE,
        .judges_host = true,
        .looks_ahead = true,
        .advisory = true,
        .check = check,
        .exempt = exempt,
        .act = act,
};

int service_call_get_plan(Service *service, sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(request_freep) Request *request = request_new(service, &request_type, message);
        uint64_t now = clock_realtime(service->manager->clock);
        int r;

        request->until = now + PLAN_SPAN_DEFAULT_USEC;
        request->terms.unattended =
                        manager_needs_clock(service->manager); /* automatic mode speaks for nobody */
        r = options_read(message, specs, G_N_ELEMENTS(specs), request, error);
        if (r < 0)
                return r;
        if (request->until < now || request->until - now > PLAN_SPAN_MAX_USEC)
                return bus_error_invalid(error, "'until' is not more than 366 days from now.");
        return request_start(g_steal_pointer(&request), error);
}
