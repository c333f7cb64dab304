/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the tree is read and which readings count: the scanner with a real event loop, and a shell script in
 * the place of lfad-worker that says what the test wants it to say. */

#include "daemon/scanner.h"
#include "unit.h"
#include "util/log.h"
#include "util/macros.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define GUID "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define GUID_2 "47d4086d-4cfe-9846-9b95-2950cbbd5a00"
#define MSEC USEC_PER_MSEC
#define PATIENCE (50 * USEC_PER_SEC) /* no wait ends with this unless something is wrong */
#define HOUR (3600 * USEC_PER_SEC)

/* Counts its runs, then does what answer-N says, or answer-last where there is none. */
static const char script[] =
                "#!/bin/sh\n"
                "dir=${0%/*}\n"
                "read n <\"$dir/count\"\n"
                "n=$((n + 1))\n"
                "echo $n >\"$dir/count.new\"\n"
                "mv \"$dir/count.new\" \"$dir/count\"\n"
                "if [ -e \"$dir/answer-$n\" ]; then . \"$dir/answer-$n\"; else . \"$dir/answer-last\"; fi\n";

/* Waits until the test lets it go on. */
static const char pause_line[] = "read go <\"$dir/gate\"\n";

typedef struct World {
        TempFolder *folder;
        char *worker_path;
        WorkerSettings settings;
        sd_event *event;
        Scanner *scanner;
        Clock clock;
        int64_t clock_offset;
        uint64_t stands_at; /* the scanner's clock; 0: it goes */
        int gate;
        GPtrArray *published; /* Tree */
        unsigned polled;
} World;

typedef struct Wait {
        unsigned calls;
        int error;
        unsigned published; /* how many readings had been published when it was called */
        const World *world;
} Wait;

static uint64_t shifted_realtime(void *userdata) {
        return clock_realtime(&system_clock);
}

static uint64_t shifted_monotonic(void *userdata) {
        const World *world = userdata;

        return world->stands_at > 0 ? world->stands_at
                                    : clock_monotonic(&system_clock) + (uint64_t) world->clock_offset;
}

static void on_tree_read(const Tree *tree, void *userdata) {
        g_ptr_array_add(((World *) userdata)->published, tree_copy(tree));
}

static void on_polled(void *userdata) {
        ((World *) userdata)->polled++;
}

static const ScannerCallbacks callbacks = { .tree_read = on_tree_read, .polled = on_polled };

static void on_answered(int error, void *userdata) {
        Wait *wait = userdata;

        wait->calls++;
        wait->error = error;
        wait->published = wait->world->published->len;
}

static void free_tree(void *tree) {
        tree_free(tree);
}

static void start_scanner(World *world, uint64_t poll_usec) {
        world->scanner = scanner_new(world->event, &world->settings, &world->clock, poll_usec, &callbacks,
                                     world);
}

static int setup(void **state) {
        World *world = g_new0(World, 1);
        g_autofree char *gate = NULL;

        world->folder = temp_folder_new();
        world->clock = (Clock){ shifted_realtime, shifted_monotonic, world };
        world->worker_path = temp_path(world->folder, "worker");
        world->settings = (WorkerSettings){ world->worker_path, "/sys" };
        temp_write_text(world->folder, "worker", script);
        assert_int_equal(chmod(world->worker_path, 0755), 0);
        temp_write_text(world->folder, "count", "0\n");
        gate = temp_path(world->folder, "gate");
        assert_int_equal(mkfifo(gate, 0600), 0);
        world->gate = open(gate, O_RDWR | O_CLOEXEC);
        assert_true(world->gate >= 0);
        world->published = g_ptr_array_new_with_free_func(free_tree);
        assert_true(sd_event_new(&world->event) >= 0);
        start_scanner(world, HOUR);
        *state = world;
        return 0;
}

static int teardown(void **state) {
        World *world = *state;

        scanner_free(world->scanner);
        sd_event_unref(world->event);
        g_ptr_array_unref(world->published);
        safe_close(world->gate);
        temp_folder_free(world->folder);
        g_free(world->worker_path);
        g_free(world);
        return 0;
}

/* --- what the worker says --- */

static void add_line(GString *text, json_object *answer) {
        g_string_append_printf(text, "echo '%s'\n",
                               json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
        json_object_put(answer);
}

static ImageValues image_with(const char *guid, const char *version) {
        ImageValues values;

        image_values_init(&values, guid);
        values.capable = values.pending = values.cpu_rendezvous = values.force_cpu_rendezvous = 1;
        values.may_reset_cpu = values.auto_activate = 0;
        strcpy(values.current_version, version);
        return values;
}

static ImageValues stale_image(const char *guid) {
        ImageValues values = image_with(guid, "");

        values.capable = values.pending = values.cpu_rendezvous = 0;
        return values;
}

/* images: until one without a GUID */
static char *saying(const ImageValues *images) {
        g_autoptr(Tree) tree = tree_new();
        GString *text = g_string_new(NULL);

        tree->driver_state = DRIVER_ACTIVE;
        tree->profile = PROFILE_NVNEW;
        add_line(text, answer_from_driver(tree));
        for (; images->guid[0]; images++)
                add_line(text, answer_from_image(images));
        add_line(text, answer_from_error(0));
        return g_string_free(text, FALSE);
}

/* One image with this version. */
static char *saying_version(const char *version) {
        const ImageValues images[2] = { image_with(GUID, version) };

        return saying(images);
}

static char *saying_stale(void) {
        const ImageValues images[2] = { stale_image(GUID) };

        return saying(images);
}

static char *saying_nothing_there(void) {
        const ImageValues images[1] = { 0 };

        return saying(images);
}

/* Run number n of the worker, 0 = every one that is not set; takes text. */
static void will_do(const World *world, unsigned n, const char *before, char *text) {
        g_autofree char *name = n > 0 ? g_strdup_printf("answer-%u", n) : g_strdup("answer-last");
        g_autofree char *all = g_strconcat(before, text, NULL);

        temp_write_text(world->folder, name, all);
        g_free(text);
}

static void let_go(const World *world) {
        assert_int_equal(write(world->gate, "\n", 1), 1);
}

/* --- looking at what happens --- */

static unsigned runs(const World *world) {
        g_autofree char *text = temp_read(world->folder, "count", NULL);

        return (unsigned) strtoul(text, NULL, 10);
}

static const char *version_of(const World *world, unsigned i) {
        const ImageValues *image;

        assert_true(i < world->published->len);
        image = tree_find(world->published->pdata[i], GUID);
        return image ? image->current_version : "absent";
}

static void turn(const World *world) {
        assert_true(sd_event_run(world->event, 5 * MSEC) >= 0);
}

/* Runs the loop until the condition holds; fails the test when it never does. */
#define run_until(world, condition)                                                                         \
        do {                                                                                                \
                uint64_t deadline_ = clock_monotonic(&system_clock) + PATIENCE;                             \
                while (!(condition)) {                                                                      \
                        if (clock_monotonic(&system_clock) > deadline_)                                     \
                                fail_msg("never: %s", #condition);                                          \
                        turn(world);                                                                        \
                }                                                                                           \
        } while (0)

/* For what must not happen: long enough for everything that is due. */
static void run_for(const World *world, uint64_t usec) {
        uint64_t end = clock_monotonic(&system_clock) + usec;

        while (clock_monotonic(&system_clock) < end)
                turn(world);
}

static void publish_first(World *world, const char *version) {
        will_do(world, 1, "", saying_version(version));
        scanner_scan(world->scanner);
        run_until(world, world->published->len == 1);
}

/* --- the tests --- */

static void first_reading_is_published(void **state) {
        World *world = *state;
        const ImageValues images[3] = { image_with(GUID, "1.0"), image_with(GUID_2, "2.0") };
        const Tree *tree;

        will_do(world, 1, "", saying(images));
        assert_false(scanner_has_read(world->scanner));
        scanner_scan(world->scanner);
        assert_false(scanner_has_read(world->scanner));
        run_until(world, world->published->len == 1);
        assert_true(scanner_has_read(world->scanner));
        tree = world->published->pdata[0];
        assert_int_equal(tree->driver_state, DRIVER_ACTIVE);
        assert_int_equal(tree->profile, PROFILE_NVNEW);
        assert_int_equal(tree->images->len, 2);
        assert_string_equal(tree_find(tree, GUID_2)->current_version, "2.0"); /* it was sorted */
        assert_string_equal(tree_find(tree, GUID)->current_version, "1.0");
}

static void a_prepared_reading_is_the_one_that_is_waited_for(void **state) {
        World *world = *state;
        Wait wait = { .world = world };
        uint64_t asked = clock_monotonic(&world->clock);

        will_do(world, 0, pause_line, saying_version("1.0"));
        scanner_prepare(world->scanner, asked);
        run_until(world, runs(world) == 1);
        scanner_prepare(world->scanner, asked); /* it is under way */
        assert_false(scanner_wait(world->scanner, asked, on_answered, &wait));
        let_go(world);
        run_until(world, wait.calls == 1);
        assert_int_equal(wait.error, 0);
        scanner_prepare(world->scanner, asked); /* it is there */
        run_for(world, 300 * MSEC);
        assert_int_equal(runs(world), 1);
}

static void requests_while_a_scan_runs_are_one_more_scan(void **state) {
        World *world = *state;

        will_do(world, 0, pause_line, saying_version("1.0"));
        scanner_scan(world->scanner);
        run_until(world, runs(world) == 1);
        for (int i = 0; i < 5; i++)
                scanner_scan(world->scanner);
        let_go(world);
        run_until(world, runs(world) == 2);
        assert_int_equal(world->published->len, 1);
        let_go(world);
        run_until(world, world->published->len == 2);
        run_for(world, 300 * MSEC);
        assert_int_equal(runs(world), 2);
}

static void dirt_is_scanned_once_it_has_been_quiet(void **state) {
        World *world = *state;
        bool was_quiet = false; /* this machine was so busy that it was rightly scanned before */
        uint64_t last = 0;

        will_do(world, 0, "", saying_version("1.0"));
        for (int i = 0; i < 4 && !was_quiet; i++) {
                last = clock_monotonic(&system_clock);
                scanner_mark_dirty(world->scanner, 100 * MSEC);
                run_for(world, 30 * MSEC);
                was_quiet = clock_monotonic(&system_clock) - last >= 100 * MSEC;
                if (!was_quiet)
                        assert_int_equal(runs(world), 0);
        }
        run_until(world, world->published->len == 1);
        assert_true(clock_monotonic(&system_clock) - last >= 100 * MSEC);
        run_for(world, 300 * MSEC);
        assert_int_equal(runs(world), 1);
}

static void dirt_that_never_ends_is_scanned_nevertheless(void **state) {
        World *world = *state;
        uint64_t begin = clock_monotonic(&system_clock), longest = 0;

        will_do(world, 0, "", saying_version("1.0"));
        while (world->published->len == 0) {
                uint64_t marked = clock_monotonic(&system_clock);

                assert_true(marked - begin < PATIENCE);
                scanner_mark_dirty(world->scanner, 60 * MSEC);
                turn(world);
                longest = MAX(longest, clock_monotonic(&system_clock) - marked);
        }
        if (longest < 60 * MSEC) /* else it was quiet meanwhile */
                assert_true(clock_monotonic(&system_clock) - begin >= 5 * 60 * MSEC);
}

static void a_plain_change_is_published_at_once(void **state) {
        World *world = *state;

        publish_first(world, "1.0");
        will_do(world, 2, "", saying_version("1.1"));
        scanner_scan(world->scanner);
        run_until(world, world->published->len == 2);
        assert_string_equal(version_of(world, 1), "1.1");
        assert_int_equal(runs(world), 2);
}

static void a_doubtful_change_counts_when_a_second_reading_agrees(void **state) {
        World *world = *state;
        uint64_t begin;

        publish_first(world, "1.0");
        will_do(world, 0, "", saying_nothing_there());
        begin = clock_monotonic(&system_clock);
        scanner_scan(world->scanner);
        run_until(world, world->published->len == 2);
        assert_int_equal(runs(world), 3);
        assert_true(clock_monotonic(&system_clock) - begin >= 200 * MSEC); /* the second one came later */
        assert_string_equal(version_of(world, 1), "absent");
}

static void a_flash_that_is_gone_in_the_second_reading_is_never_published(void **state) {
        World *world = *state;

        publish_first(world, "1.0");
        will_do(world, 2, "", saying_stale());
        will_do(world, 3, "", saying_version("1.0"));
        scanner_scan(world->scanner);
        run_until(world, world->published->len == 2);
        assert_int_equal(runs(world), 3);
        assert_string_equal(version_of(world, 1), "1.0");
}

static void a_second_reading_with_another_doubt_is_read_a_third_time(void **state) {
        World *world = *state;

        publish_first(world, "1.0");
        will_do(world, 2, "", saying_stale());
        will_do(world, 3, "", saying_nothing_there());
        will_do(world, 4, "", saying_nothing_there());
        scanner_scan(world->scanner);
        run_until(world, world->published->len == 2);
        assert_int_equal(runs(world), 4);
        assert_string_equal(version_of(world, 1), "absent");
}

static void doubt_that_never_ends_is_published_in_the_end(void **state) {
        World *world = *state;
        ImageValues images[2] = { stale_image(GUID) };
        unsigned seen;

        publish_first(world, "1.0");
        for (unsigned i = 2; i < 30; i++) {
                snprintf(images[0].name, sizeof(images[0].name), "%u", i);
                will_do(world, i, "", saying(images));
        }
        for (seen = 2; seen < 30 && world->published->len == 1; seen++) {
                scanner_scan(world->scanner); /* sooner than it would by itself */
                run_until(world, runs(world) >= seen);
                run_for(world, 20 * MSEC);
        }
        run_until(world, world->published->len >= 2); /* what follows it is no change to doubt */
        assert_true(runs(world) >= 4 && runs(world) < 20);
}

static void a_first_reading_in_the_middle_of_a_refresh_does_not_count(void **state) {
        World *world = *state;

        will_do(world, 1, "", saying_stale());
        will_do(world, 2, "", saying_version("1.0"));
        scanner_scan(world->scanner);
        run_until(world, world->published->len == 1);
        assert_int_equal(runs(world), 2);
        assert_string_equal(version_of(world, 0), "1.0");
}

static void what_was_published_already_needs_no_waiting(void **state) {
        World *world = *state;
        uint64_t before = clock_monotonic(&world->clock);
        Wait wait = { .world = world };

        publish_first(world, "1.0");
        assert_true(scanner_wait(world->scanner, before, on_answered, &wait));
        assert_true(scanner_wait(world->scanner, 0, on_answered, &wait));
        run_for(world, 50 * MSEC);
        assert_int_equal(wait.calls, 0);
        assert_int_equal(runs(world), 1);
}

static void waiters_get_a_reading_that_began_after_they_asked(void **state) {
        World *world = *state;
        Wait early = { .world = world }, late = { .world = world };

        will_do(world, 1, pause_line, saying_version("1.0"));
        will_do(world, 2, "", saying_version("1.1"));
        assert_false(scanner_wait(world->scanner, 0, on_answered, &early));
        run_until(world, runs(world) == 1);
        assert_false(scanner_wait(world->scanner, clock_monotonic(&world->clock), on_answered, &late));
        let_go(world);
        run_until(world, early.calls == 1);
        assert_int_equal(early.error, 0);
        assert_int_equal(early.published, 1);
        assert_int_equal(late.calls, 0);
        run_until(world, late.calls == 1);
        assert_int_equal(late.error, 0);
        assert_int_equal(late.published, 2);
        assert_string_equal(version_of(world, 1), "1.1");
        run_for(world, 50 * MSEC);
        assert_int_equal(early.calls + late.calls, 2); /* once each */
}

static void waiters_wait_for_a_doubtful_reading_to_be_confirmed(void **state) {
        World *world = *state;
        Wait wait = { .world = world };

        publish_first(world, "1.0");
        will_do(world, 2, "", saying_stale());
        will_do(world, 3, "", saying_version("1.0"));
        assert_false(scanner_wait(world->scanner, clock_monotonic(&world->clock), on_answered, &wait));
        run_until(world, wait.calls == 1);
        assert_int_equal(wait.error, 0);
        assert_int_equal(wait.published, 2);
        assert_int_equal(runs(world), 3);
}

static void a_scan_that_failed_answers_only_those_who_asked_before_it_began(void **state) {
        World *world = *state;
        Wait early = { .world = world }, late = { .world = world };

        will_do(world, 1, pause_line, g_strdup("exit 1\n"));
        will_do(world, 2, "", saying_version("1.0"));
        assert_false(scanner_wait(world->scanner, 0, on_answered, &early));
        run_until(world, runs(world) == 1);
        assert_false(scanner_wait(world->scanner, clock_monotonic(&world->clock), on_answered, &late));
        let_go(world);
        run_until(world, early.calls == 1 && late.calls == 1);
        assert_int_equal(early.error, -EBADMSG);
        assert_int_equal(late.error, 0);
        assert_int_equal(late.published, 1);
}

static void a_second_look_that_comes_too_soon_confirms_nothing(void **state) {
        World *world = *state;

        publish_first(world, "1.0");
        will_do(world, 2, "", saying_stale());
        will_do(world, 3, "", saying_stale());
        will_do(world, 0, "", saying_version("1.0"));
        world->stands_at = clock_monotonic(&system_clock);
        scanner_scan(world->scanner);
        run_until(world, runs(world) == 2);
        run_for(world, 20 * MSEC);
        world->stands_at += 20 * MSEC;
        scanner_scan(world->scanner); /* milliseconds after the first: the same refresh */
        run_until(world, runs(world) == 3);
        world->stands_at = 0;
        run_until(world, world->published->len == 2);
        assert_string_equal(version_of(world, 1), "1.0");
}

static void many_who_ask_share_one_reading(void **state) {
        World *world = *state;
        Wait waits[20];

        will_do(world, 1, pause_line, saying_version("1.0"));
        will_do(world, 0, "", saying_version("1.0"));
        for (size_t i = 0; i < G_N_ELEMENTS(waits); i++) {
                waits[i] = (Wait){ .world = world };
                assert_false(scanner_wait(world->scanner, 0, on_answered, &waits[i]));
        }
        let_go(world);
        for (size_t i = 0; i < G_N_ELEMENTS(waits); i++)
                run_until(world, waits[i].calls == 1);
        run_for(world, 300 * MSEC);
        assert_int_equal(runs(world), 1);
}

static void who_waits_inside_lfad_is_served_at_once(void **state) {
        World *world = *state;
        Wait wait = { .world = world };
        uint64_t begin;

        publish_first(world, "1.0");
        will_do(world, 0, "", saying_version("1.0"));
        begin = clock_monotonic(&system_clock);
        assert_false(scanner_wait(world->scanner, begin, on_answered, &wait));
        run_until(world, runs(world) == 2);
        run_until(world, wait.calls == 1);
}

static void who_asks_from_outside_is_made_to_wait_a_little(void **state) {
        World *world = *state;
        Wait first = { .world = world }, second = { .world = world };
        uint64_t begin = clock_monotonic(&system_clock);

        will_do(world, 0, "", saying_version("1.0"));
        assert_true(!scanner_ask(world->scanner, 0, on_answered, &first));
        run_until(world, first.calls == 1);
        assert_false(scanner_ask(world->scanner, clock_monotonic(&system_clock), on_answered, &second));
        run_until(world, second.calls == 1);
        assert_int_equal(second.error, 0);
        assert_true(clock_monotonic(&system_clock) - begin >= 150 * MSEC);
        assert_int_equal(runs(world), 2);
        assert_true(scanner_ask(world->scanner, 0, on_answered, &second)); /* there is one already */
}

static void many_who_ask_from_outside_share_one_reading(void **state) {
        World *world = *state;
        Wait waits[20];

        publish_first(world, "1.0");
        will_do(world, 0, "", saying_version("1.0"));
        world->stands_at = clock_monotonic(&system_clock); /* else they are many on fast machines alone */
        for (size_t i = 0; i < G_N_ELEMENTS(waits); i++) {
                waits[i] = (Wait){ .world = world };
                assert_false(scanner_ask(world->scanner, world->stands_at, on_answered, &waits[i]));
        }
        world->stands_at = 0;
        for (size_t i = 0; i < G_N_ELEMENTS(waits); i++)
                run_until(world, waits[i].calls == 1);
        assert_int_equal(runs(world), 2);
}

/* Time is moved on instead of spent: after each answer the pause is over at once, so that only the limit on
 * their number is left. */
static void asking_without_end_is_limited_to_one_reading_a_second(void **state) {
        World *world = *state;
        uint64_t begin = clock_monotonic(&world->clock), passed;
        unsigned answered = 0;

        will_do(world, 0, "", saying_version("1.0"));
        for (uint64_t virtual_usec = 0; virtual_usec < 5 * USEC_PER_SEC; virtual_usec += 250 * MSEC) {
                Wait wait = { .world = world };

                if (!scanner_ask(world->scanner, clock_monotonic(&world->clock), on_answered, &wait)) {
                        if (answered == 0)
                                run_until(world, wait.calls > 0);
                        else
                                run_for(world, 60 * MSEC);
                        answered += wait.calls;
                        scanner_forget(world->scanner, &wait);
                }
                world->clock_offset += 190 * MSEC;
        }
        passed = clock_monotonic(&world->clock) - begin; /* 5 s, or more on a slow machine */
        assert_true(answered > 0);
        assert_true(runs(world) <= 10 + 1 + passed / USEC_PER_SEC); /* the burst, and one for each second */
}

static void a_scan_that_an_activation_overlapped_does_not_count(void **state) {
        World *world = *state;
        Wait wait = { .world = world };

        publish_first(world, "1.0");
        will_do(world, 2, pause_line, saying_version("6.6"));
        will_do(world, 3, "", saying_version("1.1"));
        assert_false(scanner_wait(world->scanner, clock_monotonic(&world->clock), on_answered, &wait));
        run_until(world, runs(world) == 2);
        scanner_hold(world->scanner, true);
        let_go(world);
        run_for(world, 200 * MSEC);
        scanner_scan(world->scanner);
        run_for(world, 100 * MSEC);
        assert_int_equal(runs(world), 2); /* none is started while held */
        assert_int_equal(world->published->len, 1);
        assert_int_equal(wait.calls, 0);
        scanner_hold(world->scanner, false);
        run_until(world, wait.calls == 1);
        assert_int_equal(wait.error, 0);
        assert_string_equal(version_of(world, 1), "1.1");
        assert_int_equal(world->published->len, 2);
}

static void holding_while_nothing_runs_and_nothing_is_asked_scans_nothing(void **state) {
        World *world = *state;

        publish_first(world, "1.0");
        scanner_hold(world->scanner, true);
        scanner_hold(world->scanner, false);
        run_for(world, 100 * MSEC);
        assert_int_equal(runs(world), 1);
}

static void a_reading_that_failed_is_an_error_and_the_last_good_one_stays(void **state) {
        static const struct {
                const char *title, *before, *after; /* around a good answer; NULL: no answer between them */
                int error;
        } rows[] = {
                { "garbage", "echo garbage\n", "", -EBADMSG },
                { "garbage at the end", "", "echo '{}'\n", -EBADMSG },
                { "a last line without its end", "", "printf '{\"type\":\"writing\"}'\n", -EBADMSG },
                { "a line above the limit", "printf '%05000d\\n' 0\n", "", -EBADMSG },
                { "a long line without end", "", "printf '%05000d' 0\n", -EBADMSG },
                { "exit status", "", "exit 1\n", -EBADMSG },
                { "killed", "", "kill -9 $$\n", -EBADMSG },
                { "no end", "exit 0\n", "", -EBADMSG },
                { "an empty answer", "exec true\n", "", -EBADMSG },
                { "said that it failed", "echo '{\"type\":\"end\",\"error\":13}'\nexit 0\n", "", -EACCES },
        };
        World *world = *state;

        publish_first(world, "1.0");
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                Wait wait = { .world = world };
                g_autofree char *good = saying_version("6.6");

                will_do(world, i + 2, rows[i].before, g_strconcat(good, rows[i].after, NULL));
                assert_false(scanner_wait(world->scanner, clock_monotonic(&world->clock), on_answered,
                                          &wait));
                run_until(world, wait.calls == 1);
                if (wait.error != rows[i].error)
                        fail_msg("%s: %d", rows[i].title, wait.error);
                assert_int_equal(world->published->len, 1);
                assert_true(scanner_wait(world->scanner, 0, on_answered, &wait));
        }
        will_do(world, 0, "", saying_version("1.0")); /* and all is well again */
        scanner_scan(world->scanner);
        run_until(world, world->published->len == 2);
}

static void a_worker_that_cannot_be_started_is_an_error_and_no_end(void **state) {
        World *world = *state;
        Wait wait = { .world = world };

        publish_first(world, "1.0");
        will_do(world, 0, "", saying_version("1.1"));
        world->settings.path = "/nonexistent/lfad-worker";
        assert_false(scanner_wait(world->scanner, clock_monotonic(&world->clock), on_answered, &wait));
        run_until(world, wait.calls == 1);
        assert_int_equal(wait.error, -ENOENT);
        assert_int_equal(world->published->len, 1);
        world->settings.path = world->worker_path;
        scanner_scan(world->scanner);
        run_until(world, world->published->len == 2);
        assert_string_equal(version_of(world, 1), "1.1");
}

static void who_was_forgotten_is_not_called(void **state) {
        World *world = *state;
        Wait forgotten = { .world = world }, other = { .world = world };

        will_do(world, 0, pause_line, saying_version("1.0"));
        assert_false(scanner_wait(world->scanner, 0, on_answered, &forgotten));
        assert_false(scanner_wait(world->scanner, 0, on_answered, &other));
        assert_false(scanner_wait(world->scanner, 0, on_answered, &forgotten));
        scanner_forget(world->scanner, &forgotten);
        let_go(world);
        run_until(world, other.calls == 1);
        run_for(world, 50 * MSEC);
        assert_int_equal(forgotten.calls, 0);
}

static void who_waits_too_long_is_told(void **state) {
        World *world = *state;
        Wait first = { .world = world }, second = { .world = world };
        uint64_t now = clock_monotonic(&system_clock);

        will_do(world, 0, pause_line, saying_version("1.0"));
        world->stands_at = now - 9900 * MSEC;
        assert_false(scanner_wait(world->scanner, 0, on_answered, &first));
        world->stands_at = now - 9700 * MSEC;
        assert_false(scanner_wait(world->scanner, 0, on_answered, &second));
        world->stands_at = now + 150 * MSEC; /* 10 s since the first asked */
        run_until(world, first.calls == 1);
        assert_int_equal(first.error, -ETIMEDOUT);
        assert_int_equal(second.calls, 0);
        world->stands_at = now + 350 * MSEC;
        run_until(world, second.calls == 1);
        assert_int_equal(second.error, -ETIMEDOUT);
        world->stands_at = 0;
        let_go(world); /* what comes late is published all the same, and nobody is called twice */
        run_until(world, world->published->len == 1);
        assert_int_equal(first.calls + second.calls, 2);
}

static void the_end_of_the_scanner_answers_everybody(void **state) {
        World *world = *state;
        Wait wait = { .world = world };

        will_do(world, 0, pause_line, saying_version("1.0"));
        assert_false(scanner_wait(world->scanner, 0, on_answered, &wait));
        run_until(world, runs(world) == 1);
        world->scanner = scanner_free(world->scanner);
        assert_null(world->scanner);
        assert_int_equal(wait.calls, 1);
        assert_int_equal(wait.error, -ECANCELED);
        let_go(world);
        run_for(world, 100 * MSEC);
        assert_int_equal(world->published->len, 0);
        assert_null(scanner_free(NULL));
}

static void another_time_between_polls_counts_from_the_last_one(void **state) {
        World *world = *state;

        will_do(world, 0, "", saying_version("1.0"));
        scanner_set_poll(world->scanner, 20 * MSEC);
        run_until(world, world->polled >= 2);
}

static void the_poll_scans_again_and_again(void **state) {
        World *world = *state;

        will_do(world, 0, "", saying_version("1.0"));
        scanner_free(world->scanner);
        start_scanner(world, 20 * MSEC);
        run_until(world, world->published->len >= 3);
        assert_true(world->polled >= 3);
}

#define scanner_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                scanner_test(first_reading_is_published),
                scanner_test(a_prepared_reading_is_the_one_that_is_waited_for),
                scanner_test(requests_while_a_scan_runs_are_one_more_scan),
                scanner_test(dirt_is_scanned_once_it_has_been_quiet),
                scanner_test(dirt_that_never_ends_is_scanned_nevertheless),
                scanner_test(a_plain_change_is_published_at_once),
                scanner_test(a_doubtful_change_counts_when_a_second_reading_agrees),
                scanner_test(a_flash_that_is_gone_in_the_second_reading_is_never_published),
                scanner_test(a_second_reading_with_another_doubt_is_read_a_third_time),
                scanner_test(doubt_that_never_ends_is_published_in_the_end),
                scanner_test(a_first_reading_in_the_middle_of_a_refresh_does_not_count),
                scanner_test(what_was_published_already_needs_no_waiting),
                scanner_test(waiters_get_a_reading_that_began_after_they_asked),
                scanner_test(waiters_wait_for_a_doubtful_reading_to_be_confirmed),
                scanner_test(a_scan_that_failed_answers_only_those_who_asked_before_it_began),
                scanner_test(a_second_look_that_comes_too_soon_confirms_nothing),
                scanner_test(many_who_ask_share_one_reading),
                scanner_test(who_waits_inside_lfad_is_served_at_once),
                scanner_test(who_asks_from_outside_is_made_to_wait_a_little),
                scanner_test(many_who_ask_from_outside_share_one_reading),
                scanner_test(asking_without_end_is_limited_to_one_reading_a_second),
                scanner_test(a_scan_that_an_activation_overlapped_does_not_count),
                scanner_test(holding_while_nothing_runs_and_nothing_is_asked_scans_nothing),
                scanner_test(a_reading_that_failed_is_an_error_and_the_last_good_one_stays),
                scanner_test(a_worker_that_cannot_be_started_is_an_error_and_no_end),
                scanner_test(who_was_forgotten_is_not_called),
                scanner_test(who_waits_too_long_is_told),
                scanner_test(the_end_of_the_scanner_answers_everybody),
                scanner_test(another_time_between_polls_counts_from_the_last_one),
                scanner_test(the_poll_scans_again_and_again),
        };
        sigset_t children;

        /* as lfad does for sd-event */
        sigemptyset(&children);
        sigaddset(&children, SIGCHLD);
        sigprocmask(SIG_BLOCK, &children, NULL);
        log_set_max_level(LOG_CRIT); /* failures are what is tested */
        return cmocka_run_group_tests_name("scanner", tests, NULL, NULL);
}
