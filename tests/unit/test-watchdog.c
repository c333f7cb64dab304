/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judging watchdogs: what counts, what it outlasts, what would help. */

#include "core/watchdog.h"
#include "unit.h"
#include "util/macros.h"

#define SECOND USEC_PER_SEC
#define NO WATCHDOG_ABSENT

/* Numbers in the order of WatchdogNumber; nowayout does not matter. */
typedef struct Row {
        const char *title;
        WatchdogState state;
        int64_t timeout, pretimeout, timeleft, max_timeout;
        WatchdogSettings settings;
        uint64_t need;
        WatchdogVerdict verdict;
        WatchdogRemedy remedy;
        uint64_t usable, raise_to; /* ms, s; UINT64_MAX = unknown, none */
        WatchdogOwner owner;
        bool pinged, garbled, foreign; /* foreign: somebody else than systemd feeds it */
        uint64_t learned;              /* s */
} Row;

static Watchdog make(const Row *row) {
        Watchdog watchdog;

        watchdog_init(&watchdog, "watchdog0");
        watchdog.state = row->state;
        watchdog.numbers[WATCHDOG_TIMEOUT] = row->timeout;
        watchdog.numbers[WATCHDOG_PRETIMEOUT] = row->pretimeout;
        watchdog.numbers[WATCHDOG_TIMELEFT] = row->timeleft;
        watchdog.numbers[WATCHDOG_MAX_TIMEOUT] = row->max_timeout;
        watchdog.garbled = row->garbled;
        return watchdog;
}

static uint64_t scaled(uint64_t value, uint64_t unit) {
        return value == UINT64_MAX ? UINT64_MAX : value * unit;
}

static WatchdogNeed need_of(const Row *row) {
        return (WatchdogNeed){ .worst_usec = scaled(row->need, SECOND),
                               .learned_usec = row->learned * SECOND,
                               .pinged = row->pinged,
                               .fed_by_systemd = !row->foreign };
}

static void check(const Row *row) {
        WatchdogNeed need = need_of(row);
        Watchdog watchdog = make(row);
        WatchdogJudgement judgement;
        g_autofree char *text = NULL;

        watchdog_judge(&watchdog, &row->settings, &need, &judgement);
        text = watchdog_explain(&watchdog, &row->settings, &judgement);
        if (judgement.verdict != row->verdict || judgement.remedy != row->remedy ||
            judgement.owner != row->owner || judgement.usable_usec != scaled(row->usable, USEC_PER_MSEC) ||
            judgement.raise_to_usec != scaled(row->raise_to, SECOND))
                fail_msg("%s: %s, %s, owner %s, usable %" G_GUINT64_FORMAT ", raise to %" G_GUINT64_FORMAT
                         ": %s",
                         row->title, watchdog_verdict_to_string(judgement.verdict),
                         watchdog_remedy_to_string(judgement.remedy),
                         watchdog_owner_to_string(judgement.owner), judgement.usable_usec,
                         judgement.raise_to_usec, text);
        assert_true(g_str_has_suffix(text, "."));
        assert_null(strstr(text, "18446744073709"));
}

#define UNLIMITED UINT64_MAX
#define OPEN WATCHDOG_OWNER_SYSTEMD
#define FOREIGN WATCHDOG_OWNER_UNKNOWN
#define NOBODY WATCHDOG_OWNER_NOBODY
#define KERNEL WATCHDOG_OWNER_KERNEL
#define ACTIVE WATCHDOG_ACTIVE
#define INACTIVE WATCHDOG_INACTIVE
#define SUFFICIENT WATCHDOG_SUFFICIENT
#define TOO_SHORT WATCHDOG_TOO_SHORT
#define UNKNOWN WATCHDOG_UNKNOWN
#define IGNORED WATCHDOG_IGNORED
#define NOT_ARMED WATCHDOG_NOT_ARMED
#define LEARNED WATCHDOG_OUTLASTS_LEARNED
#define NONE WATCHDOG_REMEDY_NONE
#define RAISE WATCHDOG_REMEDY_RAISE
#define MEASURE WATCHDOG_REMEDY_MEASURE
#define IMPOSSIBLE WATCHDOG_REMEDY_IMPOSSIBLE

static const Row rows[] = {
        /* half of the time is left for sure, and the pre-time-out comes off first */
        { "just enough", ACTIVE, 20, 0, NO, 60, { 0 }, 10, SUFFICIENT, NONE, 10000, 20, OPEN },
        { "one second less", ACTIVE, 19, 0, NO, 60, { 0 }, 10, TOO_SHORT, RAISE, 9500, 20, OPEN },
        { "no pre-time-out shown", ACTIVE, 20, NO, NO, 60, { 0 }, 10, SUFFICIENT, NONE, 10000, 20, OPEN },
        { "pre-time-out", ACTIVE, 24, 5, NO, 60, { 0 }, 10, TOO_SHORT, RAISE, 9500, 25, OPEN },
        { "pre-time-out outlasted", ACTIVE, 25, 5, NO, 60, { 0 }, 10, SUFFICIENT, NONE, 10000, 25, OPEN },
        { "pre-time-out of all of it", ACTIVE, 25, 25, NO, 60, { 0 }, 10, TOO_SHORT, RAISE, 0, 45, OPEN },
        { "pre-time-out beyond it",
          ACTIVE,
          25,
          UINT32_MAX,
          NO,
          60,
          { 0 },
          10,
          TOO_SHORT,
          IMPOSSIBLE,
          0,
          20 + (uint64_t) UINT32_MAX,
          OPEN },
        { "v1nv", ACTIVE, 30, 0, NO, 60, { 0 }, 20, TOO_SHORT, RAISE, 15000, 40, OPEN },
        { "no limit",
          ACTIVE,
          UINT32_MAX,
          0,
          NO,
          UINT32_MAX,
          { 0 },
          UNLIMITED,
          TOO_SHORT,
          IMPOSSIBLE,
          (uint64_t) UINT32_MAX * 500,
          UINT64_MAX,
          OPEN },
        /* what can be raised */
        { "max_timeout just enough", ACTIVE, 10, 0, NO, 20, { 0 }, 10, TOO_SHORT, RAISE, 5000, 20, OPEN },
        { "max_timeout too small", ACTIVE, 10, 0, NO, 19, { 0 }, 10, TOO_SHORT, IMPOSSIBLE, 5000, 20, OPEN },
        { "max_timeout 0, no timeleft",
          ACTIVE,
          10,
          0,
          NO,
          0,
          { 0 },
          10,
          TOO_SHORT,
          IMPOSSIBLE,
          5000,
          20,
          OPEN },
        { "max_timeout absent, no timeleft",
          ACTIVE,
          10,
          0,
          NO,
          NO,
          { 0 },
          10,
          TOO_SHORT,
          IMPOSSIBLE,
          5000,
          20,
          OPEN },
        { "max_timeout 0, timeleft", ACTIVE, 10, 0, 9, 0, { 0 }, 10, TOO_SHORT, RAISE, 4500, 20, OPEN },
        { "max_timeout 0, as found", ACTIVE, 20, 0, NO, 0, { 0 }, 10, SUFFICIENT, NONE, 10000, 20, OPEN },
        { "stated, so that it may be raised",
          ACTIVE,
          10,
          0,
          NO,
          0,
          { 30 * SECOND, false },
          10,
          TOO_SHORT,
          RAISE,
          5000,
          20,
          OPEN },
        { "stated to hold too little",
          ACTIVE,
          10,
          0,
          NO,
          60,
          { 19 * SECOND, false },
          10,
          TOO_SHORT,
          IMPOSSIBLE,
          5000,
          20,
          OPEN },
        { "stated below the time-out",
          ACTIVE,
          60,
          0,
          NO,
          60,
          { 8 * SECOND, false },
          10,
          TOO_SHORT,
          IMPOSSIBLE,
          4000,
          20,
          OPEN },
        { "stated above the time-out",
          ACTIVE,
          60,
          0,
          NO,
          60,
          { 90 * SECOND, false },
          10,
          SUFFICIENT,
          NONE,
          30000,
          20,
          OPEN },
        /* the time left: the truth right after a feeding, else the least that the hardware holds */
        { "time left is enough", ACTIVE, 60, 0, 20, 0, { 0 }, 10, SUFFICIENT, NONE, 10000, 20, OPEN },
        { "time left leaves a doubt", ACTIVE, 60, 0, 19, 0, { 0 }, 10, UNKNOWN, MEASURE, 9500, 20, OPEN },
        { "hardware holds less than it says",
          ACTIVE,
          60,
          0,
          8,
          0,
          { 0 },
          10,
          TOO_SHORT,
          IMPOSSIBLE,
          4000,
          20,
          OPEN,
          .pinged = true },
        { "less even than stated",
          ACTIVE,
          60,
          0,
          8,
          0,
          { 30 * SECOND, false },
          10,
          TOO_SHORT,
          IMPOSSIBLE,
          4000,
          20,
          OPEN,
          .pinged = true },
        { "more left than the time-out",
          ACTIVE,
          20,
          0,
          500,
          0,
          { 0 },
          10,
          SUFFICIENT,
          NONE,
          10000,
          20,
          OPEN },
        { "nothing left", ACTIVE, 60, 0, 0, 0, { 0 }, 10, UNKNOWN, MEASURE, 0, 20, OPEN },
        /* started by firmware, fed by the kernel */
        { "runs unopened", INACTIVE, 10, 0, 6, 60, { 0 }, 10, TOO_SHORT, IMPOSSIBLE, 3000, 20, KERNEL },
        { "runs unopened, all left",
          INACTIVE,
          40,
          0,
          40,
          60,
          { 0 },
          10,
          SUFFICIENT,
          NONE,
          20000,
          20,
          KERNEL },
        { "runs unopened, doubt", INACTIVE, 40, 0, 6, 60, { 0 }, 10, UNKNOWN, IMPOSSIBLE, 3000, 20, KERNEL },
        { "runs unopened, no time-out",
          INACTIVE,
          NO,
          0,
          6,
          60,
          { 0 },
          10,
          UNKNOWN,
          IMPOSSIBLE,
          UINT64_MAX,
          20,
          KERNEL },
        { "stands", INACTIVE, 10, 0, 0, 60, { 0 }, 10, NOT_ARMED, NONE, 0, 20, NOBODY },
        { "stands, more left than can be",
          INACTIVE,
          10,
          0,
          11,
          60,
          { 0 },
          10,
          NOT_ARMED,
          NONE,
          5000,
          20,
          NOBODY },
        { "stands, no timeleft", INACTIVE, 10, 0, NO, 60, { 0 }, 10, NOT_ARMED, NONE, 5000, 20, NOBODY },
        { "no timeleft that is understood",
          INACTIVE,
          10,
          0,
          NO,
          60,
          { 0 },
          10,
          UNKNOWN,
          IMPOSSIBLE,
          UINT64_MAX,
          20,
          OPEN,
          .garbled = true },
        { "no limit, yet not armed",
          INACTIVE,
          10,
          0,
          NO,
          60,
          { 0 },
          UNLIMITED,
          NOT_ARMED,
          NONE,
          5000,
          UINT64_MAX,
          NOBODY },
        /* what cannot be known */
        { "nothing shown",
          WATCHDOG_STATE_UNKNOWN,
          NO,
          NO,
          NO,
          NO,
          { 0 },
          10,
          UNKNOWN,
          IMPOSSIBLE,
          UINT64_MAX,
          20,
          OPEN },
        { "no state",
          WATCHDOG_STATE_UNKNOWN,
          60,
          0,
          NO,
          60,
          { 0 },
          10,
          UNKNOWN,
          IMPOSSIBLE,
          30000,
          20,
          OPEN },
        { "no time-out", ACTIVE, NO, 0, NO, 60, { 0 }, 10, UNKNOWN, IMPOSSIBLE, UINT64_MAX, 20, OPEN },
        { "time-out 0", ACTIVE, 0, 0, NO, 60, { 0 }, 10, UNKNOWN, IMPOSSIBLE, UINT64_MAX, 20, OPEN },
        { "pre-time-out not understood",
          ACTIVE,
          60,
          NO,
          NO,
          60,
          { 0 },
          10,
          UNKNOWN,
          IMPOSSIBLE,
          UINT64_MAX,
          20,
          OPEN,
          .garbled = true },
        /* only systemd can be told to use a longer time-out */
        { "somebody else's",
          ACTIVE,
          10,
          0,
          NO,
          60,
          { 0 },
          10,
          TOO_SHORT,
          IMPOSSIBLE,
          5000,
          20,
          FOREIGN,
          .foreign = true },
        { "somebody else's, doubt",
          ACTIVE,
          60,
          0,
          8,
          60,
          { 0 },
          10,
          UNKNOWN,
          IMPOSSIBLE,
          4000,
          20,
          FOREIGN,
          .foreign = true },
        { "somebody else's, long",
          ACTIVE,
          60,
          0,
          NO,
          60,
          { 0 },
          10,
          SUFFICIENT,
          NONE,
          30000,
          20,
          FOREIGN,
          .foreign = true },
        /* what activations were seen to take decides only where nothing can be raised */
        { "learned, but it can be raised",
          ACTIVE,
          10,
          0,
          NO,
          60,
          { 0 },
          10,
          TOO_SHORT,
          RAISE,
          5000,
          20,
          OPEN,
          .learned = 1 },
        { "learned, but it can be measured",
          ACTIVE,
          60,
          0,
          8,
          60,
          { 0 },
          10,
          UNKNOWN,
          MEASURE,
          4000,
          20,
          OPEN,
          .learned = 1 },
        { "learned is outlasted",
          ACTIVE,
          10,
          0,
          NO,
          10,
          { 0 },
          10,
          LEARNED,
          NONE,
          5000,
          20,
          OPEN,
          .learned = 5 },
        { "learned is not outlasted",
          ACTIVE,
          10,
          0,
          NO,
          10,
          { 0 },
          10,
          TOO_SHORT,
          IMPOSSIBLE,
          5000,
          20,
          OPEN,
          .learned = 6 },
        { "learned, the kernel's",
          INACTIVE,
          10,
          0,
          6,
          60,
          { 0 },
          10,
          LEARNED,
          NONE,
          3000,
          20,
          KERNEL,
          .learned = 3 },
        { "learned, no limit",
          ACTIVE,
          60,
          0,
          NO,
          60,
          { 0 },
          UNLIMITED,
          LEARNED,
          NONE,
          30000,
          UINT64_MAX,
          OPEN,
          .learned = 3 },
        { "learned, nothing known",
          ACTIVE,
          NO,
          0,
          NO,
          60,
          { 0 },
          10,
          UNKNOWN,
          IMPOSSIBLE,
          UINT64_MAX,
          20,
          OPEN,
          .learned = 1 },
        { "learned, not understood",
          ACTIVE,
          60,
          NO,
          NO,
          60,
          { 0 },
          10,
          UNKNOWN,
          IMPOSSIBLE,
          UINT64_MAX,
          20,
          OPEN,
          .garbled = true,
          .learned = 1 },
        { "learned, state unknown",
          WATCHDOG_STATE_UNKNOWN,
          10,
          0,
          NO,
          60,
          { 0 },
          10,
          UNKNOWN,
          IMPOSSIBLE,
          5000,
          20,
          OPEN,
          .learned = 1 },
        /* the informed way out */
        { "too short, ignored", ACTIVE, 10, 0, NO, 10, { 0, true }, 10, IGNORED, NONE, 5000, 20, OPEN },
        { "unknown, ignored",
          WATCHDOG_STATE_UNKNOWN,
          NO,
          NO,
          NO,
          NO,
          { 0, true },
          UNLIMITED,
          IGNORED,
          NONE,
          UINT64_MAX,
          UINT64_MAX,
          OPEN },
};

static void every_case_is_judged_as_the_table_says(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                check(&rows[i]);
}

/* Less of anything that speaks for a device never makes it sufficient. */
static void no_missing_number_makes_a_device_better(void **state) {
        static const WatchdogNumber speaking[] = { WATCHDOG_TIMEOUT, WATCHDOG_MAX_TIMEOUT };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(speaking); j++) {
                        Watchdog watchdog = make(&rows[i]);
                        WatchdogNeed need = need_of(&rows[i]);
                        WatchdogJudgement judgement;

                        watchdog.numbers[speaking[j]] = WATCHDOG_ABSENT;
                        watchdog_judge(&watchdog, &rows[i].settings, &need, &judgement);
                        if (judgement.verdict == SUFFICIENT)
                                assert_int_equal(rows[i].verdict, SUFFICIENT);
                        if (judgement.remedy == RAISE)
                                assert_int_equal(rows[i].remedy, RAISE);
                }
}

static void a_raised_device_is_sufficient(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                Watchdog watchdog = make(&rows[i]);
                WatchdogNeed need = need_of(&rows[i]);
                WatchdogJudgement judgement;

                if (rows[i].remedy != RAISE)
                        continue;
                watchdog.numbers[WATCHDOG_TIMEOUT] = (int64_t) rows[i].raise_to;
                if (watchdog.numbers[WATCHDOG_TIMELEFT] != WATCHDOG_ABSENT)
                        watchdog.numbers[WATCHDOG_TIMELEFT] = (int64_t) rows[i].raise_to;
                need.pinged = true;
                watchdog_judge(&watchdog, &rows[i].settings, &need, &judgement);
                assert_int_equal(judgement.verdict, SUFFICIENT);
        }
}

static void the_need_is_the_worst_case_of_the_driver(void **state) {
        for (int i = 0; i < _PROFILE_MAX; i++) {
                bool endless = i == PROFILE_RFC1 || i == PROFILE_RFC2 || i == PROFILE_NVRFC ||
                               i == PROFILE_V1 || i == PROFILE_UNKNOWN;
                uint64_t seconds = i == PROFILE_V1NV ? 20 : 10;

                assert_true(watchdog_need_usec((DriverProfile) i) ==
                            (endless ? UINT64_MAX : seconds * SECOND));
        }
}

static void names_of_devices(void **state) {
        Watchdog watchdog;

        assert_true(watchdog_is_class_device("watchdog0"));
        assert_true(watchdog_is_class_device("watchdog31"));
        assert_false(watchdog_is_class_device("watchdog"));
        assert_false(watchdog_is_class_device("watchdog0x"));
        assert_false(watchdog_is_class_device("dog0"));
        assert_false(watchdog_is_class_device("watchdog12345678"));
        watchdog_init(&watchdog, "watchdog");
        assert_string_equal(watchdog_configured_name(&watchdog), "watchdog");
        strcpy(watchdog.identity, "SBSA Generic Watchdog");
        assert_string_equal(watchdog_configured_name(&watchdog), "SBSA Generic Watchdog");
}

#define assert_round_trip(prefix, type, max)                                                                \
        for (int i = 0; i < (max); i++)                                                                     \
        assert_int_equal(prefix##_from_string(prefix##_to_string((type) i)), i)

static void enumerations_round_trip(void **state) {
        assert_round_trip(watchdog_state, WatchdogState, _WATCHDOG_STATE_MAX);
        assert_round_trip(watchdog_number, WatchdogNumber, _WATCHDOG_NUMBER_MAX);
        assert_round_trip(watchdog_owner, WatchdogOwner, _WATCHDOG_OWNER_MAX);
        assert_round_trip(watchdog_verdict, WatchdogVerdict, _WATCHDOG_VERDICT_MAX);
        assert_round_trip(watchdog_remedy, WatchdogRemedy, _WATCHDOG_REMEDY_MAX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_case_is_judged_as_the_table_says),
                cmocka_unit_test(no_missing_number_makes_a_device_better),
                cmocka_unit_test(a_raised_device_is_sufficient),
                cmocka_unit_test(the_need_is_the_worst_case_of_the_driver),
                cmocka_unit_test(names_of_devices),
                cmocka_unit_test(enumerations_round_trip),
        };

        return cmocka_run_group_tests_name("watchdog", tests, NULL, NULL);
}
