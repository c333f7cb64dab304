/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calendar expressions: whatever they are and whenever one asks, the answer comes, and fits the question. */

#include "core/calendar.h"
#include "fuzz.h"
#include "time-input.h"

#define ELAPSES 8

/* It is later; asked a moment before it is the same; and the local time that clocks show then is one that is named. */
static void check_elapse(const Calendar *calendar, GTimeZone *zone, uint64_t after, uint64_t elapse) {
        int64_t local;

        MUST(elapse > after);
        MUST(calendar_next(calendar, zone, elapse - 1) == elapse);
        if (calendar_zone(calendar))
                zone = calendar_zone(calendar);
        local = time_zone_to_local(zone, (int64_t) (elapse / USEC_PER_SEC));
        if (elapse % USEC_PER_SEC == 0)
                MUST(calendar_next_local(calendar, local) == local);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        TimeInput input = time_input_read(data, size);
        g_autoptr(Calendar) calendar = NULL;
        g_autofree char *why = NULL;
        int r = calendar_parse(input.text, &calendar, &why);

        MUST(r == 0 || r == -EINVAL);
        MUST((r == 0) == (calendar != NULL));
        MUST((r < 0) == (why && *why));
        if (r < 0)
                must_be_text(why, 300);
        for (int i = 0; r == 0 && i < ELAPSES; i++) {
                uint64_t next = calendar_next(calendar, input.zone, input.usec);

                if (next == UINT64_MAX)
                        break;
                check_elapse(calendar, input.zone, input.usec, next);
                input.usec = next;
        }
        time_input_release(&input);
        return 0;
}
