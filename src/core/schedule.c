/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Windows, freezes and slots at a moment. */

#include "core/schedule.h"
#include "core/schedule-memo.h"
#include "core/time-zone.h"
#include "util/macros.h"

/* No clocks are set back by more, nor twice within as much. */
#define SET_BACK_MAX_SEC (4 * 3600)

/* How far the openings of a window were taken. */
typedef struct Cursor {
        const ConfigSection *window;
        Occurrence next; /* the first that was not; start UINT64_MAX = none is left */
} Cursor;

static uint64_t add(uint64_t a, uint64_t b) {
        uint64_t sum;

        return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t subtract(uint64_t a, uint64_t b) {
        return a > b ? a - b : 0;
}

static int64_t offset_at(GTimeZone *zone, int64_t utc) {
        return time_zone_to_local(zone, utc) - utc;
}

/* Whether clocks showed the same before, since they were set back by that much meanwhile. */
static bool is_shown_again(GTimeZone *zone, int64_t utc, int64_t *ret_set_back) {
        int64_t local = time_zone_to_local(zone, utc);
        int64_t set_back = offset_at(zone, utc - SET_BACK_MAX_SEC) - (local - utc);

        if (set_back <= 0 || time_zone_to_local(zone, utc - set_back) != local)
                return false;
        *ret_set_back = set_back;
        return true;
}

/* From when they show what they have not shown before. */
static int64_t end_of_repetition(GTimeZone *zone, int64_t utc, int64_t set_back) {
        int64_t before = utc - set_back, after = utc, offset = offset_at(zone, utc);

        while (after - before > 1) {
                int64_t middle = before + (after - before) / 2;

                if (offset_at(zone, middle) == offset)
                        after = middle;
                else
                        before = middle;
        }
        return after + set_back;
}

static uint64_t reckon_next_start(const Config *config, const ConfigSection *window, uint64_t after_usec) {
        const Calendar *calendar = window->window.on_calendar;
        GTimeZone *zone = calendar_zone(calendar) ? calendar_zone(calendar) : config->zone;
        uint64_t start_usec = calendar_next(calendar, zone, after_usec);
        int64_t set_back, start = (int64_t) (start_usec / USEC_PER_SEC);

        if (start_usec == UINT64_MAX || !is_shown_again(zone, start, &set_back))
                return start_usec;
        return calendar_next(calendar, zone,
                             (uint64_t) end_of_repetition(zone, start, set_back) * USEC_PER_SEC - 1);
}

uint64_t window_next_start(const Config *config, const ConfigSection *window, uint64_t after_usec) {
        uint64_t start_usec;

        if (window_memo_find(window->window.memo, after_usec, &start_usec))
                return start_usec;
        start_usec = reckon_next_start(config, window, after_usec);
        window_memo_add(window->window.memo, after_usec, start_usec);
        return start_usec;
}

bool window_find_occurrence(const Config *config, const ConfigSection *window, uint64_t after_usec,
                            Occurrence *ret) {
        uint64_t duration_usec = window->window.duration_usec;
        uint64_t start_usec = window_next_start(config, window, subtract(after_usec, duration_usec));

        if (start_usec == UINT64_MAX)
                return false;
        *ret = (Occurrence){ window, start_usec, add(start_usec, duration_usec) };
        return true;
}

const GPtrArray *schedule_windows(const Config *config, const char *guid) {
        const ConfigSection *section = guid ? g_hash_table_lookup(config->by_guid, guid) : NULL;

        return section && section->image.windows ? section->image.windows : config->windows;
}

static void cursor_move(const Config *config, Cursor *cursor, uint64_t after_usec) {
        if (!window_find_occurrence(config, cursor->window, after_usec, &cursor->next))
                cursor->next = (Occurrence){ .start_usec = UINT64_MAX, .end_usec = UINT64_MAX };
}

static Cursor *find_first(Cursor *cursors, unsigned n) {
        Cursor *first = NULL;

        for (unsigned i = 0; i < n; i++)
                if (cursors[i].next.start_usec < UINT64_MAX &&
                    (!first || cursors[i].next.start_usec < first->next.start_usec))
                        first = &cursors[i];
        return first;
}

/* Takes the next time that is open in one from the cursors. Returns false when there is none. */
static bool take_opening(const Config *config, Cursor *cursors, unsigned n, uint64_t *ret_start_usec,
                         uint64_t *ret_end_usec) {
        Cursor *first = find_first(cursors, n);
        uint64_t end_usec;

        if (!first)
                return false;
        *ret_start_usec = first->next.start_usec;
        end_usec = first->next.end_usec;
        for (unsigned merged = 0;
             first && first->next.start_usec <= end_usec && merged < SCHEDULE_MERGED_MAX + n; merged++) {
                end_usec = MAX(end_usec, first->next.end_usec);
                cursor_move(config, first, MAX(end_usec, first->next.end_usec));
                first = find_first(cursors, n);
        }
        *ret_end_usec = end_usec;
        return true;
}

/* The first opening of a single window that is long enough. */
static bool find_single(const Config *config, const GPtrArray *windows, uint64_t after_usec,
                        uint64_t need_usec, Occurrence *ret) {
        bool found = false;

        for (unsigned i = 0; i < windows->len; i++) {
                const ConfigSection *window = windows->pdata[i];
                Occurrence occurrence;

                if (window->window.duration_usec < need_usec ||
                    !window_find_occurrence(config, window, add(after_usec, subtract(need_usec, 1)),
                                            &occurrence))
                        continue;
                if (!found || occurrence.start_usec < ret->start_usec)
                        *ret = occurrence;
                found = true;
        }
        return found;
}

static bool is_long_enough(uint64_t start_usec, uint64_t end_usec, uint64_t after_usec, uint64_t need_usec) {
        return end_usec - MAX(start_usec, after_usec) >= need_usec;
}

bool schedule_find_opening(const Config *config, const char *guid, uint64_t after_usec, uint64_t need_usec,
                           uint64_t *ret_start_usec, uint64_t *ret_end_usec) {
        const GPtrArray *windows = schedule_windows(config, guid);
        g_autofree Cursor *cursors = g_new(Cursor, MAX(windows->len, 1));
        Occurrence single;

        for (unsigned i = 0; i < windows->len; i++) {
                cursors[i].window = windows->pdata[i];
                cursor_move(config, &cursors[i], after_usec);
        }
        for (unsigned i = 0; i < SCHEDULE_OPENINGS_MAX; i++) {
                uint64_t start_usec, end_usec;

                if (!take_opening(config, cursors, windows->len, &start_usec, &end_usec))
                        return false;
                if (!is_long_enough(start_usec, end_usec, after_usec, need_usec))
                        continue;
                *ret_start_usec = start_usec;
                *ret_end_usec = end_usec;
                return true;
        }
        if (!find_single(config, windows, after_usec, need_usec, &single))
                return false;
        *ret_start_usec = single.start_usec;
        *ret_end_usec = single.end_usec;
        return true;
}

/* One that holds at that moment, or begins before what is begun then is over; of several the one that ends last. */
static const ConfigSection *find_freeze_in_the_way(const GPtrArray *freezes, uint64_t at_usec,
                                                   uint64_t need_usec) {
        uint64_t last_usec = add(at_usec, subtract(need_usec, 1));
        const ConfigSection *last = NULL;

        for (unsigned i = 0; i < freezes->len; i++) {
                const ConfigSection *freeze = freezes->pdata[i];

                if (freeze->freeze.from_usec <= last_usec && at_usec < freeze->freeze.until_usec &&
                    (!last || freeze->freeze.until_usec > last->freeze.until_usec))
                        last = freeze;
        }
        return last;
}

const ConfigSection *schedule_find_freeze(const Config *config, uint64_t at_usec, uint64_t need_usec,
                                          uint64_t *ret_until_usec) {
        const ConfigSection *freeze = find_freeze_in_the_way(config->freezes, at_usec, need_usec);
        const ConfigSection *next = freeze;
        uint64_t until_usec = 0;

        for (; next; next = find_freeze_in_the_way(config->freezes, until_usec, need_usec))
                until_usec = next->freeze.until_usec;
        if (freeze && ret_until_usec)
                *ret_until_usec = until_usec;
        return freeze;
}

const ConfigSection *schedule_find_next_freeze(const Config *config, uint64_t after_usec) {
        const ConfigSection *next = NULL;

        for (unsigned i = 0; i < config->freezes->len; i++) {
                const ConfigSection *freeze = config->freezes->pdata[i];

                if (freeze->freeze.from_usec > after_usec &&
                    (!next || freeze->freeze.from_usec < next->freeze.from_usec))
                        next = freeze;
        }
        return next;
}

static uint64_t later_than(uint64_t usec, uint64_t after_usec) {
        return usec > after_usec ? usec : UINT64_MAX;
}

uint64_t schedule_next_change(const Config *config, const char *guid, uint64_t after_usec) {
        const GPtrArray *windows = schedule_windows(config, guid);
        uint64_t next_usec = UINT64_MAX;

        for (unsigned i = 0; i < windows->len; i++) {
                Occurrence occurrence;

                if (!window_find_occurrence(config, windows->pdata[i], after_usec, &occurrence))
                        continue;
                next_usec = MIN(next_usec, later_than(occurrence.start_usec, after_usec));
                next_usec = MIN(next_usec, occurrence.end_usec);
        }
        for (unsigned i = 0; i < config->freezes->len; i++) {
                const ConfigFreeze *freeze = &((const ConfigSection *) config->freezes->pdata[i])->freeze;

                next_usec = MIN(next_usec, later_than(freeze->from_usec, after_usec));
                next_usec = MIN(next_usec, later_than(freeze->until_usec, after_usec));
        }
        return next_usec;
}
