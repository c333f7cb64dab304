/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl plan: what is ahead, as lfad foresees it, in the time zone of its policy. */

#include "ctl/automatic-plan.h"
#include "ctl/bus-value.h"
#include "ctl/output-table.h"
#include "ctl/policy-time.h"
#include "ctl/resolve.h"
#include "ctl/verbs.h"

#include <string.h>

typedef struct PlanView {
        const Client *client;
        const Inventory *inventory;
        GTimeZone *zone;
} PlanView;

static bool is_type(json_object *event, const char *type) {
        return strcmp(bus_value_string(event, "type"), type) == 0;
}

static char *describe_window(const PlanView *view, json_object *event) {
        g_autofree char *slot = policy_time(view->zone, bus_value_uint(event, "slot"));
        const char *text = bus_value_string(event, "text"); /* what stands against it */

        if (!*slot)
                return g_strdup(text);
        return g_strdup_printf("this host's moment: %s%s%s", slot, *text ? ". " : "", text);
}

static char *describe_activation(json_object *event) {
        const char *window = bus_value_string(event, "name");

        return g_strdup_printf("%s %s %s%s%s", output_or_dash(bus_value_string(event, "from")),
                               output_arrow(), output_or_dash(bus_value_string(event, "to")),
                               *window ? ", window " : "", window);
}

static char *describe_no_activation(json_object *event) {
        const char *gate = bus_value_string(event, "gate");

        return g_strdup_printf("%s%s%s", gate, *gate ? ": " : "", bus_value_string(event, "text"));
}

static char *describe(const PlanView *view, json_object *event) {
        if (is_type(event, "window"))
                return describe_window(view, event);
        if (is_type(event, "activation"))
                return describe_activation(event);
        if (is_type(event, "no-activation"))
                return describe_no_activation(event);
        return g_strdup(bus_value_string(event, "text"));
}

/* The image that it is about, or the window or freeze. */
static const char *subject(const PlanView *view, json_object *event) {
        const char *guid = bus_value_string(event, "guid");

        if (*guid)
                return inventory_label(view->inventory, guid);
        return is_type(event, "hold") ? "all images" : bus_value_string(event, "name");
}

static void add_row(OutputTable *table, const PlanView *view, json_object *event) {
        g_autofree char *start = policy_time(view->zone, bus_value_uint(event, "start"));
        g_autofree char *end = policy_time(view->zone, bus_value_uint(event, "end"));
        g_autofree char *details = describe(view, event);
        const char *type = bus_value_string(event, "type");
        Colour colour = is_type(event, "activation")                         ? COLOUR_GREEN
                        : is_type(event, "hold") || is_type(event, "freeze") ? COLOUR_RED
                        : is_type(event, "window")                           ? COLOUR_NONE
                                                                             : COLOUR_YELLOW;
        const char *cells[] = { output_or_dash(start),
                                output_or_dash(end),
                                type,
                                output_or_dash(subject(view, event)),
                                output_or_dash(details),
                                NULL };

        output_table_row(table, cells, 2, colour);
}

static void print_events(const PlanView *view, json_object *events) {
        static const OutputColumn columns[] = { { "FROM", 14 }, { "UNTIL", 14 },   { "WHAT", 0 },
                                                { "NAME", 8 },  { "DETAILS", 16 }, { NULL } };
        _cleanup_(output_table_freep) OutputTable *table =
                        output_table_new(view->client->options->legend, columns);
        size_t rows = 0;

        for (size_t i = 0; i < json_object_array_length(events); i++) {
                json_object *event = json_object_array_get_idx(events, i);

                if (is_type(event, "remark")) {
                        output_line("%s", bus_value_string(event, "text"));
                        continue;
                }
                add_row(table, view, event);
                rows++;
        }
        if (rows > 0)
                output_table_print(table);
        else
                output_line("No window opens, and nothing else is ahead.");
}

static ExitCode show_plan(Client *client, json_object *events) {
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        PlanView view = { .client = client };
        ExitCode code = inventory_load(client, &inventory);

        if (code != EXIT_DONE)
                return code;
        view.inventory = inventory;
        view.zone = policy_zone(client);
        if (client->options->legend)
                output_line("All times are those of %s (TimeZone=).", policy_zone_name(client));
        print_events(&view, events);
        return EXIT_DONE;
}

ExitCode verb_plan(Client *client, int argc, char **argv) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_unrefp) json_object *events = NULL;
        uint64_t until;
        ExitCode code = policy_moment_read(client, client->options->until, &until);
        int r;

        if (code != EXIT_DONE)
                return code;
        r = automatic_plan_load(client, until, &error, &events);
        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot get the plan");
        if (!client_json(client))
                return show_plan(client, events);
        json_object_object_add(client->document, "time-zone",
                               json_object_new_string(policy_zone_name(client)));
        json_object_object_add(client->document, "plan", g_steal_pointer(&events));
        return EXIT_DONE;
}
