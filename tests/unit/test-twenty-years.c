/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Twenty years of automatic mode in five zones, as the gates allow it: nothing begins outside a window or in a freeze, and
 * no window is slept through. Where windows and freezes lie is reckoned by the C library from the host's clocks, not by
 * lfad's calendar. */

#include "core/schedule-facts.h"
#include "unit.h"

#include <time.h>

#define GUID "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define SECOND ((uint64_t) 1000000)
#define YEARS 20
#define FIRST_YEAR 2026
#define NEED 50
#define DAYS (YEARS * 366)

/* A start at this local time on such a day, and how long it is open, in seconds. */
typedef struct Rule {
        const char *name, *expression;
        unsigned weekdays; /* bit 0 is Sunday */
        int hour, minute;
        time_t duration;
} Rule;

/* In the hours in which clocks are set, around midnight, and shorter than MaxNeedSec=. They do not overlap. */
static const Rule rules[] = {
        { "weekend", "Sat,Sun 02:30", 1 << 0 | 1 << 6, 2, 30, 7200 },
        { "midnight", "Wed 23:30", 1 << 3, 23, 30, 5400 },
        { "short", "Sun 01:15", 1 << 0, 1, 15, 600 },
};

typedef struct Opening {
        time_t start, end;
        bool used;
} Opening;

typedef struct World {
        Config *config;
        GArray *openings; /* Opening, by their starts */
        GArray *freezes;  /* likewise */
        uint64_t tried_usec;
        unsigned starts;
} World;

static const uint8_t host_id[HOST_ID_SIZE] = { 7, 7, 7 };

static void free_file(void *data) {
        ConfigFile *file = data;

        g_free(file->path);
        g_free(file->text);
        g_free(file);
}

static Config *read_config(const char *zone) {
        g_autoptr(ConfigFiles) files = g_new(ConfigFiles, 1);
        g_autoptr(GPtrArray) problems = NULL;
        GString *text = g_string_new(NULL);
        ConfigFile *file = g_new(ConfigFile, 1);
        Config *config;

        g_string_append_printf(text, "[Policy]\nMode=automatic\nTimeZone=%s\n", zone);
        for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
                g_string_append_printf(text, "[Window %s]\nOnCalendar=%s\nDuration=%lds\n", rules[i].name,
                                       rules[i].expression, (long) rules[i].duration);
        for (int year = FIRST_YEAR; year < FIRST_YEAR + YEARS; year++)
                g_string_append_printf(text,
                                       "[Freeze winter-%d]\nFrom=%d-12-18\nUntil=%d-01-04 06:00\n"
                                       "[Freeze spring-%d]\nFrom=%d-03-27 01:45\nUntil=%d-04-02 03:05\n",
                                       year, year, year + 1, year, year, year);
        files->files = g_ptr_array_new_with_free_func(free_file);
        files->failures = g_ptr_array_new();
        *file = (ConfigFile){ g_strdup("main"), text->str, text->len };
        (void) g_string_free(text, FALSE);
        g_ptr_array_add(files->files, file);
        config = config_read(files, &problems);
        if (config_first_error(problems))
                fail_msg("%s", config_first_error(problems)->text);
        return config;
}

#define ANY_DAY 0x7fU

/* The first moment at which the host's clocks show that, or -1; also when it is none of these days. */
static time_t find_moment(int year, int month, int day, int hour, int minute, unsigned weekdays) {
        static const time_t shifts[] = { -7200, -3600, -1800, 0, 1800, 3600, 7200 };
        struct tm wanted = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_isdst = -1 };
        time_t near, noon;
        struct tm tm;

        wanted.tm_hour = 12; /* gives the date its normal form; noon is everywhere */
        noon = mktime(&wanted);
        localtime_r(&noon, &tm);
        if (!(weekdays >> tm.tm_wday & 1))
                return -1;
        day = tm.tm_mday;
        wanted = tm;
        wanted.tm_hour = hour;
        wanted.tm_min = minute;
        wanted.tm_isdst = -1;
        near = mktime(&wanted);
        for (size_t i = 0; i < G_N_ELEMENTS(shifts); i++) {
                time_t moment = near + shifts[i];

                localtime_r(&moment, &tm);
                if (tm.tm_mday == day && tm.tm_hour == hour && tm.tm_min == minute)
                        return moment;
        }
        return -1;
}

static int compare_openings(const void *a, const void *b) {
        const Opening *left = a, *right = b;

        return (left->start > right->start) - (left->start < right->start);
}

/* Also one that began in the year before. */
static GArray *reckon_openings(void) {
        GArray *openings = g_array_new(FALSE, FALSE, sizeof(Opening));
        time_t first = find_moment(FIRST_YEAR, 1, 1, 0, 0, ANY_DAY);

        for (int day = -2; day < DAYS; day++)
                for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
                        time_t start = find_moment(FIRST_YEAR, 1, 1 + day, rules[i].hour, rules[i].minute,
                                                   rules[i].weekdays);
                        Opening opening = { start, start + rules[i].duration, false };

                        if (start >= 0 && opening.end > first)
                                g_array_append_val(openings, opening);
                }
        g_array_sort(openings, compare_openings);
        return openings;
}

static GArray *reckon_freezes(void) {
        GArray *freezes = g_array_new(FALSE, FALSE, sizeof(Opening));

        for (int year = FIRST_YEAR; year < FIRST_YEAR + YEARS; year++) {
                Opening winter = { find_moment(year, 12, 18, 0, 0, ANY_DAY),
                                   find_moment(year + 1, 1, 4, 6, 0, ANY_DAY), false };
                Opening spring = { find_moment(year, 3, 27, 1, 45, ANY_DAY),
                                   find_moment(year, 4, 2, 3, 5, ANY_DAY), false };

                g_array_append_val(freezes, spring);
                g_array_append_val(freezes, winter);
        }
        return freezes;
}

static Opening *find_around(const GArray *array, time_t moment) {
        for (unsigned low = 0, high = array->len; low < high;) {
                unsigned middle = low + (high - low) / 2;
                Opening *opening = &g_array_index(array, Opening, middle);

                if (moment < opening->start)
                        high = middle;
                else if (moment >= opening->end)
                        low = middle + 1;
                else
                        return opening;
        }
        return NULL;
}

/* Whether automatic mode may begin at that moment; if not, from when it may pass. */
static bool may_begin(const World *world, uint64_t at_usec, uint64_t *ret_not_before_usec) {
        static const GateId gates[] = { GATE_FREEZE, GATE_WINDOW, GATE_SLOT };
        GateVerdict verdicts[_GATE_MAX];
        GateFacts facts = {
                .terms = { .unattended = true, .automatic = true },
                .schedule = { .at_usec = at_usec, .need_usec = NEED * SECOND, .since_last_usec = UINT64_MAX }
        };
        bool may = true;

        schedule_fill_facts(world->config, GUID, &facts.terms, host_id, world->tried_usec, &facts.schedule);
        gates_run(&facts, verdicts);
        *ret_not_before_usec = 0;
        for (size_t i = 0; i < G_N_ELEMENTS(gates); i++) {
                const GateVerdict *verdict = &verdicts[gates[i]];

                may = may && verdict->answer == GATE_ALLOW;
                if (verdict->answer == GATE_DEFER)
                        *ret_not_before_usec = MAX(*ret_not_before_usec, verdict->not_before_usec);
        }
        return may;
}

static Opening *assert_lies_well(const World *world, uint64_t at_usec) {
        time_t at = (time_t) (at_usec / SECOND);
        Opening *opening = find_around(world->openings, at);

        if (!opening || opening->end - at < NEED)
                fail_msg("a start at %ld, outside any window", (long) at);
        if (find_around(world->freezes, at) || find_around(world->freezes, at + NEED - 1))
                fail_msg("a start at %ld, in a freeze or just before one", (long) at);
        return opening;
}

/* From one not-before time to the next; and now and then at any other moment. */
static void live_through(World *world, GRand *random) {
        uint64_t now = (uint64_t) find_moment(FIRST_YEAR, 1, 1, 0, 0, ANY_DAY) * SECOND;
        uint64_t end = (uint64_t) find_moment(FIRST_YEAR + YEARS, 1, 1, 0, 0, ANY_DAY) * SECOND;

        while (now < end) {
                uint64_t next, other = now + (uint64_t) g_rand_int_range(random, 0, 4 * 86400) * SECOND;

                if (may_begin(world, other, &next))
                        (void) assert_lies_well(world, other);
                if (may_begin(world, now, &next)) {
                        Opening *opening = assert_lies_well(world, now);

                        assert_false(opening->used);
                        opening->used = true;
                        world->tried_usec = now;
                        world->starts++;
                } else {
                        assert_true(next > now); /* else it would be asked for ever */
                        now = next;
                }
        }
}

static bool touches_freeze(const World *world, const Opening *opening) {
        for (time_t at = opening->start; at < opening->end; at += 60)
                if (find_around(world->freezes, at))
                        return true;
        return find_around(world->freezes, opening->end - 1) != NULL;
}

static void assert_none_was_missed(const World *world) {
        for (unsigned i = 0; i < world->openings->len; i++) {
                const Opening *opening = &g_array_index(world->openings, Opening, i);

                if (!opening->used && !touches_freeze(world, opening))
                        fail_msg("the window at %ld was slept through", (long) opening->start);
        }
}

static void nothing_begins_outside_and_nothing_is_missed_in(const char *zone) {
        g_autoptr(GRand) random = g_rand_new_with_seed(11);
        World world = { .config = read_config(zone) };

        g_setenv("TZ", zone, true);
        tzset();
        world.openings = reckon_openings();
        world.freezes = reckon_freezes();
        while (world.openings->len > 0 &&
               g_array_index(world.openings, Opening, world.openings->len - 1).end >
                               g_array_index(world.freezes, Opening, world.freezes->len - 1).end)
                g_array_set_size(world.openings, world.openings->len - 1); /* behind the twenty years */
        live_through(&world, random);
        assert_true(world.starts > YEARS * 52 * 3); /* of four a week */
        assert_none_was_missed(&world);
        g_array_unref(world.openings);
        g_array_unref(world.freezes);
        config_free(world.config);
        g_unsetenv("TZ");
        tzset();
}

static void twenty_years_in_berlin(void **state) {
        nothing_begins_outside_and_nothing_is_missed_in("Europe/Berlin");
}

static void twenty_years_in_new_york(void **state) {
        nothing_begins_outside_and_nothing_is_missed_in("America/New_York");
}

static void twenty_years_on_lord_howe(void **state) {
        nothing_begins_outside_and_nothing_is_missed_in("Australia/Lord_Howe");
}

static void twenty_years_in_kolkata(void **state) {
        nothing_begins_outside_and_nothing_is_missed_in("Asia/Kolkata");
}

static void twenty_years_in_casablanca(void **state) {
        nothing_begins_outside_and_nothing_is_missed_in("Africa/Casablanca");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(twenty_years_in_berlin),     cmocka_unit_test(twenty_years_in_new_york),
                cmocka_unit_test(twenty_years_on_lord_howe),  cmocka_unit_test(twenty_years_in_kolkata),
                cmocka_unit_test(twenty_years_in_casablanca),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
