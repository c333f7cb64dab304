/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking for a verdict and showing it. */

#include "ctl/explain.h"

#include "ctl/advice.h"
#include "ctl/automatic-plan.h"
#include "ctl/bus-value.h"
#include "ctl/call-options.h"
#include "ctl/call-terms.h"
#include "ctl/output-table.h"
#include "ctl/policy-time.h"
#include "lfa/bus-names.h"

#include <string.h>

static int append_options(Client *client, sd_bus_message *call, uint64_t at) {
        const Options *options = client->options;
        int r = sd_bus_message_open_container(call, SD_BUS_TYPE_ARRAY, "{sv}");

        if (r >= 0)
                r = call_option_string(call, "expected-current-version", options->expect_current);
        if (r >= 0)
                r = call_option_string(call, "expected-pending-version", options->expect_pending);
        if (r >= 0)
                r = call_terms(client, call);
        if (r >= 0)
                r = call_option_u64(call, "at", at);
        if (r >= 0)
                r = call_option_bool(call, "authorize", options->authorize);
        return r < 0 ? r : sd_bus_message_close_container(call);
}

/* Returns 0 with both objects, which the caller owns, or a negative errno with error. */
static int call_explain(Client *client, const Image *image, uint64_t at, sd_bus_error *error,
                        json_object **ret_verdict, json_object **ret_gates) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        _cleanup_(json_object_unrefp) json_object *verdict = NULL;
        int r;

        r = client_new_call(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "Explain", &call);
        if (r >= 0)
                r = sd_bus_message_append(call, "s", image->guid);
        if (r >= 0)
                r = append_options(client, call, at);
        if (r >= 0)
                r = client_call(client, call, CLIENT_PROMPT_USEC, error, &reply);
        if (r < 0)
                return r;
        if (!sd_bus_message_has_signature(reply, "a{sv}aa{sv}"))
                return -EBADMSG;
        r = bus_value_read(reply, &verdict);
        if (r > 0)
                r = bus_value_read(reply, ret_gates);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;
        *ret_verdict = g_steal_pointer(&verdict);
        return 0;
}

/* The words of a person for the answers of lfad; one of a newer lfad is shown as it is. */
static const char *answer_text(const char *answer) {
        static const char *const texts[][2] = { { "allow", "allowed" },
                                                { "defer", "deferred" },
                                                { "deny", "denied" } };

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
                if (strcmp(texts[i][0], answer) == 0)
                        return texts[i][1];
        return answer;
}

static Colour answer_colour(const char *answer) {
        if (strcmp(answer, "allow") == 0)
                return COLOUR_GREEN;
        return strcmp(answer, "deny") == 0 ? COLOUR_RED : COLOUR_YELLOW;
}

/* Who would have to give a password gets one asked for, unless the caller does not want that. */
static bool is_refused_by_polkit(const Client *client, const char *authorized) {
        return strcmp(authorized, "no") == 0 ||
               (strcmp(authorized, "challenge") == 0 && !client->options->ask_password);
}

static ExitCode find_exit_code(const Client *client, json_object *verdict) {
        const char *answer = bus_value_string(verdict, "answer");

        if (strcmp(answer, "deny") == 0)
                return exit_code_from_result("refused", bus_value_string(verdict, "error"));
        if (strcmp(answer, "defer") == 0)
                return EXIT_DEFERRED;
        if (is_refused_by_polkit(client, bus_value_string(verdict, "authorized")))
                return EXIT_NOT_AUTHORISED;
        if (strcmp(answer, "allow") == 0)
                return EXIT_DONE;
        return strcmp(answer, "wait") == 0 ? EXIT_DEFERRED : EXIT_DENIED;
}

static void print_verdict(json_object *verdict, const char *label) {
        const char *answer = bus_value_string(verdict, "answer"),
                   *error = bus_value_string(verdict, "error");
        const char *text = bus_value_string(verdict, "text"), *by = bus_value_string(verdict, "authorized");

        output_print(COLOUR_NONE, "%s: %s %s %s: ", label, output_or_dash(bus_value_string(verdict, "from")),
                     output_arrow(), output_or_dash(bus_value_string(verdict, "to")));
        output_print(answer_colour(answer), "%s", answer_text(answer));
        if (*error)
                output_print(COLOUR_NONE, ", %s", advice_short_error(error));
        if (*text)
                output_print(COLOUR_NONE, ": %s", text);
        putchar('\n');
        if (*by)
                output_line("polkit: %s", strcmp(by, "yes") == 0         ? "you may"
                                          : strcmp(by, "no") == 0        ? "you may not"
                                          : strcmp(by, "challenge") == 0 ? "a password would be asked for"
                                                                         : by);
}

/* Whether a caller could pass it over, where that matters. */
static const char *override_text(json_object *gate) {
        if (bus_value_bool(gate, "overridden"))
                return "passed over";
        if (strcmp(bus_value_string(gate, "answer"), "allow") == 0)
                return "";
        return bus_value_bool(gate, "overridable") ? "possible" : "no";
}

static void add_gate_row(OutputTable *table, json_object *gate, GTimeZone *zone) {
        const char *answer = bus_value_string(gate, "answer");
        /* a wait without a time ends when something else does */
        g_autofree char *when = policy_time_in_both(zone, bus_value_uint(gate, "not-before"));
        const char *cells[] = { bus_value_string(gate, "gate"), answer, override_text(gate), when,
                                bus_value_string(gate, "text"), NULL };

        output_table_row(table, cells, 1, answer_colour(answer));
}

/* Nothing to read about it: it lets the activation pass, by itself, and has no remark. */
static bool is_silent(json_object *gate) {
        return strcmp(bus_value_string(gate, "answer"), "allow") == 0 &&
               !bus_value_bool(gate, "overridden") && !*bus_value_string(gate, "text");
}

/* What is long comes last: lines without it stay short on a narrow terminal. Returns how many gates it leaves out. */
static size_t print_gates(const Client *client, json_object *gates, GTimeZone *zone) {
        static const OutputColumn columns[] = { { "GATE", 0 },        { "VERDICT", 0 }, { "OVERRIDE", 0 },
                                                { "NOT BEFORE", 20 }, { "WHY", 20 },    { NULL } };
        _cleanup_(output_table_freep) OutputTable *table =
                        output_table_new(client->options->legend, columns);

        size_t count = json_object_array_length(gates), silent = 0;

        for (size_t i = 0; i < count; i++) {
                json_object *gate = json_object_array_get_idx(gates, i);

                if (!client->options->long_view && is_silent(gate))
                        silent++;
                else
                        add_gate_row(table, gate, zone);
        }
        output_table_print(table);
        return silent;
}

static void print_silent(size_t silent, size_t count, const char *label) {
        g_autofree char *gates = output_count(silent, silent < count ? "other gate" : "gate");

        if (silent > 0)
                output_line("%s%s %s it: 'lfactl explain %s --long' shows %s.", silent < count ? "" : "All ",
                            gates, silent == 1 ? "allows" : "allow", label, silent == 1 ? "it" : "them");
}

static void print_explanation(const Client *client, json_object *verdict, json_object *gates,
                              const char *label, uint64_t at_usec) {
        g_autoptr(GTimeZone) zone = policy_zone_load(bus_value_string(verdict, "time-zone"));
        g_autofree char *at = policy_time_in_both(zone, at_usec);
        size_t silent;

        print_verdict(verdict, label);
        if (*at && client->options->legend)
                output_line("As of %s. What cannot be foreseen is judged as it is now: what is staged, who holds what "
                            "back, the state of the host.",
                            at);
        silent = print_gates(client, gates, zone);
        if (client->options->legend)
                print_silent(silent, json_object_array_length(gates), label);
}

/* The gates judge what a caller may; automatic mode asks for more. Nothing where the same gate refuses it. */
static void print_planned(Client *client, json_object *verdict, json_object *planned) {
        g_autofree char *text = NULL;

        if (!planned || (bus_value_uint(planned, "start") == 0 &&
                         strcmp(bus_value_string(planned, "gate"), bus_value_string(verdict, "gate")) == 0))
                return;
        text = automatic_plan_describe(client, planned);
        output_line("%s", text);
}

/* What automatic mode is going to do about it, NULL = nothing is known. The plan is asked for when it is first needed, and
 * belongs to the caller: it adds to the verdict, which stands without it. */
static json_object *find_planned(Client *client, const Image *image, json_object *verdict,
                                 json_object **plan) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (client->options->at || !*bus_value_string(verdict, "to") ||
            (!client_json(client) && !client->options->legend))
                return NULL;
        if (!*plan && automatic_plan_load(client, 0, &error, plan) < 0)
                *plan = json_object_new_array();
        return automatic_plan_find(*plan, image->guid);
}

static void add_to_document(Client *client, json_object *verdict, json_object *gates, json_object *planned) {
        json_object *entry = json_object_new_object();

        json_object_object_add(entry, "verdict", json_object_get(verdict));
        json_object_object_add(entry, "gates", json_object_get(gates));
        if (planned)
                json_object_object_add(entry, "automatic", json_object_get(planned));
        json_document_append(client->document, "explanations", entry);
}

static ExitCode explain(Client *client, const Image *image, json_object **plan) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_unrefp) json_object *verdict = NULL, *gates = NULL;
        const char *hint;
        uint64_t at;
        ExitCode code = policy_moment_read(client, client->options->at, &at);
        int r;

        if (code != EXIT_DONE)
                return code;
        r = call_explain(client, image, at, &error, &verdict, &gates);
        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot explain %s", image->label);
        if (client_json(client)) {
                add_to_document(client, verdict, gates, find_planned(client, image, verdict, plan));
        } else {
                print_explanation(client, verdict, gates, image->label, at);
                print_planned(client, verdict, find_planned(client, image, verdict, plan));
        }
        hint = advice_for_error(bus_value_string(verdict, "error"));
        if (hint && !strstr(bus_value_string(verdict, "text"), hint))
                output_note("Hint: %s", hint);
        return find_exit_code(client, verdict);
}

ExitCode explain_image(Client *client, const Image *image) {
        _cleanup_(json_object_unrefp) json_object *plan = NULL;

        return explain(client, image, &plan);
}

ExitCode explain_images(Client *client, const GPtrArray *images) {
        _cleanup_(json_object_unrefp) json_object *plan = NULL;
        ExitCode worst = EXIT_DONE;

        for (guint i = 0; i < images->len; i++)
                worst = exit_code_worse(worst, explain(client, images->pdata[i], &plan));
        return worst;
}
