/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is ahead: each kind of event, their order, and their bounds. The gates are a stand-in that lets images go from the
 * slot that the real calendar gives them. */

#include "core/plan.h"
#include "unit.h"

#define RMM "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define BL31 "47d4086d-4cfe-9846-9b95-2950cbbd5a00"
#define SECOND UINT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define NIGHTS "[Window nights]\nOnCalendar=02:30 Europe/Berlin\nDuration=2h\n"
#define AUTOMATIC "[Policy]\nMode=automatic\n"

static const uint8_t host_id[HOST_ID_SIZE] = "sixteen bytes..";

typedef struct World {
        Config *config;
        State *state;
        PlanImage images[3];
        unsigned n_images;
        uint64_t from, until;
        bool no_host_id, config_failed;
        GPtrArray *events;
} World;

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
        assert_null(config_first_error(problems));
        return config;
}

/* UTC. */
static uint64_t at(int year, int month, int day, int hour, int minute) {
        g_autoptr(GDateTime) time = g_date_time_new_utc(year, month, day, hour, minute, 0);

        return (uint64_t) g_date_time_to_unix(time) * SECOND;
}

static World world_new(const char *config) {
        World world = { .config = read_config(config), .state = state_new() };

        world.from = at(2026, 11, 23, 12, 0);
        world.until = world.from + 3 * DAY;
        return world;
}

static void world_clear(World *world) {
        g_ptr_array_unref(world->events);
        config_free(world->config);
        state_free(world->state);
}

static void add_image(World *world, const char *guid, bool automatic, uint32_t job) {
        PlanImage *image = &world->images[world->n_images++];

        g_strlcpy(image->guid, guid, sizeof(image->guid));
        g_strlcpy(image->from, "1.0", sizeof(image->from));
        g_strlcpy(image->to, "2.0", sizeof(image->to));
        image->automatic = automatic;
        image->job = job;
}

static void judge(const ForesightQuestion *question, GateVerdict verdicts[static _GATE_MAX],
                  void *userdata) {
        const World *world = userdata;
        uint64_t slot = schedule_find_slot(world->config, question->guid, host_id, question->at_usec, 0,
                                           NULL);

        memset(verdicts, 0, sizeof(GateVerdict) * _GATE_MAX);
        if (slot <= question->at_usec)
                return;
        verdicts[GATE_SLOT] = (GateVerdict){
                .answer = GATE_DEFER,
                .error = LFA_ERROR_SLOT_NOT_REACHED,
                .not_before_usec = slot == UINT64_MAX ? 0 : slot,
                .text = "not yet",
        };
}

static void plan(World *world) {
        PlanRequest request = {
                .config = world->config,
                .state = world->state,
                .config_failed = world->config_failed,
                .host_id = world->no_host_id ? NULL : host_id,
                .from_usec = world->from,
                .until_usec = world->until,
                .images = world->images,
                .n_images = world->n_images,
                .judge = judge,
                .userdata = world,
        };

        world->events = plan_new(&request);
}

static const PlanEvent *event(const World *world, unsigned i) {
        assert_in_range(i, 0, world->events->len - 1);
        return world->events->pdata[i];
}

static void assert_event(const PlanEvent *event, PlanEventType type, const char *name, uint64_t start,
                         uint64_t end) {
        assert_int_equal(event->type, type);
        assert_string_equal(event->name, name);
        assert_true(event->start_usec == start);
        assert_true(event->end_usec == end);
}

static void windows_are_told_with_the_slot_in_each(void **state) {
        World world = world_new(NIGHTS "[Window noon]\nOnCalendar=2026-11-24 12:00\nDuration=5min\n");
        uint64_t first = at(2026, 11, 24, 1, 30);

        plan(&world);
        assert_int_equal(world.events->len, 5);
        assert_event(event(&world, 0), PLAN_REMARK, "automatic-off", 0, 0);
        assert_event(event(&world, 1), PLAN_WINDOW, "nights", first, first + 2 * HOUR);
        assert_event(event(&world, 2), PLAN_WINDOW, "noon", at(2026, 11, 24, 12, 0),
                     at(2026, 11, 24, 12, 5));
        assert_event(event(&world, 3), PLAN_WINDOW, "nights", first + DAY, first + DAY + 2 * HOUR);
        assert_event(event(&world, 4), PLAN_WINDOW, "nights", first + 2 * DAY, first + 2 * DAY + 2 * HOUR);
        assert_in_range(event(&world, 1)->slot_usec, first, first + 105 * 60 * SECOND);
        assert_true(event(&world, 3)->slot_usec == event(&world, 1)->slot_usec + DAY);
        assert_true(event(&world, 2)->slot_usec == at(2026, 11, 24, 12, 0)); /* too short for a choice */
        world_clear(&world);
}

static void a_window_that_is_open_is_told(void **state) {
        World world = world_new(NIGHTS);

        world.from = at(2026, 11, 24, 2, 0);
        world.until = world.from;
        plan(&world);
        assert_int_equal(world.events->len, 2);
        assert_event(event(&world, 1), PLAN_WINDOW, "nights", at(2026, 11, 24, 1, 30),
                     at(2026, 11, 24, 3, 30));
        world_clear(&world);
}

static void freezes_and_holds_are_told(void **state) {
        World world = world_new("[Freeze past]\nFrom=2026-11-01\nUntil=2026-11-23 12:00\n"
                                "[Freeze now]\nFrom=2026-11-20\nUntil=2026-11-24\n"
                                "[Freeze soon]\nFrom=2026-11-25\nUntil=2026-11-26\n"
                                "[Freeze later]\nFrom=2026-12-18\nUntil=2027-01-04\n");
        Hold all = { .reason = "migration", .since_usec = world.from - HOUR };
        Hold one = { .guid = RMM,
                     .reason = "tests",
                     .since_usec = world.from - DAY,
                     .until_usec = world.from + HOUR };
        Hold over = { .guid = BL31, .since_usec = 1, .until_usec = world.from };

        g_array_append_val(world.state->holds, all);
        g_array_append_val(world.state->holds, one);
        g_array_append_val(world.state->holds, over);
        plan(&world);
        assert_int_equal(world.events->len, 6);
        assert_event(event(&world, 0), PLAN_REMARK, "automatic-off", 0, 0);
        assert_event(event(&world, 1), PLAN_REMARK, "held", 0, 0);
        assert_event(event(&world, 2), PLAN_FREEZE, "now", at(2026, 11, 20, 0, 0), at(2026, 11, 24, 0, 0));
        assert_event(event(&world, 3), PLAN_HOLD, "", world.from - DAY, world.from + HOUR);
        assert_string_equal(event(&world, 3)->guid, RMM);
        assert_event(event(&world, 4), PLAN_HOLD, "", world.from - HOUR, UINT64_MAX);
        assert_string_equal(event(&world, 4)->guid, "");
        assert_string_equal(event(&world, 4)->text, "migration");
        assert_event(event(&world, 5), PLAN_FREEZE, "soon", at(2026, 11, 25, 0, 0), at(2026, 11, 26, 0, 0));
        world_clear(&world);
}

static void an_opening_in_a_freeze_says_so(void **state) {
        World world = world_new(NIGHTS "[Freeze f]\nFrom=2026-11-25\nUntil=2026-11-26\n");
        unsigned frozen = 0, all = 0;

        plan(&world);
        for (unsigned i = 0; i < world.events->len; i++) {
                const PlanEvent *opening = event(&world, i);

                if (opening->type != PLAN_WINDOW)
                        continue;
                all++;
                if (strcmp(opening->text, "Freeze 'f' holds then.") == 0) {
                        frozen++;
                        assert_in_range(opening->slot_usec, at(2026, 11, 25, 0, 0),
                                        at(2026, 11, 26, 0, 0) - 1);
                } else
                        assert_string_equal(opening->text, "");
        }
        assert_int_equal(frozen, 1);
        assert_true(all > 1);
        world_clear(&world);
}

static void a_day_on_which_a_window_does_not_open_is_told(void **state) {
        World world = world_new(NIGHTS);

        world.from = at(2027, 3, 27, 12, 0);
        world.until = world.from + DAY;
        plan(&world);
        assert_int_equal(world.events->len, 2);
        assert_int_equal(event(&world, 1)->type, PLAN_MISSING_START);
        assert_string_equal(event(&world, 1)->name, "nights");
        assert_in_range(event(&world, 1)->start_usec, at(2027, 3, 28, 1, 0), at(2027, 3, 28, 1, 30));
        assert_non_null(strstr(event(&world, 1)->text, "02:30:00 on 2027-03-28"));
        world_clear(&world);
}

static void activations_are_told_and_why_there_are_none(void **state) {
        World world = world_new(AUTOMATIC NIGHTS "[Window never]\nOnCalendar=2026-11-20\nDuration=1h\n"
                                                 "[Image bl31]\nGuid=" BL31 "\nWindows=never\n");
        const PlanEvent *found;

        add_image(&world, RMM, true, 0);
        add_image(&world, BL31, true, 0);
        add_image(&world, "00000000-6d08-4447-a412-351145029b53", false, 0);
        plan(&world);
        assert_int_equal(world.events->len, 6);
        found = event(&world, 1);
        assert_event(found, PLAN_ACTIVATION, "nights", event(&world, 0)->slot_usec, 0);
        assert_string_equal(found->guid, RMM);
        assert_string_equal(found->from, "1.0");
        assert_string_equal(found->to, "2.0");
        found = event(&world, 4); /* at the end: nobody knows when */
        assert_event(found, PLAN_NO_ACTIVATION, "", 0, 0);
        assert_string_equal(found->guid, BL31);
        assert_string_equal(found->gate, "slot");
        assert_int_equal(found->error, LFA_ERROR_SLOT_NOT_REACHED);
        assert_string_equal(found->text, "not yet");
        found = event(&world, 5);
        assert_int_equal(found->type, PLAN_NO_ACTIVATION);
        assert_string_equal(found->gate, "");
        assert_non_null(strstr(found->text, "Mode=manual"));
        world_clear(&world);
}

static void what_comes_later_or_has_a_job_is_no_activation(void **state) {
        World world = world_new(AUTOMATIC NIGHTS);

        world.until = world.from + HOUR;
        add_image(&world, RMM, true, 0);
        add_image(&world, BL31, true, 7);
        plan(&world);
        assert_int_equal(world.events->len, 2);
        assert_string_equal(event(&world, 0)->gate, "slot");
        assert_true(event(&world, 0)->start_usec > world.until);
        assert_string_equal(event(&world, 1)->guid, BL31);
        assert_non_null(strstr(event(&world, 1)->text, "Job 7"));
        world_clear(&world);
}

static void what_decides_over_all_of_it_is_remarked(void **state) {
        World world = world_new(AUTOMATIC);

        plan(&world);
        assert_int_equal(world.events->len, 1);
        assert_event(event(&world, 0), PLAN_REMARK, "no-window", 0, 0);
        world_clear(&world);

        world = world_new("[Image rmm]\nGuid=" RMM "\nMode=automatic\n" NIGHTS);
        world.until = world.from;
        world.no_host_id = true;
        plan(&world);
        assert_int_equal(world.events->len, 1);
        assert_event(event(&world, 0), PLAN_REMARK, "no-machine-id", 0, 0);
        world_clear(&world);

        world = world_new("");
        world.config_failed = true;
        plan(&world);
        assert_int_equal(world.events->len, 1);
        assert_event(event(&world, 0), PLAN_REMARK, "config-invalid", 0, 0);
        world_clear(&world);
}

static void openings_are_bounded(void **state) {
        World world = world_new(AUTOMATIC "[Window a]\nOnCalendar=*:*\nDuration=30s\n"
                                          "[Window b]\nOnCalendar=*:*:15\nDuration=30s\n");

        world.until = world.from + PLAN_SPAN_MAX_USEC;
        plan(&world);
        assert_int_equal(world.events->len, PLAN_OPENINGS_MAX + 1);
        assert_event(event(&world, 0), PLAN_REMARK, "incomplete", 0, 0);
        assert_true(event(&world, PLAN_OPENINGS_MAX)->start_usec <
                    world.from + 9 * HOUR); /* both, side by side */
        world_clear(&world);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(windows_are_told_with_the_slot_in_each),
                cmocka_unit_test(a_window_that_is_open_is_told),
                cmocka_unit_test(freezes_and_holds_are_told),
                cmocka_unit_test(an_opening_in_a_freeze_says_so),
                cmocka_unit_test(a_day_on_which_a_window_does_not_open_is_told),
                cmocka_unit_test(activations_are_told_and_why_there_are_none),
                cmocka_unit_test(what_comes_later_or_has_a_job_is_no_activation),
                cmocka_unit_test(what_decides_over_all_of_it_is_remarked),
                cmocka_unit_test(openings_are_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
