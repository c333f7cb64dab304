/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of images, and all that lfad publishes as JSON. */

#include "ctl/image-table.h"

#include "ctl/advice.h"
#include "ctl/job-report.h"
#include "ctl/output-table.h"

static char *last_cell(const Image *image) {
        g_autofree char *why = advice_error_and_code(image->last_error, image->last_firmware_code);

        if (!*why)
                return g_strdup(image->last_result);
        return g_strdup_printf("%s (%s)", image->last_result, why);
}

void image_table_print(const Inventory *inventory, bool legend) {
        static const OutputColumn columns[] = { { "IMAGE", 0 },   { "NAME", 12 }, { "CURRENT", 0 },
                                                { "PENDING", 0 }, { "STATE", 0 }, { "LAST", 12 },
                                                { NULL } };
        _cleanup_(output_table_freep) OutputTable *table = output_table_new(legend, columns);

        for (guint i = 0; i < inventory->images->len; i++) {
                const Image *image = inventory->images->pdata[i];
                g_autofree char *last = last_cell(image);
                const char *cells[] = { image->label,
                                        image->name,
                                        image->current_version,
                                        image->pending_version,
                                        image->state,
                                        last,
                                        NULL };

                output_table_row(table, cells, 4, output_state_colour(image->state));
        }
        output_table_print(table);
}

void inventory_to_document(Client *client, const Inventory *inventory) {
        json_object *images = json_object_new_array();

        json_object_object_add(client->document, "manager", json_object_get(inventory->manager));
        json_object_object_add(client->document, "images", images);
        json_object_object_add(client->document, "jobs", json_object_new_array());
        for (guint i = 0; i < inventory->images->len; i++) {
                const Image *image = inventory->images->pdata[i];

                json_object_array_add(images, json_object_get(image->properties));
        }
        for (guint i = 0; i < inventory->jobs->len; i++)
                job_report_to_document(client, inventory->jobs->pdata[i]);
}
