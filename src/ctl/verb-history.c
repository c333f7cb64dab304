/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl history: one line a job that finished, or every record. */

#include "ctl/advice.h"
#include "ctl/bus-value.h"
#include "ctl/history.h"
#include "ctl/output-table.h"
#include "ctl/policy-time.h"
#include "ctl/record-text.h"
#include "ctl/verbs.h"

#include <string.h>

/* Every record, not a line a job. One type of record alone does not make a job. */
static bool shows_records(const Options *options) {
        return options->long_view || options->type || options->json != JSON_OFF;
}

/* Of the last `lines` of count things, the first one's index. */
static size_t first_of(size_t count, unsigned lines) {
        return lines == LINES_ALL || count <= lines ? 0 : count - lines;
}

static void print_record(Client *client, const Inventory *inventory, json_object *record) {
        g_autofree char *when =
                        policy_time_and_age(policy_zone(client), bus_value_uint(record, "timestamp"));

        output_print(COLOUR_BOLD, "#%" G_GUINT64_FORMAT " %s", bus_value_uint(record, "seq"),
                     output_or_dash(bus_value_string(record, "type")));
        output_line("  %s", when);
        json_object_object_foreach(record, key, value) {
                g_autofree char *text = record_value_text(client, inventory, record, key);

                if (strcmp(key, "seq") == 0 || strcmp(key, "type") == 0 || strcmp(key, "timestamp") == 0)
                        continue;
                output_field(FIELD_WIDE, key, COLOUR_NONE, text);
        }
}

static void print_records(Client *client, const Inventory *inventory, json_object *records, unsigned lines) {
        size_t count = json_object_array_length(records);

        for (size_t i = first_of(count, lines); i < count; i++)
                print_record(client, inventory, json_object_array_get_idx(records, i));
}

static void records_to_document(Client *client, json_object *records, unsigned lines) {
        size_t count = json_object_array_length(records);

        json_object_object_add(client->document, "records", json_object_new_array());
        for (size_t i = first_of(count, lines); i < count; i++)
                json_document_append(client->document, "records",
                                     json_object_get(json_object_array_get_idx(records, i)));
}

/* What automatic mode did nobody has asked for. Else the name of a uid, the number when it has none, "" when the record names
 * nobody. */
static char *requester(const Client *client, json_object *record) {
        json_object *uid = json_object_object_get(record, "uid");
        char *name;

        if (bus_value_bool(record, "automatic"))
                return g_strdup("automatic");
        name = record_user_name(client, uid);
        if (name)
                return name;
        return g_strdup(json_object_is_type(uid, json_type_int) ? json_object_get_string(uid) : "");
}

static char *result_cell(json_object *record) {
        const char *result = bus_value_string(record, "result");
        const char *settled = bus_value_string(record, "settled-result");

        if (*settled)
                return g_strdup_printf("%s, settled: %s", result, settled);
        if (json_object_object_get(record, "settled-type"))
                return g_strdup_printf("%s, later found: %s", result,
                                       output_or_dash(bus_value_string(record, "settled-to")));
        return g_strdup(result);
}

/* The longest; "-" when nobody measured. */
static char *blackout_cell(json_object *record) {
        if (!json_object_object_get(record, "blackout-count"))
                return g_strdup("-");
        if (bus_value_uint(record, "blackout-count") == 0)
                return g_strdup("none");
        return output_span(bus_value_uint(record, "blackout-usec"));
}

static void add_job_row(OutputTable *table, Client *client, const Inventory *inventory,
                        json_object *record) {
        const char *result = bus_value_string(record, "result");
        g_autofree char *when =
                        policy_time_and_age(policy_zone(client), bus_value_uint(record, "timestamp"));
        g_autofree char *id = g_strdup_printf("%" G_GUINT64_FORMAT, bus_value_uint(record, "job"));
        g_autofree char *versions =
                        g_strdup_printf("%s %s %s", output_or_dash(bus_value_string(record, "from")),
                                        output_arrow(), output_or_dash(bus_value_string(record, "to")));
        g_autofree char *shown_result = result_cell(record), *blackout = blackout_cell(record);
        g_autofree char *by = requester(client, record);
        g_autofree char *why = advice_error_and_code(bus_value_string(record, "error"),
                                                     bus_value_string(record, "firmware-code"));
        const char *cells[] = {
                when,     id,           inventory_label(inventory, bus_value_string(record, "guid")),
                versions, shown_result, why,
                blackout, by,           NULL,
        };

        output_table_row(table, cells, 4, output_state_colour(result));
}

/* The "finished" records, oldest first; they belong to records. */
static GPtrArray *finished_records(json_object *records) {
        GPtrArray *finished = g_ptr_array_new();

        for (size_t i = 0; i < json_object_array_length(records); i++) {
                json_object *record = json_object_array_get_idx(records, i);

                if (strcmp(bus_value_string(record, "type"), "finished") == 0)
                        g_ptr_array_add(finished, record);
        }
        return finished;
}

static bool is_filtered(const Options *options) {
        return options->images.count > 0 || options->job > 0 || options->since || options->until;
}

static void print_jobs(Client *client, const Inventory *inventory, json_object *records,
                       const Options *options) {
        static const OutputColumn columns[] = { { "TIME", 14 },    { "JOB", 0 },     { "IMAGE", 0 },
                                                { "VERSIONS", 0 }, { "RESULT", 12 }, { "ERROR", 12 },
                                                { "BLACKOUT", 0 }, { "BY", 6 },      { NULL } };
        _cleanup_(output_table_freep) OutputTable *table = output_table_new(options->legend, columns);
        g_autoptr(GPtrArray) finished = finished_records(records);

        for (size_t i = first_of(finished->len, options->lines); i < finished->len; i++) {
                uint64_t id = bus_value_uint(finished->pdata[i], "job");
                _cleanup_(json_object_unrefp) json_object *job = history_job_record(records, id);

                if (job)
                        add_job_row(table, client, inventory, job);
        }
        output_table_print(table);
        if (options->legend && finished->len == 0)
                output_note(is_filtered(options)
                                            ? "No job that has finished fits; 'lfactl history --long' looks at all records."
                                            : "No job has finished yet; 'lfactl history --long' shows what else is "
                                              "recorded.");
}

/* Whether what was loaded holds as many lines as are wanted. */
static bool is_enough(json_object *records, void *userdata) {
        const Options *options = userdata;
        g_autoptr(GPtrArray) finished = NULL;

        if (options->lines == LINES_ALL)
                return false;
        if (shows_records(options))
                return json_object_array_length(records) >= options->lines;
        finished = finished_records(records);
        return finished->len >= options->lines;
}

ExitCode verb_history(Client *client, int argc, char **argv) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_unrefp) json_object *records = NULL;
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        Options options = *client->options;
        HistoryFilter filter = {
                .image = options.images.count > 0 ? options.images.items[options.images.count - 1] : NULL,
                .type = options.type,
                .job = options.job,
        };
        ExitCode code = policy_past_read(client, options.since, &filter.since);
        int r;

        if (code == EXIT_DONE)
                code = policy_past_read(client, options.until, &filter.until);
        if (code != EXIT_DONE)
                return code;
        if (client_json(client) && !options.lines_given)
                options.lines = LINES_ALL;
        r = history_load(client, &filter, is_enough, &options, &error, &records);
        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot read the history");
        if (client_json(client)) {
                records_to_document(client, records, options.lines);
                return EXIT_DONE;
        }
        code = inventory_load(client, &inventory);
        if (code != EXIT_DONE)
                return code;
        if (shows_records(&options))
                print_records(client, inventory, records, options.lines);
        else
                print_jobs(client, inventory, records, &options);
        return EXIT_DONE;
}
