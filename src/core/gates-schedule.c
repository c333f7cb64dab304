/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gates about time: freezes, windows, this host's moment in them, and the clock that tells it. */

#include "core/gates-internal.h"
#include "util/macros.h"

#include <inttypes.h>

#define MOMENT_SIZE 64

/* In the zone that the configuration speaks in. */
static const char *moment(const ScheduleFacts *schedule, uint64_t usec, char buffer[static MOMENT_SIZE]) {
        g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc((int64_t) (usec / USEC_PER_SEC)),
                             local = NULL;
        g_autofree char *text = NULL;

        if (utc)
                local = schedule->zone ? g_date_time_to_timezone(utc, schedule->zone) : g_date_time_ref(utc);
        if (local)
                text = g_date_time_format(local, "%Y-%m-%d %H:%M:%S %Z");
        g_strlcpy(buffer, text ? text : "a time far away", MOMENT_SIZE);
        return buffer;
}

static uint64_t round_up_to_seconds(uint64_t usec) {
        return usec / USEC_PER_SEC + (usec % USEC_PER_SEC > 0);
}

/* As it is told: 0 = not known, also when it never comes. */
static uint64_t not_before(uint64_t usec) {
        return usec == UINT64_MAX ? 0 : usec;
}

GateVerdict gate_freeze(const GateFacts *facts) {
        const ScheduleFacts *schedule = &facts->schedule;
        char from[MOMENT_SIZE], until[MOMENT_SIZE];
        GateVerdict verdict;

        if (!schedule->freeze)
                return gate_allow();
        (void) moment(schedule, schedule->freeze_from_usec, from);
        (void) moment(schedule, schedule->freeze_until_usec, until);
        if (schedule->freeze_from_usec <= schedule->at_usec)
                verdict = gate_defer(LFA_ERROR_FROZEN, not_before(schedule->freeze_until_usec),
                                     "Nothing is activated until %s: freeze '%s'.", until, schedule->freeze);
        else
                verdict = gate_defer(LFA_ERROR_FROZEN, not_before(schedule->freeze_until_usec),
                                     "Freeze '%s' begins %s, sooner than the %" PRIu64
                                     " s that an activation may need. Nothing is activated until %s.",
                                     schedule->freeze, from, round_up_to_seconds(schedule->need_usec),
                                     until);
        gate_end_text_at_character(verdict.text);
        return verdict;
}

static GateVerdict defer_to_next_window(const ScheduleFacts *schedule, const char *why) {
        char next[MOMENT_SIZE];

        if (schedule->next_open_usec == UINT64_MAX)
                return gate_defer(LFA_ERROR_OUTSIDE_WINDOW, 0,
                                  "%s, and none opens any more for the %" PRIu64
                                  " s that an activation may need.",
                                  why, round_up_to_seconds(schedule->need_usec));
        return gate_defer(
                        LFA_ERROR_OUTSIDE_WINDOW, schedule->next_open_usec,
                        schedule->next_open_after_freeze
                                        ? "%s. The next one outside of freezes that is long enough for the %" PRIu64
                                          " s that an activation may need can be used from %s."
                                        : "%s. The next one that is long enough for the %" PRIu64
                                          " s that an activation may need opens %s.",
                        why, round_up_to_seconds(schedule->need_usec),
                        moment(schedule, schedule->next_open_usec, next));
}

GateVerdict gate_window(const GateFacts *facts) {
        const ScheduleFacts *schedule = &facts->schedule;
        g_autofree char *why = NULL;
        char end[MOMENT_SIZE];

        if (!schedule->has_window)
                return facts->terms.automatic
                                       ? gate_defer(LFA_ERROR_NO_WINDOW, 0,
                                                    "No window is configured for this image, and lfad activates "
                                                    "nothing by itself without one.")
                                       : gate_allow_since("No window is configured for this image.");
        if (schedule->open_until_usec == 0)
                return defer_to_next_window(schedule, "No window is open for this image");
        if (schedule->open_until_usec > schedule->at_usec &&
            schedule->open_until_usec - schedule->at_usec >= schedule->need_usec)
                return gate_allow_since(
                                "A window is open until %s, for %" PRIu64
                                " s; an activation may need %" PRIu64 " s.",
                                moment(schedule, schedule->open_until_usec, end),
                                (uint64_t) ((schedule->open_until_usec - schedule->at_usec) / USEC_PER_SEC),
                                round_up_to_seconds(schedule->need_usec));
        why = g_strdup_printf("The window closes %s, which is too soon",
                              moment(schedule, schedule->open_until_usec, end));
        return defer_to_next_window(schedule, why);
}

/* For nobody in particular only: a person who is there is moment enough. */
GateVerdict gate_slot(const GateFacts *facts) {
        const ScheduleFacts *schedule = &facts->schedule;
        char slot[MOMENT_SIZE];

        if (!facts->terms.unattended || !schedule->has_window)
                return gate_allow();
        if (schedule->no_machine_id)
                return gate_defer(
                                LFA_ERROR_NO_MACHINE_ID, 0,
                                "The host has no machine id, so that it has no moment of its own in a window.");
        if (schedule->slot_usec == UINT64_MAX && schedule->tried_in_window)
                return gate_defer(
                                LFA_ERROR_TRIED_IN_WINDOW, 0,
                                "This image was tried in this window, and no moment of this host in another one "
                                "comes any more.");
        if (schedule->slot_usec == UINT64_MAX)
                return gate_defer(LFA_ERROR_SLOT_NOT_REACHED, 0,
                                  "No moment of this host in a window comes any more.");
        if (schedule->slot_usec <= schedule->at_usec)
                return gate_allow_since("This host's own moment in the window was %s.",
                                        moment(schedule, schedule->slot_usec, slot));
        if (schedule->tried_in_window)
                return gate_defer(
                                LFA_ERROR_TRIED_IN_WINDOW, schedule->slot_usec,
                                "This image was tried in this window. This host's moment in the next one is %s.",
                                moment(schedule, schedule->slot_usec, slot));
        return gate_defer(LFA_ERROR_SLOT_NOT_REACHED, schedule->slot_usec,
                          "This host's own moment in the window is %s.",
                          moment(schedule, schedule->slot_usec, slot));
}

GateVerdict gate_interval(const GateFacts *facts) {
        const ScheduleFacts *schedule = &facts->schedule;
        uint64_t over_usec;

        if (schedule->interval_usec == 0 || schedule->since_last_usec == UINT64_MAX)
                return gate_allow();
        if (schedule->since_last_usec >= schedule->interval_usec)
                return gate_allow_since("The last activation ended %" PRIu64
                                        " s ago; between two there are to be %" PRIu64 " s.",
                                        (uint64_t) (schedule->since_last_usec / USEC_PER_SEC),
                                        round_up_to_seconds(schedule->interval_usec));
        /* A full second: two clocks tell it, and it would be another moment whenever they are read. */
        over_usec = schedule->at_usec + (schedule->interval_usec - schedule->since_last_usec);
        return gate_defer(LFA_ERROR_INTERVAL_NOT_OVER, round_up_to_seconds(over_usec) * USEC_PER_SEC,
                          "The last activation ended %" PRIu64 " s ago; between two there are to be %" PRIu64
                          " s (MinimumIntervalSec=).",
                          (uint64_t) (schedule->since_last_usec / USEC_PER_SEC),
                          round_up_to_seconds(schedule->interval_usec));
}

GateVerdict gate_clock(const GateFacts *facts) {
        if (!facts->terms.unattended)
                return gate_allow();
        switch (facts->schedule.clock_synchronized) {
        case SYSTEM_ANSWER_YES:
                return gate_allow();
        case SYSTEM_ANSWER_NO:
                return gate_defer(LFA_ERROR_CLOCK_NOT_SYNCHRONIZED, 0,
                                  "The host's clock is not synchronised.");
        case SYSTEM_ANSWER_ABSENT:
                return gate_defer(LFA_ERROR_CLOCK_NOT_SYNCHRONIZED, 0,
                                  "Nobody tells whether the host's clock is synchronised: there is no "
                                  "systemd-timedated.");
        default:
                return gate_defer(
                                LFA_ERROR_CLOCK_NOT_SYNCHRONIZED, 0,
                                "systemd-timedated does not tell whether the host's clock is synchronised.");
        }
}
