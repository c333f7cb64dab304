/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines below "Needs attention". */

#include "ctl/attention.h"

#include "ctl/advice.h"
#include "ctl/hold-list.h"
#include "ctl/output.h"

/* A person's hold is somebody's intention, and a line of its own tells of it; lfad's own asks for a person. */
static void print_hold(void) {
        output_print(COLOUR_NONE, "  all images ");
        output_print(COLOUR_RED, "held");
        output_line(" by lfad, since the host restarted in an activation: find out why it did and which firmware "
                    "runs, then 'lfactl unhold'. See lfad-operations(7).");
}

static void print_image(const Image *image) {
        g_autofree char *advice = advice_for_image(image);

        output_print(COLOUR_NONE, "  %s ", image->label);
        output_print(output_state_colour(image->state), "%s", image->state);
        if (image->pending)
                output_print(COLOUR_NONE, ", %s %s %s", output_or_dash(image->current_version),
                             output_arrow(), output_or_dash(image->pending_version));
        output_line(": %s", advice);
}

bool attention_has_any(const Inventory *inventory) {
        for (guint i = 0; i < inventory->images->len; i++)
                if (advice_image_needs_attention(inventory->images->pdata[i]))
                        return true;
        return hold_list_has_own(inventory);
}

void attention_print(const Inventory *inventory) {
        if (hold_list_has_own(inventory))
                print_hold();
        for (guint i = 0; i < inventory->images->len; i++)
                if (advice_image_needs_attention(inventory->images->pdata[i]))
                        print_image(inventory->images->pdata[i]);
}
