/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* This host's own moments in the openings of windows. */

#include "core/schedule.h"
#include "util/macros.h"

#include <string.h>

/* A fraction of 2^64, for this host and this window. */
static uint64_t fraction(const ConfigSection *window, const uint8_t host_id[static HOST_ID_SIZE]) {
        g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA256, host_id, HOST_ID_SIZE);
        uint8_t digest[32];
        gsize size = sizeof(digest);
        uint64_t value;

        g_hmac_update(hmac, (const guchar *) window->name, (gssize) strlen(window->name));
        g_hmac_get_digest(hmac, digest, &size);
        memcpy(&value, digest, sizeof(value));
        return GUINT64_FROM_LE(value);
}

/* How long after its beginning; the same in each opening, since all of them are as long. */
static uint64_t slot_delay(const Config *config, const ConfigSection *window,
                           const uint8_t host_id[static HOST_ID_SIZE]) {
        uint64_t duration_usec = window->window.duration_usec;

        if (duration_usec <= config->max_need_usec)
                return 0;
        /* The product's upper half: evenly over 0 to the width, which itself cannot be reached by a hair. */
        return (uint64_t) (((unsigned __int128) fraction(window, host_id) *
                            (duration_usec - config->max_need_usec)) >>
                           64);
}

uint64_t occurrence_slot(const Config *config, const Occurrence *occurrence,
                         const uint8_t host_id[static HOST_ID_SIZE]) {
        return occurrence->start_usec + slot_delay(config, occurrence->window, host_id);
}

static bool is_used_up(const ConfigSection *window, uint64_t start_usec, uint64_t tried_usec) {
        return tried_usec > 0 && start_usec <= tried_usec &&
               tried_usec - start_usec < window->window.duration_usec;
}

/* The first opening that begins after that moment and is not used up. */
static uint64_t find_unused(const Config *config, const ConfigSection *window, uint64_t after_usec,
                            uint64_t tried_usec) {
        uint64_t start_usec = window_next_start(config, window, after_usec);

        if (start_usec < UINT64_MAX && is_used_up(window, start_usec, tried_usec))
                start_usec = window_next_start(config, window, tried_usec);
        return start_usec;
}

static uint64_t find_slot_of(const Config *config, const ConfigSection *window,
                             const uint8_t host_id[static HOST_ID_SIZE], uint64_t at_usec,
                             uint64_t tried_usec) {
        uint64_t duration_usec = window->window.duration_usec;
        uint64_t delay_usec = slot_delay(config, window, host_id);
        uint64_t start_usec = find_unused(config, window,
                                          at_usec > duration_usec ? at_usec - duration_usec : 0, tried_usec);

        return start_usec < UINT64_MAX - delay_usec ? start_usec + delay_usec : UINT64_MAX;
}

uint64_t schedule_find_slot(const Config *config, const char *guid,
                            const uint8_t host_id[static HOST_ID_SIZE], uint64_t at_usec,
                            uint64_t tried_usec, const ConfigSection **ret_window) {
        const GPtrArray *windows = schedule_windows(config, guid);
        uint64_t first_usec = UINT64_MAX;

        for (unsigned i = 0; i < windows->len; i++) {
                uint64_t slot_usec = find_slot_of(config, windows->pdata[i], host_id, at_usec, tried_usec);

                if (slot_usec >= first_usec)
                        continue;
                first_usec = slot_usec;
                if (ret_window)
                        *ret_window = windows->pdata[i];
        }
        return first_usec;
}
