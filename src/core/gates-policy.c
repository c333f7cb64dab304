/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gates about what people want: pauses, and which image goes first. */

#include "core/gates-internal.h"
#include "core/hold-text.h"

GateVerdict gate_hold(const GateFacts *facts) {
        const Hold *hold = facts->hold;
        g_autofree char *text = NULL;
        GateVerdict verdict;

        if (!hold)
                return gate_allow();
        text = hold_to_text(hold);
        verdict = hold->by_lfad ? gate_defer(LFA_ERROR_HELD, 0, "%s Check why, then 'lfactl unhold'.", text)
                                : gate_defer(LFA_ERROR_HELD, hold->until_usec,
                                             "Activations%s are paused by %s",
                                             *hold->guid ? " of this image" : "", text);
        gate_end_text_at_character(verdict.text);
        return verdict;
}

/* Until when is the holder's to know. */
GateVerdict gate_inhibitor(const GateFacts *facts) {
        if (!facts->inhibitor_who)
                return gate_allow();
        if (facts->inhibitors_more == 0)
                return gate_defer(LFA_ERROR_INHIBITED, 0, "Activations of this image are blocked by %s: %s",
                                  facts->inhibitor_who, facts->inhibitor_why);
        return gate_defer(LFA_ERROR_INHIBITED, 0,
                          "Activations of this image are blocked by %u clients, first by %s: %s",
                          facts->inhibitors_more + 1, facts->inhibitor_who, facts->inhibitor_why);
}

GateVerdict gate_order(const GateFacts *facts) {
        const ImageValues *image = facts->image;

        if (!image || image->pending != 1 || !*facts->must_go_first)
                return gate_allow(); /* or gate image has said it */
        if (facts->first_are_under_way)
                return gate_wait_for(LFA_ERROR_ORDER_PENDING, UINT64_MAX,
                                     "Image %s goes after the jobs of: %s.", image->guid,
                                     facts->must_go_first);
        return gate_defer(
                        LFA_ERROR_ORDER_PENDING, 0,
                        "Image %s goes after what is pending still: %s. Activate that first (After= in lfad.conf).",
                        image->guid, facts->must_go_first);
}
