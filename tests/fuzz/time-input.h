/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The input of targets about times: "TEXT NEWLINE SECONDS BLANK ZONE", of which all but TEXT may be missing. */

#include "core/time-zone.h"
#include "util/macros.h"

#include <string.h>

typedef struct TimeInput {
        char *text;
        uint64_t usec;
        GTimeZone *zone; /* UTC where there is none of that name */
} TimeInput;

static inline TimeInput time_input_read(const uint8_t *data, size_t size) {
        g_autofree char *all = g_strndup((const char *) data, size);
        g_auto(GStrv) lines = g_strsplit(all, "\n", 2);
        TimeInput input = { .text = g_strdup(lines[0] ? lines[0] : "") };

        if (lines[0] && lines[1]) {
                char *zone;
                guint64 sec = g_ascii_strtoull(lines[1], &zone, 10);

                input.usec = sec > UINT64_MAX / USEC_PER_SEC ? UINT64_MAX : sec * USEC_PER_SEC;
                input.zone = time_zone_load(zone + strspn(zone, " "));
        }
        if (!input.zone)
                input.zone = g_time_zone_new_utc();
        return input;
}

static inline void time_input_release(TimeInput *input) {
        g_free(input->text);
        g_time_zone_unref(input->zone);
}
