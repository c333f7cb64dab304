/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Windows, freezes and slots: what is open when, for how long, what merges, and where a host's moments lie. */

#include "core/schedule-facts.h"
#include "core/schedule.h"
#include "unit.h"

#define RMM "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define BL31 "47d4086d-4cfe-9846-9b95-2950cbbd5a00"
#define SECOND ((uint64_t) 1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

static void free_file(void *data) {
        ConfigFile *file = data;

        g_free(file->path);
        g_free(file->text);
        g_free(file);
}

static Config *read_config(const char *text) {
        g_autoptr(ConfigFiles) files = g_new(ConfigFiles, 1);
        g_autoptr(GPtrArray) problems = NULL;
        ConfigFile *file = g_new(ConfigFile, 1);
        Config *config;

        files->files = g_ptr_array_new_with_free_func(free_file);
        files->failures = g_ptr_array_new();
        *file = (ConfigFile){ g_strdup("main"), g_strdup(text), strlen(text) };
        g_ptr_array_add(files->files, file);
        config = config_read(files, &problems);
        if (config_first_error(problems))
                fail_msg("%s", config_first_error(problems)->text);
        return config;
}

static uint64_t at(int year, int month, int day, int hour, int minute) {
        g_autoptr(GDateTime) time = g_date_time_new_utc(year, month, day, hour, minute, 0);

        return (uint64_t) g_date_time_to_unix(time) * SECOND;
}

/* 2026-05-01, a Friday. */
static uint64_t on_may_day(int hour, int minute) {
        return at(2026, 5, 1, hour, minute);
}

static void assert_opening(const Config *config, const char *guid, uint64_t after_usec, uint64_t need_usec,
                           uint64_t start_usec, uint64_t end_usec) {
        uint64_t start = 0, end = 0;

        assert_true(schedule_find_opening(config, guid, after_usec, need_usec, &start, &end));
        if (start != start_usec || end != end_usec)
                fail_msg("open from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, start / SECOND,
                         end / SECOND);
}

static void a_window_is_open_from_its_start_to_before_its_end(void **state) {
        g_autoptr(Config) config = read_config("[Window w]\nOnCalendar=03:00\nDuration=2h\n");

        assert_opening(config, RMM, on_may_day(2, 59), 0, on_may_day(3, 0), on_may_day(5, 0));
        assert_opening(config, RMM, on_may_day(3, 0), 0, on_may_day(3, 0), on_may_day(5, 0));
        assert_opening(config, RMM, on_may_day(5, 0) - 1, 0, on_may_day(3, 0), on_may_day(5, 0));
        assert_opening(config, RMM, on_may_day(5, 0), 0, at(2026, 5, 2, 3, 0), at(2026, 5, 2, 5, 0));
}

static void openings_that_overlap_or_adjoin_are_one(void **state) {
        g_autoptr(Config) config = read_config("[Window a]\nOnCalendar=03:00\nDuration=1h\n"
                                               "[Window b]\nOnCalendar=04:00\nDuration=1h\n"
                                               "[Window c]\nOnCalendar=04:30\nDuration=2h\n"
                                               "[Window inside]\nOnCalendar=03:10\nDuration=5min\n"
                                               "[Window alone]\nOnCalendar=06:31\nDuration=1h\n");

        assert_opening(config, RMM, on_may_day(1, 0), 0, on_may_day(3, 0), on_may_day(6, 30));
        /* from within: what has closed already is not looked for */
        assert_opening(config, RMM, on_may_day(4, 10), 0, on_may_day(4, 0), on_may_day(6, 30));
        assert_opening(config, RMM, on_may_day(6, 30), 0, on_may_day(6, 31), on_may_day(7, 31));
}

static void only_the_windows_of_an_image_count_for_it(void **state) {
        g_autoptr(Config) config = read_config(
                        "[Window a]\nOnCalendar=03:00\nDuration=1h\n"
                        "[Window b]\nOnCalendar=04:00\nDuration=1h\n[Image rmm]\nGuid=" RMM "\nWindows=b\n");

        assert_opening(config, RMM, on_may_day(1, 0), 0, on_may_day(4, 0), on_may_day(5, 0));
        assert_opening(config, BL31, on_may_day(1, 0), 0, on_may_day(3, 0), on_may_day(5, 0));
        assert_opening(config, NULL, on_may_day(1, 0), 0, on_may_day(3, 0), on_may_day(5, 0));
}

static void an_opening_must_be_as_long_as_it_is_needed(void **state) {
        g_autoptr(Config) config = read_config("[Window short]\nOnCalendar=*:00\nDuration=1min\n"
                                               "[Window long]\nOnCalendar=monthly\nDuration=1h\n");
        uint64_t start, end;

        assert_opening(config, RMM, on_may_day(9, 30), MINUTE, on_may_day(10, 0), on_may_day(10, 1));
        /* farther away than openings are looked at one by one */
        assert_opening(config, RMM, on_may_day(9, 30), 2 * MINUTE, at(2026, 6, 1, 0, 0),
                       at(2026, 6, 1, 1, 0));
        assert_opening(config, RMM, on_may_day(0, 10), 50 * MINUTE, on_may_day(0, 0), on_may_day(1, 1));
        assert_false(schedule_find_opening(config, RMM, on_may_day(9, 30), 2 * HOUR, &start, &end));
}

static void windows_that_never_close_are_followed_so_far_and_no_farther(void **state) {
        g_autoptr(Config) config = read_config("[Window w]\nOnCalendar=minutely\nDuration=2min\n");
        uint64_t start, end;

        assert_true(schedule_find_opening(config, RMM, on_may_day(9, 30), 0, &start, &end));
        assert_true(start <= on_may_day(9, 30));
        assert_true(end == start + (SCHEDULE_MERGED_MAX + 2) * MINUTE);
        assert_opening(config, RMM, on_may_day(9, 30), HOUR, start, end);
}

static void what_is_asked_in_any_order_is_answered_the_same(void **state) {
        static const char text[] =
                        "[Policy]\nTimeZone=Europe/Berlin\n[Window w]\nOnCalendar=*:0/20\nDuration=5min\n";
        g_autoptr(Config) config = read_config(text);
        const ConfigSection *window = config->windows->pdata[0];
        g_autoptr(GRand) random = g_rand_new_with_seed(7);

        for (unsigned i = 0; i < 5000; i++) {
                /* the night in which clocks are set back */
                uint64_t after_usec = at(2026, 10, 24, 22, 0) +
                                      (uint64_t) g_rand_int_range(random, 0, 6 * 60) * MINUTE;
                g_autoptr(Config) fresh = i % 10 == 0 ? read_config(text) : NULL;
                uint64_t start_usec = window_next_start(config, window, after_usec);

                if (fresh)
                        assert_true(start_usec ==
                                    window_next_start(fresh, fresh->windows->pdata[0], after_usec));
                assert_true(start_usec > after_usec);
        }
}

static void another_zone_moves_what_was_found(void **state) {
        g_autoptr(Config) config =
                        read_config("[Policy]\nTimeZone=local\n[Window w]\nOnCalendar=03:00\nDuration=1h\n");

        g_setenv("TZ", "Asia/Tokyo", true);
        assert_true(config_reload_zone(config));
        assert_opening(config, RMM, on_may_day(0, 0), 0, on_may_day(18, 0), on_may_day(19, 0));
        g_setenv("TZ", "UTC", true);
        assert_true(config_reload_zone(config));
        assert_opening(config, RMM, on_may_day(0, 0), 0, on_may_day(3, 0), on_may_day(4, 0));
        g_unsetenv("TZ");
}

static void a_window_may_open_no_more(void **state) {
        g_autoptr(Config) config = read_config("[Window w]\nOnCalendar=2026-05-01 03:00\nDuration=2h\n");
        uint64_t start, end;

        assert_opening(config, RMM, on_may_day(4, 0), HOUR, on_may_day(3, 0), on_may_day(5, 0));
        assert_false(schedule_find_opening(config, RMM, on_may_day(4, 0) + 1, HOUR, &start, &end));
        assert_false(schedule_find_opening(config, RMM, on_may_day(5, 0), 0, &start, &end));
        assert_true(schedule_next_change(config, RMM, on_may_day(5, 0)) == UINT64_MAX);
}

static void a_duration_is_elapsed_time(void **state) {
        g_autoptr(Config) config = read_config("[Window w]\nOnCalendar=01:30 Europe/Berlin\nDuration=2h\n");

        /* clocks go from 2:00 to 3:00, and in October from 3:00 to 2:00 */
        assert_opening(config, RMM, at(2026, 3, 29, 0, 40), 0, at(2026, 3, 29, 0, 30),
                       at(2026, 3, 29, 2, 30));
        assert_opening(config, RMM, at(2026, 10, 25, 0, 0), 0, at(2026, 10, 24, 23, 30),
                       at(2026, 10, 25, 1, 30));
}

/* 02:30 is at 0:30 and at 1:30 UTC, since clocks go from 3:00 to 2:00 at 1:00 UTC. */
static void a_time_that_clocks_show_twice_opens_a_window_once(void **state) {
        g_autoptr(Config) config =
                        read_config("[Window w]\nOnCalendar=Sun 02:30 Europe/Berlin\nDuration=1h\n");
        g_autoptr(Config) often =
                        read_config("[Window w]\nOnCalendar=*:0/10 Europe/Berlin\nDuration=1min\n");

        for (int minute = 0; minute < 90; minute += 10)
                assert_opening(config, RMM, at(2026, 10, 25, 0, 0) + (uint64_t) minute * MINUTE, 0,
                               at(2026, 10, 25, 0, 30), at(2026, 10, 25, 1, 30));
        for (int minute = 90; minute < 240; minute += 10)
                assert_opening(config, RMM, at(2026, 10, 25, 0, 0) + (uint64_t) minute * MINUTE, 0,
                               at(2026, 11, 1, 1, 30), at(2026, 11, 1, 2, 30));
        for (int minute = 51; minute < 120; minute++)
                assert_opening(often, RMM, at(2026, 10, 25, 0, 0) + (uint64_t) minute * MINUTE, 0,
                               at(2026, 10, 25, 2, 0), at(2026, 10, 25, 2, 1));
}

static void freezes_hold_from_their_beginning_to_before_their_end(void **state) {
        g_autoptr(Config) config = read_config("[Freeze a]\nFrom=2026-05-01 03:00\nUntil=2026-05-01 05:00\n"
                                               "[Freeze b]\nFrom=2026-05-01 05:00\nUntil=2026-05-01 06:00\n"
                                               "[Freeze c]\nFrom=2026-05-01 04:00\nUntil=2026-05-01 04:30\n"
                                               "[Freeze d]\nFrom=2026-05-02\nUntil=2026-05-03\n");
        uint64_t until = 1;

        assert_null(schedule_find_freeze(config, on_may_day(3, 0) - 1, 0, &until));
        assert_true(until == 1);
        assert_string_equal(schedule_find_freeze(config, on_may_day(3, 0), 0, &until)->name, "a");
        assert_true(until == on_may_day(6, 0)); /* b goes on where a ends */
        assert_string_equal(schedule_find_freeze(config, on_may_day(4, 10), 0, &until)->name, "a");
        assert_string_equal(schedule_find_freeze(config, on_may_day(5, 0), 0, &until)->name, "b");
        assert_null(schedule_find_freeze(config, on_may_day(6, 0), 0, &until));
        assert_string_equal(schedule_find_next_freeze(config, on_may_day(0, 0))->name, "a");
        assert_string_equal(schedule_find_next_freeze(config, on_may_day(5, 0))->name, "d");
        assert_null(schedule_find_next_freeze(config, at(2026, 5, 2, 0, 0)));
}

static void a_freeze_is_in_the_way_of_what_would_last_into_it(void **state) {
        g_autoptr(Config) config =
                        read_config("[Freeze a]\nFrom=2026-05-01 03:00\nUntil=2026-05-01 04:00\n"
                                    "[Freeze b]\nFrom=2026-05-01 04:10\nUntil=2026-05-01 05:00\n");
        uint64_t until;

        assert_null(schedule_find_freeze(config, on_may_day(2, 50), 10 * MINUTE, &until));
        assert_string_equal(schedule_find_freeze(config, on_may_day(2, 50) + 1, 10 * MINUTE, &until)->name,
                            "a");
        assert_true(until == on_may_day(4, 0)); /* what lies between them is long enough */
        assert_string_equal(schedule_find_freeze(config, on_may_day(3, 30), 10 * MINUTE + 1, &until)->name,
                            "a");
        assert_true(until == on_may_day(5, 0));
        assert_string_equal(schedule_find_freeze(config, on_may_day(4, 5), 10 * MINUTE, &until)->name, "b");
        assert_null(schedule_find_freeze(config, on_may_day(5, 0), UINT64_MAX, &until));
}

static uint64_t next_open(const Config *config, const ActivationTerms *terms, uint64_t at_usec) {
        ScheduleFacts facts = { .at_usec = at_usec, .need_usec = 50 * SECOND };

        schedule_fill_facts(config, RMM, terms, NULL, 0, &facts);
        assert_true(facts.open_until_usec == 0);
        return facts.next_open_usec;
}

static void the_next_opening_is_one_that_no_freeze_covers(void **state) {
        g_autoptr(Config) config =
                        read_config("[Window night]\nOnCalendar=02:00\nDuration=2h\n"
                                    "[Freeze one]\nFrom=2026-05-02\nUntil=2026-05-04\n"
                                    "[Freeze two]\nFrom=2026-05-04\nUntil=2026-05-05 03:00\n"
                                    "[Freeze late]\nFrom=2026-05-06\nUntil=2026-05-07 03:59:11\n");
        const ActivationTerms person = { 0 }, overriding = { .overrides = 1U << GATE_FREEZE };

        assert_true(next_open(config, &person, on_may_day(1, 0)) == on_may_day(2, 0));
        assert_true(next_open(config, &person, on_may_day(12, 0)) == at(2026, 5, 5, 3, 0));
        assert_true(next_open(config, &overriding, on_may_day(12, 0)) == at(2026, 5, 2, 2, 0));
        /* too little of it is left when the freeze is over */
        assert_true(next_open(config, &person, at(2026, 5, 5, 12, 0)) == at(2026, 5, 8, 2, 0));
}

static void the_next_change_is_an_edge_of_a_window_or_a_freeze(void **state) {
        g_autoptr(Config) config =
                        read_config("[Window w]\nOnCalendar=03:00\nDuration=2h\n"
                                    "[Freeze f]\nFrom=2026-05-01 04:00\nUntil=2026-05-01 06:00\n");
        const uint64_t edges[] = { on_may_day(3, 0), on_may_day(4, 0), on_may_day(5, 0), on_may_day(6, 0),
                                   at(2026, 5, 2, 3, 0) };
        uint64_t now = on_may_day(0, 0);

        for (size_t i = 0; i < G_N_ELEMENTS(edges); i++) {
                now = schedule_next_change(config, RMM, now);
                assert_true(now == edges[i]);
        }
}

/* --- slots */

static const uint8_t an_id[HOST_ID_SIZE] = { 1, 2, 3 };

static void a_slot_leaves_what_is_needed_and_stays_where_it_is(void **state) {
        g_autoptr(Config) config = read_config("[Window w]\nOnCalendar=03:00\nDuration=2h\n"
                                               "[Window short]\nOnCalendar=12:00\nDuration=15min\n");
        const ConfigSection *window = NULL;
        uint64_t slot = schedule_find_slot(config, RMM, an_id, on_may_day(0, 0), 0, &window);

        assert_string_equal(window->name, "w");
        assert_true(slot >= on_may_day(3, 0) && slot <= on_may_day(4, 45));
        /* before, in it, and until the window closes; then the short one's, at its beginning */
        assert_true(schedule_find_slot(config, RMM, an_id, slot - 1, 0, NULL) == slot);
        assert_true(schedule_find_slot(config, RMM, an_id, on_may_day(5, 0) - 1, 0, NULL) == slot);
        assert_true(schedule_find_slot(config, RMM, an_id, on_may_day(5, 0), 0, NULL) == on_may_day(12, 0));
        assert_true(schedule_find_slot(config, RMM, an_id, on_may_day(13, 0), 0, NULL) == slot + 24 * HOUR);
}

static void an_opening_is_used_once(void **state) {
        g_autoptr(Config) config = read_config("[Window w]\nOnCalendar=03:00\nDuration=2h\n");
        uint64_t slot = schedule_find_slot(config, RMM, an_id, on_may_day(0, 0), 0, NULL);

        assert_true(schedule_find_slot(config, RMM, an_id, on_may_day(4, 50), slot, NULL) ==
                    slot + 24 * HOUR);
        assert_true(schedule_find_slot(config, RMM, an_id, on_may_day(4, 50), on_may_day(3, 0), NULL) ==
                    slot + 24 * HOUR);
        /* yesterday's is none of today's, and one in the future (a clock that was set back) only of its own */
        assert_true(schedule_find_slot(config, RMM, an_id, on_may_day(4, 50), on_may_day(2, 59), NULL) ==
                    slot);
        assert_true(schedule_find_slot(config, RMM, an_id, on_may_day(4, 50), slot + 24 * HOUR, NULL) ==
                    slot);
        assert_true(schedule_find_slot(config, RMM, an_id, on_may_day(5, 0), slot + 24 * HOUR, NULL) ==
                    slot + 48 * HOUR);
}

static void overlapping_openings_of_a_window_are_used_one_by_one(void **state) {
        g_autoptr(Config) config = read_config("[Window w]\nOnCalendar=hourly\nDuration=3h\n"
                                               "[Policy]\nMaxNeedSec=1d\n"); /* each slot at the start */

        assert_true(schedule_find_slot(config, RMM, an_id, on_may_day(4, 30), 0, NULL) == on_may_day(2, 0));
        assert_true(schedule_find_slot(config, RMM, an_id, on_may_day(4, 30), on_may_day(3, 30), NULL) ==
                    on_may_day(4, 0));
        assert_true(schedule_find_slot(config, RMM, an_id, on_may_day(4, 30), on_may_day(4, 10), NULL) ==
                    on_may_day(5, 0));
}

#define HOSTS 10000
#define WINDOWS 20

static int compare_doubles(const void *a, const void *b) {
        double left = *(const double *) a, right = *(const double *) b;

        return (left > right) - (left < right);
}

/* How far their distribution is from an even one over 0 to 1. Sorts them. */
static double kolmogorov_smirnov(double *values, unsigned n) {
        double worst = 0;

        qsort(values, n, sizeof(*values), compare_doubles);
        for (unsigned i = 0; i < n; i++) {
                worst = MAX(worst, values[i] - (double) i / n);
                worst = MAX(worst, (double) (i + 1) / n - values[i]);
        }
        return worst;
}

/* The square of the coefficient. */
static double correlation(const double *a, const double *b, unsigned n) {
        double mean_a = 0, mean_b = 0, covariance = 0, variance_a = 0, variance_b = 0;

        for (unsigned i = 0; i < n; i++) {
                mean_a += a[i] / n;
                mean_b += b[i] / n;
        }
        for (unsigned i = 0; i < n; i++) {
                covariance += (a[i] - mean_a) * (b[i] - mean_b);
                variance_a += (a[i] - mean_a) * (a[i] - mean_a);
                variance_b += (b[i] - mean_b) * (b[i] - mean_b);
        }
        return covariance * covariance / (variance_a * variance_b);
}

static void a_fleet_spreads_evenly_and_each_window_spreads_it_anew(void **state) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autoptr(Config) config = NULL;
        g_autofree double *slots = g_new(double, HOSTS *WINDOWS);

        for (unsigned w = 0; w < WINDOWS; w++)
                g_string_append_printf(text, "[Window nights-%u]\nOnCalendar=03:00\nDuration=2h\n", w);
        config = read_config(text->str);
        for (unsigned w = 0; w < WINDOWS; w++)
                for (uint32_t host = 0; host < HOSTS; host++) {
                        const Occurrence occurrence = { config->windows->pdata[w], on_may_day(3, 0),
                                                        on_may_day(5, 0) };
                        uint8_t id[HOST_ID_SIZE] = { 0 };
                        uint64_t slot;

                        memcpy(id, &host, sizeof(host));
                        slot = occurrence_slot(config, &occurrence, id);
                        assert_true(slot >= occurrence.start_usec &&
                                    slot <= occurrence.end_usec - 15 * MINUTE);
                        slots[w * HOSTS + host] =
                                        (double) (slot - occurrence.start_usec) / (double) (105 * MINUTE);
                }
        for (unsigned w = 1; w < WINDOWS; w++)
                for (unsigned v = 0; v < w; v++)
                        assert_true(correlation(slots + w * HOSTS, slots + v * HOSTS, HOSTS) < 0.05 * 0.05);
        for (unsigned w = 0; w < WINDOWS; w++)
                assert_true(kolmogorov_smirnov(slots + w * HOSTS, HOSTS) < 0.02);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_window_is_open_from_its_start_to_before_its_end),
                cmocka_unit_test(openings_that_overlap_or_adjoin_are_one),
                cmocka_unit_test(only_the_windows_of_an_image_count_for_it),
                cmocka_unit_test(an_opening_must_be_as_long_as_it_is_needed),
                cmocka_unit_test(windows_that_never_close_are_followed_so_far_and_no_farther),
                cmocka_unit_test(what_is_asked_in_any_order_is_answered_the_same),
                cmocka_unit_test(another_zone_moves_what_was_found),
                cmocka_unit_test(a_window_may_open_no_more),
                cmocka_unit_test(a_duration_is_elapsed_time),
                cmocka_unit_test(a_time_that_clocks_show_twice_opens_a_window_once),
                cmocka_unit_test(freezes_hold_from_their_beginning_to_before_their_end),
                cmocka_unit_test(a_freeze_is_in_the_way_of_what_would_last_into_it),
                cmocka_unit_test(the_next_opening_is_one_that_no_freeze_covers),
                cmocka_unit_test(the_next_change_is_an_edge_of_a_window_or_a_freeze),
                cmocka_unit_test(a_slot_leaves_what_is_needed_and_stays_where_it_is),
                cmocka_unit_test(an_opening_is_used_once),
                cmocka_unit_test(overlapping_openings_of_a_window_are_used_one_by_one),
                cmocka_unit_test(a_fleet_spreads_evenly_and_each_window_spreads_it_anew),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
