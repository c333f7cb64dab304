/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl watchdog: whether the hardware watchdogs outlast an activation. */

#include "ctl/bus-value.h"
#include "ctl/output-table.h"
#include "ctl/verbs.h"
#include "ctl/watchdog-list.h"

#include <string.h>

/* "" when it is not known. */
static char *span_cell(json_object *watchdog, const char *key) {
        uint64_t usec = bus_value_uint(watchdog, key);

        if (!json_object_object_get(watchdog, key))
                return g_strdup("");
        if (usec == UINT64_MAX)
                return g_strdup("no limit");
        if (usec % USEC_PER_SEC == 0)
                return g_strdup_printf("%" G_GUINT64_FORMAT " s", (uint64_t) (usec / USEC_PER_SEC));
        return g_strdup_printf("%.1f s", (double) usec / (double) USEC_PER_SEC);
}

static void add_row(OutputTable *table, json_object *watchdog) {
        g_autofree char *timeout = span_cell(watchdog, "timeout-usec"),
                        *early = span_cell(watchdog, "pretimeout-usec"),
                        *left = span_cell(watchdog, "timeleft-usec"),
                        *need = span_cell(watchdog, "need-usec"),
                        *usable = span_cell(watchdog, "usable-stall-usec");
        const char *verdict = bus_value_string(watchdog, "verdict");
        Colour colour = strcmp(verdict, "too-short") == 0 ? COLOUR_RED
                        : watchdog_looks_safe(watchdog)   ? COLOUR_GREEN
                                                          : COLOUR_YELLOW;
        const char *cells[] = { bus_value_string(watchdog, "device"),
                                output_or_dash(bus_value_string(watchdog, "identity")),
                                bus_value_string(watchdog, "owner"),
                                output_or_dash(timeout),
                                output_or_dash(early),
                                output_or_dash(left),
                                output_or_dash(usable),
                                need,
                                verdict,
                                NULL };

        output_table_row(table, cells, 8, colour);
}

static void print_watchdogs(const Client *client, json_object *watchdogs) {
        static const OutputColumn columns[] = { { "DEVICE", 0 },  { "IDENTITY", 10 },  { "OWNER", 0 },
                                                { "TIMEOUT", 0 }, { "PRETIMEOUT", 0 }, { "LEFT", 0 },
                                                { "USABLE", 0 },  { "NEED", 0 },       { "VERDICT", 0 },
                                                { NULL } };
        _cleanup_(output_table_freep) OutputTable *table =
                        output_table_new(client->options->legend, columns);
        size_t length = json_object_array_length(watchdogs);

        if (watchdogs_count(watchdogs).hardware == 0)
                return;
        for (size_t i = 0; i < length; i++)
                if (watchdog_is_hardware(json_object_array_get_idx(watchdogs, i)))
                        add_row(table, json_object_array_get_idx(watchdogs, i));
        output_table_print(table);
        for (size_t i = 0; i < length; i++) {
                json_object *watchdog = json_object_array_get_idx(watchdogs, i);

                if (watchdog_is_hardware(watchdog))
                        output_line("%s: %s", bus_value_string(watchdog, "device"),
                                    bus_value_string(watchdog, "text"));
        }
}

static void print_warnings(json_object *watchdogs) {
        for (size_t i = 0; i < json_object_array_length(watchdogs); i++) {
                json_object *watchdog = json_object_array_get_idx(watchdogs, i);

                if (!watchdog_is_hardware(watchdog))
                        output_line("%s: %s: %s", bus_value_bool(watchdog, "panics") ? "Danger" : "Warning",
                                    bus_value_string(watchdog, "name"), bus_value_string(watchdog, "text"));
        }
}

static void print_summary(json_object *watchdogs) {
        WatchdogCount n = watchdogs_count(watchdogs);

        if (n.hardware == 0)
                output_line("There is no hardware watchdog: none can reset the host during an activation.");
        else if (n.unsafe > 0)
                output_line("An activation now would not be safe: %u %s reset the host during it.", n.unsafe,
                            n.unsafe == 1 ? "watchdog may" : "watchdogs may");
        else if (n.made_safe > 0)
                output_line("No watchdog would reset the host if an activation began now: lfad would see to %u of them first.",
                            n.made_safe);
        else
                output_line("No watchdog would reset the host if an activation began now.");
}

ExitCode verb_watchdog(Client *client, int argc, char **argv) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_unrefp) json_object *watchdogs = NULL;
        int r = watchdogs_load(client, &error, &watchdogs);

        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot read the watchdogs");
        if (client_json(client)) {
                json_object_object_add(client->document, "safe",
                                       json_object_new_boolean(watchdogs_count(watchdogs).unsafe == 0));
                json_object_object_add(client->document, "watchdogs", g_steal_pointer(&watchdogs));
                return EXIT_DONE;
        }
        print_watchdogs(client, watchdogs);
        print_warnings(watchdogs);
        print_summary(watchdogs);
        return EXIT_DONE;
}
