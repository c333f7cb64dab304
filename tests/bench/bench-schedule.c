/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What windows and freezes cost: the gates with many of them, and the way to their next openings. Prints a row a line, for
 * run.py: what, how long, remark. */

#include "core/schedule-facts.h"
#include "util/macros.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define N_SECTIONS 100
#define RUNS 500
#define GUID "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define DAY_USEC (86400 * USEC_PER_SEC)
#define START_USEC (UINT64_C(1767225600) * USEC_PER_SEC) /* 2026-01-01 */

static const uint8_t host_id[HOST_ID_SIZE] = { 1, 2, 3 };

/* Of the processor: what else runs here does not count. */
static uint64_t cpu_usec(void) {
        struct timespec now;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / 1000;
}

static void free_file(void *data) {
        ConfigFile *file = data;

        g_free(file->path);
        g_free(file->text);
        g_free(file);
}

static Config *read_config(char *text) {
        g_autoptr(ConfigFiles) files = g_new(ConfigFiles, 1);
        g_autoptr(GPtrArray) problems = NULL;
        ConfigFile *file = g_new(ConfigFile, 1);
        Config *config;

        files->files = g_ptr_array_new_with_free_func(free_file);
        files->failures = g_ptr_array_new();
        *file = (ConfigFile){ g_strdup("bench"), text, strlen(text) };
        g_ptr_array_add(files->files, file);
        config = config_read(files, &problems);
        g_assert(!config_first_error(problems));
        return config;
}

/* Each night of each weekday in several zones, some on one day of a month or of a year only. */
static void add_window(GString *text, unsigned i) {
        static const char *const zones[] = { "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata",
                                             "Australia/Lord_Howe" };
        static const char *const days[] = {
                "Mon", "Tue,Thu", "Sat,Sun", "*-*-01", "Mon *-*~07/1", "*-02-29"
        };

        g_string_append_printf(text, "[Window w%u]\nOnCalendar=%s %02u:%02u %s\nDuration=%uh\n", i,
                               days[i % G_N_ELEMENTS(days)], i * 7 % 24, i * 13 % 60,
                               zones[i % G_N_ELEMENTS(zones)], 1 + i % 4);
}

static Config *make_config(void) {
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < N_SECTIONS; i++) {
                add_window(text, i);
                g_string_append_printf(text, "[Freeze f%u]\nFrom=%u-%02u-24\nUntil=%u-%02u-26\n", i,
                                       2026 + i / 10, 1 + i % 12, 2026 + i / 10, 1 + i % 12);
        }
        return read_config(g_string_free(text, FALSE));
}

/* As lfad does it for a call that speaks for nobody, which has the most to be judged. */
static void judge(const Config *config, const ImageValues *image, uint64_t at_usec) {
        GateVerdict verdicts[_GATE_MAX];
        GateFacts facts = { .driver_state = DRIVER_ACTIVE,
                            .profile = PROFILE_V3,
                            .image = image,
                            .terms = { .unattended = true },
                            .schedule = { .at_usec = at_usec,
                                          .zone = config->zone,
                                          .need_usec = 50 * USEC_PER_SEC,
                                          .since_last_usec = UINT64_MAX } };

        schedule_fill_facts(config, GUID, &facts.terms, host_id, 0, &facts.schedule);
        gates_run(&facts, verdicts);
}

static void print(const char *what, double usec, const char *remark) {
        char value[32];

        snprintf(value, sizeof(value), "%.3f ms", usec / 1000);
        printf("%s\t%s\t%s\n", what, value, remark);
}

static void measure_gates(const Config *config) {
        uint64_t begin, took, sum = 0, worst = 0;
        char remark[64];
        ImageValues image;

        image_values_init(&image, GUID);
        image.capable = image.pending = 1;
        for (unsigned i = 0; i < RUNS; i++) {
                begin = cpu_usec();
                judge(config, &image, START_USEC + i * DAY_USEC * 365 / RUNS);
                took = cpu_usec() - begin;
                sum += took;
                worst = MAX(worst, took);
        }
        snprintf(remark, sizeof(remark), "mean; worst %.3f ms", (double) worst / 1000);
        print("all gates, 100 windows and 100 freezes", (double) sum / RUNS, remark);
}

/* From moments over ten years: 29 February is up to four years away. */
static void measure_next_openings(const Config *config) {
        uint64_t begin = cpu_usec(), took;

        for (unsigned i = 0; i < RUNS; i++)
                for (unsigned w = 0; w < config->windows->len; w++) {
                        Occurrence occurrence;

                        g_assert(window_find_occurrence(config, config->windows->pdata[w],
                                                        START_USEC + i * DAY_USEC * 3650 / RUNS,
                                                        &occurrence));
                }
        took = cpu_usec() - begin;
        print("the next openings of 100 windows", (double) took / RUNS, "mean, from moments over 10 years");
}

static void measure_all_openings(const Config *config) {
        uint64_t begin = cpu_usec(), end_usec = START_USEC + 3650 * DAY_USEC;
        unsigned count = 0;
        char remark[64];

        for (unsigned w = 0; w < config->windows->len; w++) {
                const ConfigSection *window = config->windows->pdata[w];

                for (uint64_t at = START_USEC; at < end_usec; count++)
                        at = calendar_next(window->window.on_calendar, config->zone, at);
        }
        snprintf(remark, sizeof(remark), "%u openings", count);
        print("all openings of 100 windows in 10 years", (double) (cpu_usec() - begin), remark);
}

int main(void) {
        g_autoptr(Config) config = make_config();

        measure_gates(config);
        measure_next_openings(config);
        measure_all_openings(config);
        return 0;
}
