/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl status, and its short form that lfactl alone shows. */

#include "ctl/advice.h"
#include "ctl/attention.h"
#include "ctl/bus-value.h"
#include "ctl/doubt.h"
#include "ctl/hold-list.h"
#include "ctl/image-table.h"
#include "ctl/job-report.h"
#include "ctl/output.h"
#include "ctl/policy-time.h"
#include "ctl/verbs.h"

#include <string.h>

/* The driver's state is that of the driver; whether it may be driven shows at the images. */
static const char *describe_driver(const Inventory *inventory) {
        for (guint i = 0; i < inventory->images->len; i++)
                if (strcmp(inventory->driver_state, "active") == 0 &&
                    advice_image_is_blocked(inventory->images->pdata[i], "driver"))
                        return "the driver is there, but this version of it is refused: 'lfactl explain' an image";
        return advice_for_driver(inventory->driver_state);
}

static void print_driver(const Inventory *inventory) {
        output_print(COLOUR_NONE, "%*s: ", FIELD_NARROW, "Driver");
        output_print(output_state_colour(inventory->driver_state), "%s",
                     output_or_dash(inventory->driver_state));
        output_line(", profile %s (%s)", output_or_dash(inventory->driver_profile),
                    describe_driver(inventory));
}

/* By UTC and by the clocks that the configuration goes by. Where none is configured there is nothing to tell. */
static void print_window(const Inventory *inventory) {
        uint64_t start = bus_value_uint(inventory->manager, "NextWindowStartTimestamp");
        uint64_t end = bus_value_uint(inventory->manager, "NextWindowEndTimestamp");
        bool open = bus_value_bool(inventory->manager, "WindowOpen");
        g_autoptr(GTimeZone) zone = policy_zone_load(bus_value_string(inventory->manager, "TimeZone"));
        g_autofree char *time = policy_time_in_both(zone, open ? end : start), *text = NULL;

        if (end == 0)
                return;
        text = g_strdup_printf("%s %s", open ? "open until" : "closed, opens", time);
        output_field(FIELD_NARROW, "Window", open ? COLOUR_NONE : COLOUR_YELLOW, text);
}

/* What automatic mode does next, and when. */
static void print_planned(const Inventory *inventory) {
        g_autoptr(GTimeZone) zone = policy_zone_load(bus_value_string(inventory->manager, "TimeZone"));
        g_autofree char *time = policy_time_in_both(
                                        zone, bus_value_uint(inventory->manager, "NextPlannedTimestamp")),
                        *text = NULL;

        if (!*time)
                return;
        text = g_strdup_printf("automatic mode begins %s: 'lfactl plan' tells more", time);
        output_field(FIELD_NARROW, "Planned", COLOUR_NONE, text);
}

static void print_images_line(const Inventory *inventory) {
        g_autofree char *text = NULL;
        unsigned pending = 0;

        for (guint i = 0; i < inventory->images->len; i++)
                pending += ((const Image *) inventory->images->pdata[i])->pending ? 1 : 0;
        text = g_strdup_printf("%u, %u of them pending", inventory->images->len, pending);
        output_field(FIELD_NARROW, "Images", COLOUR_NONE, text);
}

static void print_jobs(Client *client, const Inventory *inventory) {
        for (guint i = 0; i < inventory->jobs->len; i++) {
                const Job *job = inventory->jobs->pdata[i];
                g_autofree char *text = NULL, *state = NULL;

                if (strcmp(job->state, "done") == 0)
                        continue;
                state = job_report_state(policy_zone(client), job);
                text = g_strdup_printf("%u for %s: %s", job->id, inventory_label(inventory, job->guid),
                                       state);
                output_field(FIELD_NARROW, "Job", COLOUR_YELLOW, text);
        }
}

static bool has_warnings(const Inventory *inventory) {
        json_object *warnings = json_object_object_get(inventory->manager, "Warnings");

        return json_object_is_type(warnings, json_type_array) && json_object_array_length(warnings) > 0;
}

/* What stands above it may need attention, too: only what all of it says together may calm anybody. */
static bool is_calm(const Inventory *inventory) {
        for (guint i = 0; i < inventory->jobs->len; i++)
                if (strcmp(((const Job *) inventory->jobs->pdata[i])->state, "done") != 0)
                        return false;
        return strcmp(inventory->driver_state, "active") == 0 && !*inventory->config_error &&
               !hold_list_has_any(inventory) && !has_warnings(inventory);
}

static void print_attention(const Inventory *inventory) {
        if (!attention_has_any(inventory)) {
                if (is_calm(inventory))
                        puts("\nNothing needs attention.");
                return;
        }
        putchar('\n');
        output_print(COLOUR_BOLD, "Needs attention:");
        putchar('\n');
        attention_print(inventory);
}

static void print_config_error(const Inventory *inventory) {
        g_autofree char *text = g_strdup_printf(
                        "%s Until it is repaired nothing is activated. 'lfactl config check' shows all errors; then 'lfactl reload'.",
                        inventory->config_error);

        if (*inventory->config_error)
                output_field(FIELD_NARROW, "Config", COLOUR_RED, text);
}

static ExitCode show(Client *client, bool full) {
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        ExitCode code = inventory_load(client, &inventory);

        if (code != EXIT_DONE)
                return code;
        if (client_json(client)) {
                inventory_to_document(client, inventory);
                return EXIT_DONE;
        }
        doubt_settle(client, inventory);
        if (full)
                output_field(FIELD_NARROW, "lfad", COLOUR_NONE, inventory->version);
        print_driver(inventory);
        print_config_error(inventory);
        hold_list_print(client, inventory);
        if (full)
                output_field(FIELD_NARROW, "Uevents", COLOUR_NONE, inventory->uevent_monitor);
        print_window(inventory);
        print_planned(inventory);
        print_images_line(inventory);
        print_jobs(client, inventory);
        print_attention(inventory);
        if (full && inventory->images->len > 0) {
                putchar('\n');
                image_table_print(inventory, client->options->legend);
        }
        if (!full && client->options->legend)
                puts("\n'lfactl --help' lists what can be done.");
        return EXIT_DONE;
}

ExitCode verb_overview(Client *client, int argc, char **argv) {
        return show(client, false);
}

ExitCode verb_status(Client *client, int argc, char **argv) {
        return argc > 0 ? verb_show(client, argc, argv) : show(client, true);
}
