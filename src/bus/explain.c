/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Explain: what Activate would answer, from the same gates, each with its reason. Changes nothing. */

#include "bus/bus-errors.h"
#include "bus/image-details.h"
#include "bus/terms-options.h"
#include "bus/warnings.h"
#include "daemon/plan.h"
#include "lfa/bus-names.h"

static const OptionSpec specs[] = {
        { "expected-current-version", OPTION_VERSION, offsetof(Request, terms.expected_current) },
        { "expected-pending-version", OPTION_VERSION, offsetof(Request, terms.expected_pending) },
        { "request-id", OPTION_REQUEST_ID, offsetof(Request, request_id) },
        TERMS_OPTIONS,
        { "at", OPTION_U64, offsetof(Request, at) },
        { "authorize", OPTION_BOOL, offsetof(Request, authorize) },
};

/* As for Activate: "no" is said on a reading that began after the call only. */
static bool wants_newer_reading(const Request *request, Image *image) {
        Manager *manager = request->service->manager;
        GateVerdict verdicts[_GATE_MAX];

        if (manager_is_activating(manager) ||
            scanner_has_read_since(manager->scanner, request->arrived_usec))
                return false;
        manager_explain_gates(manager, image, &request->terms, request->at, verdicts);
        return gates_find_refusal(verdicts) != NULL;
}

static int check(Request *request, sd_bus_error *error) {
        Image *image;
        int r = request_find_image(request, &image, error);

        if (r >= 0)
                r = request_check_deadline(request, error);
        if (r < 0)
                return r;
        if (wants_newer_reading(request, image))
                return -EAGAIN; /* request.c reads once more and comes back */
        request_show_image(request, image);
        return 0;
}

static bool exempt(const Request *request) {
        return !request->authorize;
}

static const char *answer_name(GateAnswer answer) {
        static const char *const names[] = {
                [GATE_ALLOW] = "allow", [GATE_WAIT] = "wait", [GATE_DEFER] = "defer", [GATE_DENY] = "deny"
        };

        return names[answer];
}

/* A wait ends at a time of the clock that does not jump; callers know the other one. */
static uint64_t not_before(const Manager *manager, const GateVerdict *verdict) {
        uint64_t now = clock_monotonic(manager->clock);

        if (verdict->answer == GATE_ALLOW)
                return 0;
        if (verdict->answer == GATE_DEFER && verdict->not_before_usec > 0)
                return verdict->not_before_usec;
        if (verdict->answer != GATE_WAIT || verdict->retry_at_usec == UINT64_MAX)
                return UINT64_MAX;
        return clock_realtime(manager->clock) +
               (verdict->retry_at_usec > now ? verdict->retry_at_usec - now : 0);
}

static int append_gate(sd_bus_message *reply, const Manager *manager, GateId gate,
                       const GateVerdict *verdict) {
        return sd_bus_message_append(reply, "a{sv}", 8, "gate", "s", gate_to_string(gate), "answer", "s",
                                     answer_name(verdict->answer), "error", "s",
                                     error_bus_name(verdict->error), "text", "s", verdict->text, "retryable",
                                     "b", error_is_retryable(verdict->error), "not-before", "t",
                                     not_before(manager, verdict), "overridable", "b",
                                     gate_is_overridable(gate), "overridden", "b", verdict->overridden);
}

/* The first refusal decides, as it does for a call; what is only waited for comes after. */
static const GateVerdict *find_deciding(const GateVerdict verdicts[static _GATE_MAX]) {
        const GateVerdict *refusal = gates_find_refusal(verdicts);

        return refusal ? refusal : gates_decide(verdicts);
}

static int append_text(sd_bus_message *reply, const char *key, const char *text) {
        return sd_bus_message_append(reply, "{sv}", key, "s", text);
}

static int append_warnings(sd_bus_message *reply, const Manager *manager) {
        int r = sd_bus_message_open_container(reply, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append(reply, "s", "warnings");
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', "a(ss)");
        if (r >= 0)
                r = warnings_append(reply, manager);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* Of all gates together: when the one that decides lets it pass, another may not. */
static uint64_t not_before_of_all(const Request *request, const GateVerdict *deciding) {
        Manager *manager = request->service->manager;
        uint64_t at = request->at > 0 ? request->at : clock_realtime(manager->clock), foreseen = 0;

        if (deciding->answer == GATE_DEFER)
                foreseen = manager_foresee_start(manager, images_remember(manager, request->target.guid),
                                                 &request->terms, at);
        return foreseen > 0 ? foreseen : not_before(manager, deciding);
}

static int append_verdict(sd_bus_message *reply, const Request *request, const GateVerdict *verdicts) {
        static const GateVerdict allowed = { .answer = GATE_ALLOW };
        const Manager *manager = request->service->manager;
        const GateVerdict *deciding = find_deciding(verdicts);
        const char *gate = deciding ? gate_to_string((GateId) (deciding - verdicts)) : "";
        int r = sd_bus_message_open_container(reply, 'a', "{sv}");

        if (!deciding)
                deciding = &allowed;
        if (r >= 0)
                r = append_text(reply, "answer", answer_name(deciding->answer));
        if (r >= 0)
                r = append_text(reply, "gate", gate);
        if (r >= 0)
                r = append_text(reply, "error", error_bus_name(deciding->error));
        if (r >= 0)
                r = append_text(reply, "text", deciding->text);
        if (r >= 0)
                r = sd_bus_message_append(reply, "{sv}{sv}", "retryable", "b",
                                          error_is_retryable(deciding->error), "not-before", "t",
                                          not_before_of_all(request, deciding));
        if (r >= 0)
                r = append_text(reply, "authorized",
                                request->authorize && request->uid == 0 ? "yes" : request->authorized);
        if (r >= 0)
                r = append_text(reply, "guid", request->target.guid);
        if (r >= 0)
                r = append_text(reply, "from", request->target.from);
        if (r >= 0)
                r = append_text(reply, "to", request->target.to);
        if (r >= 0)
                r = append_text(reply, "time-zone", config_zone_name(manager->config));
        if (r >= 0)
                r = append_warnings(reply, manager);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int act(Request *request, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Manager *manager = request->service->manager;
        GateVerdict verdicts[_GATE_MAX];
        int r;

        manager_explain_gates(manager, images_remember(manager, request->target.guid), &request->terms,
                              request->at, verdicts);
        r = sd_bus_message_new_method_return(request->message, &reply);
        if (r >= 0)
                r = append_verdict(reply, request, verdicts);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        for (int i = 0; r >= 0 && i < _GATE_MAX; i++)
                r = append_gate(reply, manager, (GateId) i, &verdicts[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(request->service->bus, reply, NULL);
}

static const RequestType request_type = {
        .action = LFA_ACTION_ACTIVATE,
        .freshness = FRESH_RECENT,
        .judges_host = true,
        .advisory = true,
        .check = check,
        .exempt = exempt,
        .act = act,
};

int service_call_explain(Service *service, sd_bus_message *message, const char *image, sd_bus_error *error) {
        _cleanup_(request_freep) Request *request = request_new(service, &request_type, message);
        int r;

        r = client_string_check("image", image, error);
        if (r < 0)
                return r;
        request->image = g_strdup(image);
        r = options_read(message, specs, G_N_ELEMENTS(specs), request, error);
        if (r >= 0)
                r = request_settle_terms(request, error);
        return r < 0 ? r : request_start(g_steal_pointer(&request), error);
}
