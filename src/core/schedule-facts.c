/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the calendar to the facts of the gates. */

#include "core/schedule-facts.h"

static void fill_freeze(const Config *config, ScheduleFacts *facts) {
        const ConfigSection *freeze = schedule_find_freeze(config, facts->at_usec, facts->need_usec,
                                                           &facts->freeze_until_usec);

        facts->freeze = freeze ? freeze->name : NULL;
        facts->freeze_from_usec = freeze ? freeze->freeze.from_usec : 0;
}

static void fill_window(const Config *config, const char *guid, ScheduleFacts *facts) {
        uint64_t at_usec = facts->at_usec, start_usec, end_usec;

        facts->open_until_usec = 0;
        facts->next_open_usec = UINT64_MAX;
        facts->has_window = schedule_windows(config, guid)->len > 0;
        if (!facts->has_window || !schedule_find_opening(config, guid, at_usec, 0, &start_usec, &end_usec))
                return;
        if (start_usec <= at_usec) {
                facts->open_until_usec = end_usec;
                if (end_usec - at_usec >= facts->need_usec)
                        return; /* nobody asks for the next one */
                at_usec = end_usec;
        } else if (end_usec - start_usec >= facts->need_usec) {
                facts->next_open_usec = start_usec;
                return;
        }
        if (schedule_find_opening(config, guid, at_usec, facts->need_usec, &start_usec, &end_usec))
                facts->next_open_usec = MAX(start_usec, at_usec);
}

static void fill_slot(const Config *config, const char *guid, const uint8_t *host_id, uint64_t tried_usec,
                      ScheduleFacts *facts) {
        uint64_t at_usec = facts->at_usec;

        facts->slot_usec = schedule_find_slot(config, guid, host_id, at_usec, tried_usec, NULL);
        facts->tried_in_window = tried_usec > 0 && facts->slot_usec > at_usec &&
                                 schedule_find_slot(config, guid, host_id, at_usec, 0, NULL) <= at_usec;
}

void schedule_fill_facts(const Config *config, const char *guid, const ActivationTerms *terms,
                         const uint8_t *host_id, uint64_t tried_usec, ScheduleFacts *facts) {
        fill_freeze(config, facts);
        fill_window(config, guid, facts);
        facts->no_machine_id = !host_id;
        facts->slot_usec = UINT64_MAX;
        facts->tried_in_window = false;
        if (terms->unattended && facts->has_window && host_id)
                fill_slot(config, guid, host_id, tried_usec, facts);
}
