/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl show: everything about an image. Properties of a newer lfad are shown too, at the end. */

#include "ctl/advice.h"
#include "ctl/bus-value.h"
#include "ctl/doubt.h"
#include "ctl/hold-list.h"
#include "ctl/job-report.h"
#include "ctl/output.h"
#include "ctl/policy-time.h"
#include "ctl/property-text.h"
#include "ctl/resolve.h"
#include "ctl/verbs.h"

#include <string.h>

/* In the order of interest. */
static const char *const known_properties[] = {
        "Name",
        "Alias",
        "Guid",
        "EfiGuid",
        "State",
        "CurrentVersion",
        "Pending",
        "PendingVersion",
        "Capable",
        "MayResetCpu",
        "LastResult",
        "LastError",
        "LastFirmwareCode",
        "Blockers",
        "LastActivatedTimestamp",
        "BlackoutUSec",
        NULL,
};

static void print_property(GTimeZone *zone, const char *name, json_object *value) {
        g_autofree char *text = property_text(zone, name, value);
        bool coloured = strcmp(name, "State") == 0 || strcmp(name, "LastResult") == 0;

        output_field(FIELD_WIDE, name, coloured && text ? output_state_colour(text) : COLOUR_NONE, text);
}

static void print_job(GTimeZone *zone, const Job *job) {
        g_autofree char *state = NULL, *text = NULL;

        if (!job)
                return;
        state = job_report_state(zone, job);
        text = g_strdup_printf("%u, %s", job->id, state);
        output_field(FIELD_WIDE, "Job", COLOUR_YELLOW, text);
}

static void print_image(Client *client, const Inventory *inventory, const Image *image) {
        GTimeZone *zone = policy_zone(client);
        g_autofree char *advice = advice_for_image(image);
        const char *code_advice = advice_for_firmware_code(image->last_firmware_code);
        const char *error_advice = *image->last_error ? advice_for_error(image->last_error) : NULL;

        for (const char *const *name = known_properties; *name; name++)
                print_property(zone, *name, json_object_object_get(image->properties, *name));
        json_object_object_foreach(image->properties, name, value) {
                if (!g_strv_contains(known_properties, name))
                        print_property(zone, name, value);
        }
        hold_list_print_of_image(client, inventory, image);
        print_job(zone, inventory_find_active_job(inventory, image->guid));
        if (error_advice)
                output_field(FIELD_WIDE, "Last error means", COLOUR_NONE, error_advice);
        if (code_advice)
                output_field(FIELD_WIDE, "Last code means", COLOUR_NONE, code_advice);
        output_field(FIELD_WIDE, "What to do", COLOUR_NONE, advice);
}

ExitCode verb_show(Client *client, int argc, char **argv) {
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        ExitCode code = inventory_load(client, &inventory), worst = EXIT_DONE;
        bool first = true;

        if (code != EXIT_DONE)
                return code;
        if (!client_json(client))
                doubt_settle(client, inventory);
        for (int i = 0; i < argc; i++) {
                Image *image;

                code = resolve_image(client, inventory, argv[i], &image);
                worst = exit_code_worse(worst, code);
                if (code != EXIT_DONE)
                        continue;
                if (client_json(client)) {
                        json_document_append(client->document, "images", json_object_get(image->properties));
                        continue;
                }
                if (!first)
                        putchar('\n');
                first = false;
                print_image(client, inventory, image);
        }
        return worst;
}
