/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the calendar to the facts of the gates. */

#include "core/schedule-facts.h"

/* Each costs a look through all windows. */
#define FREEZES_PASSED_MAX 8

static void fill_freeze(const Config *config, ScheduleFacts *facts) {
        const ConfigSection *freeze = schedule_find_freeze(config, facts->at_usec, facts->need_usec,
                                                           &facts->freeze_until_usec);

        facts->freeze = freeze ? freeze->name : NULL;
        facts->freeze_from_usec = freeze ? freeze->freeze.from_usec : 0;
}

/* Openings that freezes cover are passed over: nobody is to come back for them. After so many freezes what is found is told
 * as it is. */
static void find_next_open(const Config *config, const char *guid, uint64_t at_usec, bool heed_freezes,
                           ScheduleFacts *facts) {
        uint64_t start_usec, end_usec, until_usec;

        for (unsigned i = 0;
             schedule_find_opening(config, guid, at_usec, facts->need_usec, &start_usec, &end_usec); i++) {
                facts->next_open_usec = MAX(start_usec, at_usec);
                if (!heed_freezes || i == FREEZES_PASSED_MAX ||
                    !schedule_find_freeze(config, facts->next_open_usec, facts->need_usec, &until_usec))
                        return;
                facts->next_open_after_freeze = true;
                at_usec = until_usec;
        }
        facts->next_open_usec = UINT64_MAX;
}

static void fill_window(const Config *config, const char *guid, bool heed_freezes, ScheduleFacts *facts) {
        uint64_t at_usec = facts->at_usec, start_usec, end_usec;

        facts->open_until_usec = 0;
        facts->next_open_after_freeze = false;
        facts->next_open_usec = UINT64_MAX;
        facts->has_window = schedule_windows(config, guid)->len > 0;
        if (!facts->has_window || !schedule_find_opening(config, guid, at_usec, 0, &start_usec, &end_usec))
                return;
        if (start_usec <= at_usec) {
                facts->open_until_usec = end_usec;
                if (end_usec - at_usec >= facts->need_usec)
                        return; /* nobody asks for the next one */
                at_usec = end_usec;
        } else if (end_usec - start_usec >= facts->need_usec &&
                   !(heed_freezes && schedule_find_freeze(config, start_usec, facts->need_usec, NULL))) {
                facts->next_open_usec = start_usec;
                return;
        }
        find_next_open(config, guid, at_usec, heed_freezes, facts);
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
        fill_window(config, guid, !(terms->overrides & 1U << GATE_FREEZE), facts);
        facts->no_machine_id = !host_id;
        facts->slot_usec = UINT64_MAX;
        facts->tried_in_window = false;
        if (terms->unattended && facts->has_window && host_id)
                fill_slot(config, guid, host_id, tried_usec, facts);
}
