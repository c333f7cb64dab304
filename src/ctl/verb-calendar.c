/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl calendar: when a calendar expression elapses. Needs no lfad. */

#include "core/calendar.h"
#include "core/config.h"
#include "core/moment.h"
#include "core/timestamp.h"
#include "ctl/output-table.h"
#include "ctl/verbs.h"

#include <systemd/sd-bus-protocol.h>

/* The time zone that lfad would take where none is named. Its files may have errors: then what was understood. */
static GTimeZone *configured_zone(const char *root) {
        ConfigFiles *files = config_files_load(root);
        g_autoptr(GPtrArray) problems = NULL;
        Config *config = config_read(files, &problems);
        GTimeZone *zone = g_time_zone_ref(config->zone);

        config_free(config);
        config_files_free(files);
        return zone;
}

static ExitCode fail_text(Client *client, const char *option, const char *text, const char *why) {
        return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS, why, "%s'%s' makes no sense.",
                           option, text);
}

static bool is_utc(GTimeZone *zone) {
        return g_strcmp0(g_time_zone_get_identifier(zone), "UTC") == 0;
}

static void add_elapse(const Client *client, OutputTable *table, uint64_t usec, GTimeZone *zone) {
        g_autofree char *utc = timestamp_format(usec, NULL);
        g_autofree char *local = timestamp_format(usec, zone);
        const char *cells[] = { utc, is_utc(zone) ? NULL : local, NULL };
        json_object *object;

        if (table) {
                output_table_row(table, cells, 0, COLOUR_NONE);
                return;
        }
        object = json_object_new_object();
        json_object_object_add(object, "usec", json_object_new_uint64(usec));
        json_object_object_add(object, "utc", json_object_new_string(utc));
        json_object_object_add(object, "local", json_object_new_string(local));
        json_document_append(client->document, "elapses", object);
}

/* Returns how many there were. */
static unsigned add_elapses(const Client *client, OutputTable *table, const Calendar *calendar,
                            GTimeZone *zone, uint64_t after_usec) {
        unsigned n = 0;

        for (; n < client->options->iterations; n++) {
                after_usec = calendar_next(calendar, zone, after_usec);
                if (after_usec == UINT64_MAX)
                        break;
                add_elapse(client, table, after_usec, zone);
        }
        return n;
}

static void show(const Client *client, const Calendar *calendar, GTimeZone *zone, uint64_t after_usec) {
        const char *zone_name = g_time_zone_get_identifier(zone);
        OutputColumn columns[] = { { "UTC" }, { is_utc(zone) ? NULL : zone_name }, { NULL } };
        _cleanup_(output_table_freep) OutputTable *table = NULL;

        if (client_json(client)) {
                json_object_object_add(client->document, "zone", json_object_new_string(zone_name));
                json_object_object_add(client->document, "elapses", json_object_new_array());
                add_elapses(client, NULL, calendar, zone, after_usec);
                return;
        }
        table = output_table_new(client->options->legend, columns);
        if (add_elapses(client, table, calendar, zone, after_usec) > 0)
                output_table_print(table);
        else
                output_line("never");
}

ExitCode verb_calendar(Client *client, int argc, char **argv) {
        const char *base = client->options->base_time;
        uint64_t now_usec = (uint64_t) g_get_real_time(), after_usec = now_usec;
        g_autoptr(Calendar) calendar = NULL;
        g_autoptr(GTimeZone) configured = NULL;
        g_autofree char *why = NULL;
        GTimeZone *zone;

        if (calendar_parse(argv[0], &calendar, &why) < 0)
                return fail_text(client, "", argv[0], why);
        configured = configured_zone(client->options->root);
        zone = calendar_zone(calendar) ? calendar_zone(calendar) : configured;
        if (base && moment_parse(base, zone, now_usec, &after_usec, &why) < 0)
                return fail_text(client, "--base-time=", base, why);
        show(client, calendar, zone, after_usec);
        return EXIT_DONE;
}
