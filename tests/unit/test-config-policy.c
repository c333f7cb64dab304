/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration's sections and keys about when an activation may run, and to which versions. */

#include "core/config-check.h"
#include "core/schedule.h"
#include "unit.h"

#define RMM "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define BL31 "47d4086d-4cfe-9846-9b95-2950cbbd5a00"
#define SECOND ((uint64_t) 1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define WINDOW "[Window w]\nOnCalendar=Sat 03:00\nDuration=2h\n"
#define FREEZE "[Freeze f]\nFrom=2026-12-18\nUntil=2027-01-04 06:00\n"
#define IMAGE "[Image rmm]\nGuid=" RMM "\n"
#define POLICY "[Policy]\n"

typedef struct Reading {
        Config *config;
        GPtrArray *problems;
} Reading;

static void free_file(void *data) {
        ConfigFile *file = data;

        g_free(file->path);
        g_free(file->text);
        g_free(file);
}

static Reading read_text(const char *text) {
        g_autoptr(ConfigFiles) files = g_new(ConfigFiles, 1);
        ConfigFile *file = g_new(ConfigFile, 1);
        Reading reading;

        files->files = g_ptr_array_new_with_free_func(free_file);
        files->failures = g_ptr_array_new();
        *file = (ConfigFile){ g_strdup("main"), g_strdup(text), strlen(text) };
        g_ptr_array_add(files->files, file);
        reading.config = config_read(files, &reading.problems);
        return reading;
}

static void release(Reading *reading) {
        config_free(reading->config);
        g_ptr_array_unref(reading->problems);
}

static char *list_problems(const GPtrArray *problems) {
        GString *text = g_string_new("");

        for (unsigned i = 0; i < problems->len; i++) {
                g_autofree char *line = config_problem_format(problems->pdata[i]);

                g_string_append_printf(text, "%s\n", line);
        }
        return g_string_free(text, FALSE);
}

static Reading read_fine(const char *text) {
        Reading reading = read_text(text);
        g_autofree char *all = list_problems(reading.problems);

        if (*all)
                fail_msg("%s", all);
        return reading;
}

/* UTC. */
static uint64_t at(int year, int month, int day, int hour, int minute) {
        g_autoptr(GDateTime) time = g_date_time_new_utc(year, month, day, hour, minute, 0);

        return (uint64_t) g_date_time_to_unix(time) * SECOND;
}

static void the_defaults_let_a_person_decide(void **state) {
        g_autoptr(Config) config = config_new();

        assert_int_equal(config->mode, POLICY_MANUAL);
        assert_true(config->max_wait_usec == 7 * DAY);
        assert_true(config->max_need_usec == 900 * SECOND);
        assert_true(config->minimum_interval_usec == 0);
        assert_int_equal(config->windows->len + config->freezes->len, 0);
        assert_int_equal(config_find_mode(config, RMM), POLICY_MANUAL);
        assert_null(config_find_version_rules(config, RMM));
        assert_string_equal(g_time_zone_get_identifier(config->zone), "UTC");
}

static void every_key_is_read(void **state) {
        Reading reading = read_fine(
                        POLICY
                        "Mode=automatic\nTimeZone=Europe/Berlin\nMaxWaitSec=2d\nMaxNeedSec=5min\n"
                        "MinimumIntervalSec=1h\n" WINDOW FREEZE
                        "[Window v]\nOnCalendar=daily\nDuration=1d\n" IMAGE
                        "Mode=manual\nWindows=w\nWindows=w v\nAllowVersion=1.4 02.010\nForbidVersion=1.4\n"
                        "MinimumVersion=1.04\nAllowDowngrade=no\n");
        const Config *config = reading.config;
        const ConfigSection *window = config->windows->pdata[0], *freeze = config->freezes->pdata[0];
        const VersionRules *rules = config_find_version_rules(config, RMM);

        assert_true(config->max_wait_usec == 2 * DAY && config->max_need_usec == 300 * SECOND &&
                    config->minimum_interval_usec == HOUR);
        assert_int_equal(config_find_mode(config, BL31), POLICY_AUTOMATIC);
        assert_int_equal(config_find_mode(config, RMM), POLICY_MANUAL);
        assert_string_equal(window->name, "w");
        assert_true(window->window.duration_usec == 2 * HOUR);
        /* in the zone of the policy, wherever that stands */
        assert_true(freeze->freeze.from_usec == at(2026, 12, 17, 23, 0));
        assert_true(freeze->freeze.until_usec == at(2027, 1, 4, 5, 0));
        assert_int_equal(schedule_windows(config, RMM)->len, 2);
        assert_ptr_equal(schedule_windows(config, RMM)->pdata[0], window);
        assert_ptr_equal(schedule_windows(config, BL31), config->windows);
        assert_string_equal(rules->allowed->pdata[1], "2.10"); /* as firmware's are written */
        assert_string_equal(rules->forbidden->pdata[0], "1.4");
        assert_string_equal(rules->minimum, "1.4");
        assert_true(rules->no_downgrade);
        release(&reading);
}

static void a_date_may_name_its_own_zone_and_the_policys_may_come_later(void **state) {
        Reading reading =
                        read_fine("[Freeze f]\nFrom=2026-07-01 12:00:30 America/New_York\nUntil=2026-07-03\n"
                                  "[Policy]\nTimeZone=Asia/Tokyo\n");
        const ConfigSection *freeze = reading.config->freezes->pdata[0];

        assert_true(freeze->freeze.from_usec == at(2026, 7, 1, 16, 0) + 30 * SECOND);
        assert_true(freeze->freeze.until_usec == at(2026, 7, 2, 15, 0));
        release(&reading);
}

static void an_emptied_list_of_windows_means_all_of_them(void **state) {
        Reading reading = read_fine(WINDOW IMAGE "Windows=w\nWindows=\nAllowVersion=1.0\nAllowVersion=\n");

        assert_ptr_equal(schedule_windows(reading.config, RMM), reading.config->windows);
        assert_null(config_find_version_rules(reading.config, RMM)->allowed);
        release(&reading);
}

typedef struct BadRow {
        const char *text;
        unsigned line;
        const char *words;
} BadRow;

static const BadRow bad_rows[] = {
        { POLICY "Mode=auto\n", 2, "Mode= takes 'manual' or 'automatic', not 'auto'." },
        { POLICY "Mode=inherited\n", 2, "not 'inherited'" },
        { POLICY "TimeZone=Europe/Berlyn\n", 2,
          "TimeZone= takes 'UTC', 'local' or the name of a time zone (Europe/Berlin), not 'Europe/Berlyn'." },
        { POLICY "TimeZone=../etc/passwd\n", 2, "TimeZone= takes" },
        { POLICY "TimeZone=+02:00\n", 2, "TimeZone= takes" },
        { POLICY "MaxWaitSec=31d\n", 2, "from 1s to 30d" },
        { POLICY "MaxNeedSec=0\n", 2, "from 1s to 1d" },
        { POLICY "MinimumIntervalSec=367d\n", 2, "from 0 to 366d" },
        { POLICY "OnCalendar=daily\n", 2, "does not belong to [Policy] but to [Window]" },
        /* windows */
        { "[Window a b]\nOnCalendar=daily\nDuration=1h\n", 1, "takes 1 to 64 of the characters" },
        { "[Window w]\nDuration=1h\n", 1, "[Window w] needs OnCalendar=: a calendar expression" },
        { "[Window w]\nOnCalendar=daily\n", 1, "[Window w] needs Duration=: a time span from 1s to 366d" },
        { "[Window w]\nOnCalendar=daily\nDuration=0\n", 3, "Duration= takes a time span from 1s to 366d" },
        { "[Window w]\nOnCalendar=daily\nDuration=367d\n", 3, "not '367d'" },
        { "[Window w]\nOnCalendar=25:00\nDuration=1h\n", 2, "OnCalendar= takes a calendar expression" },
        { "[Window w]\nOnCalendar=daily Europe/Berlyn\nDuration=1h\n", 2, "OnCalendar= takes a calendar" },
        { "[Window w]\nOnCalendar=\nDuration=1h\n", 2, "OnCalendar= needs a value" },
        { "[Window w]\nOnCalendar=*-02-30\nDuration=1h\n", 2, "'*-02-30' never does" },
        { "[Window w]\nOnCalendar=daily\nOnCalendar=weekly\nDuration=1h\n", 3,
          "OnCalendar= is given twice" },
        /* freezes */
        { "[Freeze f]\nFrom=2026-12-18\n", 1, "[Freeze f] needs Until=: a date, and perhaps a time" },
        { "[Freeze f]\nUntil=2026-12-18\n", 1, "[Freeze f] needs From=" },
        { "[Freeze f]\nFrom=2026-12-18\nUntil=2026-12-18\n", 3,
          "[Freeze f] is over before it begins: Until= must be later than From=2026-12-18." },
        { "[Freeze f]\nFrom=2026-12-18 06:00\nUntil=2026-12-18 05:00\n", 3, "over before it begins" },
        { "[Freeze f]\nFrom=2026-02-30\nUntil=2026-12-18\n", 2, "no clock shows that" },
        { "[Freeze f]\nFrom=2026-03-29 02:30 Europe/Berlin\nUntil=2026-12-18\n", 2, "no clock shows that" },
        { "[Freeze f]\nFrom=daily\nUntil=2026-12-18\n", 2,
          "From= takes a date, and perhaps a time and a time zone (2026-12-18 06:00 Europe/Berlin), not 'daily'." },
        { "[Freeze f]\nFrom=2026-12-18\nUntil=*-12-20\n", 3, "Until= takes a date" },
        { "[Freeze f]\nFrom=12-18\nUntil=2026-12-20\n", 2, "From= takes a date" },
        { "[Freeze f]\nFrom=nonsense\nUntil=2026-12-20\n", 2, "From= takes a date" },
        /* images */
        { "[Window nights]\nOnCalendar=daily\nDuration=2h\n" IMAGE "Windows=nights night\n", 6,
          "Windows= takes names of [Window NAME] sections, not 'night'; did you mean 'nights'?" },
        { IMAGE "Windows=nights\n", 3, "Windows= takes names of [Window NAME] sections, not 'nights'." },
        { IMAGE "Mode=\n", 3, "Mode= needs a value" },
        { IMAGE "AllowVersion=1.4 v2\n", 3, "AllowVersion= takes versions (1.4 2.10), not 'v2'." },
        { IMAGE "ForbidVersion=1.4,1.5\n", 3, "not '1.4,1.5'" },
        { IMAGE "ForbidVersion=0.0\n", 3, "not '0.0'" },
        { IMAGE "MinimumVersion=1\n", 3, "MinimumVersion= takes a version (1.4), not '1'." },
        { IMAGE "MinimumVersion=N/A\n", 3, "not 'N/A'" },
        { IMAGE "AllowDowngrade=false\n", 3, "AllowDowngrade= takes 'yes' or 'no', not 'false'" },
};

static void what_is_wrong_is_refused_with_its_line_and_in_words(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(bad_rows); i++) {
                const BadRow *row = &bad_rows[i];
                Reading reading = read_text(row->text);
                g_autofree char *all = list_problems(reading.problems);
                const ConfigProblem *error = config_first_error(reading.problems);

                if (!error || reading.problems->len != 1 || error->line != row->line ||
                    !strstr(error->text, row->words))
                        fail_msg("row %zu (%s): wanted line %u, '%s', got:\n%s", i, row->text, row->line,
                                 row->words, all);
                release(&reading);
        }
}

static void automatic_mode_without_a_window_is_a_warning(void **state) {
        static const struct {
                const char *text, *problems;
        } rows[] = {
                { "[Policy]\nMode=automatic\n",
                  "main:2: Mode=automatic activates nothing: there is no [Window NAME].\n" },
                { IMAGE "Mode=automatic\n",
                  "main:3: Mode=automatic activates nothing: there is no [Window NAME].\n" },
                { "[Policy]\nMode=automatic\n[Window w]\nOnCalendar=daily\nDuration=2h\n", "" },
                { "[Policy]\nMode=manual\n", "" },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                Reading reading = read_text(rows[i].text);
                g_autofree char *all = list_problems(reading.problems);

                assert_null(config_first_error(reading.problems));
                assert_string_equal(all, rows[i].problems);
                release(&reading);
        }
}

static void rules_that_leave_no_version_are_a_warning(void **state) {
        Reading none = read_text(IMAGE "AllowVersion=1.3 1.6\nForbidVersion=1.6\nMinimumVersion=1.4\n");
        Reading one = read_fine(IMAGE "AllowVersion=1.3 1.5\nForbidVersion=1.6\nMinimumVersion=1.4\n");
        g_autofree char *warning = list_problems(none.problems), *nothing = list_problems(one.problems);

        assert_true(g_str_has_prefix(warning, "main:3: [Image "));
        assert_non_null(strstr(warning, "to no version at all"));
        assert_string_equal(nothing, "");
        release(&none);
        release(&one);
}

/* What config_check_times says of a text that has no error. */
static char *check_times(const char *text, uint64_t now_usec) {
        Reading reading = read_fine(text);
        char *all;

        config_check_times(reading.config, now_usec, reading.problems);
        assert_null(config_first_error(reading.problems));
        all = list_problems(reading.problems);
        release(&reading);
        return all;
}

static void what_lies_in_the_past_is_a_warning(void **state) {
        static const char text[] = "[Window w]\nOnCalendar=2026-05-01 03:00\nDuration=2h\n" FREEZE;
        g_autofree char *before = check_times(text, at(2026, 5, 1, 4, 59));
        g_autofree char *after = check_times(text, at(2026, 5, 1, 5, 0));
        g_autofree char *long_after = check_times(text, at(2027, 1, 4, 6, 0));

        assert_string_equal(before, "");
        assert_string_equal(after, "main:2: [Window w] never opens again.\n");
        assert_string_equal(long_after,
                            "main:2: [Window w] never opens again.\nmain:6: [Freeze f] is over.\n");
}

static void windows_in_which_nothing_can_begin_are_told(void **state) {
        static const char window[] = "[Window w]\nOnCalendar=03:00\nDuration=";
        g_autofree char *shorter = g_strdup_printf("%s49s\n", window);
        g_autofree char *enough = g_strdup_printf("%s50s\n[Policy]\nMaxNeedSec=80s\n", window);
        g_autofree char *less = g_strdup_printf("%s1h\n[Policy]\nMaxNeedSec=79s\n", window);
        g_autofree char *first = check_times(shorter, 0), *second = check_times(enough, 0);
        g_autofree char *third = check_times(less, 0);
        g_autofree char *without = check_times("[Policy]\nMaxNeedSec=79s\n", 0);

        assert_string_equal(
                        first,
                        "main:3: [Window w] is shorter (Duration=49s) than the 50 s that an activation may "
                        "need while nothing was measured: then nothing is begun in it.\n");
        assert_string_equal(second, "");
        assert_string_equal(
                        third,
                        "main:5: MaxNeedSec=79s is less than the 80 s that one activation may need (40 s, 10 "
                        "s and InhibitDelayMaxSec=): hosts whose moment comes late in a window may begin "
                        "nothing.\n");
        assert_string_equal(without, "");
}

static void days_without_their_window_are_told_two_years_ahead(void **state) {
        g_autofree char *text = check_times("[Window w]\nOnCalendar=Sun 02:30 Europe/Berlin\nDuration=2h\n",
                                            at(2026, 1, 1, 0, 0));
        g_autofree char *policys = check_times("[Policy]\nTimeZone=America/New_York\n"
                                               "[Window w]\nOnCalendar=*-*-* 02:00\nDuration=2h\n",
                                               at(2026, 1, 1, 0, 0));

        assert_string_equal(
                        text,
                        "main:2: [Window w] does not open at times that clocks leave out when they are set "
                        "forward: 2026-03-29 02:30, 2027-03-28 02:30.\n");
        assert_non_null(strstr(policys, ": 2026-03-08 02:00, 2027-03-14 02:00."));
}

static void a_window_that_opens_anyway_lacks_no_day(void **state) {
        static const char *const texts[] = {
                "[Window w]\nOnCalendar=Sun 02:30\nDuration=2h\n",               /* in UTC */
                "[Window w]\nOnCalendar=Sat 02:30 Europe/Berlin\nDuration=2h\n", /* not on that day */
                "[Window w]\nOnCalendar=Sun 03:00 Europe/Berlin\nDuration=2h\n",
                "[Window w]\nOnCalendar=hourly Europe/Berlin\nDuration=10min\n",
                "[Window w]\nOnCalendar=minutely Europe/Berlin\nDuration=10min\n",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                g_autofree char *text = check_times(texts[i], at(2026, 1, 1, 0, 0));

                assert_string_equal(text, "");
        }
}

static void the_hosts_zone_may_change_while_lfad_runs(void **state) {
        Reading reading;
        const ConfigSection *freeze;

        g_setenv("TZ", "Asia/Tokyo", true);
        reading = read_fine(POLICY "TimeZone=local\n" FREEZE);
        freeze = reading.config->freezes->pdata[0];
        assert_true(freeze->freeze.from_usec == at(2026, 12, 17, 15, 0));
        g_setenv("TZ", "America/New_York", true);
        config_reload_zone(reading.config);
        assert_true(freeze->freeze.from_usec == at(2026, 12, 18, 5, 0));
        g_unsetenv("TZ");
        release(&reading);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_defaults_let_a_person_decide),
                cmocka_unit_test(every_key_is_read),
                cmocka_unit_test(a_date_may_name_its_own_zone_and_the_policys_may_come_later),
                cmocka_unit_test(an_emptied_list_of_windows_means_all_of_them),
                cmocka_unit_test(what_is_wrong_is_refused_with_its_line_and_in_words),
                cmocka_unit_test(automatic_mode_without_a_window_is_a_warning),
                cmocka_unit_test(rules_that_leave_no_version_are_a_warning),
                cmocka_unit_test(what_lies_in_the_past_is_a_warning),
                cmocka_unit_test(windows_in_which_nothing_can_begin_are_told),
                cmocka_unit_test(days_without_their_window_are_told_two_years_ahead),
                cmocka_unit_test(a_window_that_opens_anyway_lacks_no_day),
                cmocka_unit_test(the_hosts_zone_may_change_while_lfad_runs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
