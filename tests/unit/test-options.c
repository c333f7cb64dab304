/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The a{sv} options of methods, read from real messages; and named errors. The messages are made on a bus
 * connection over a socket pair with nobody at its other end. */

#include "bus/bus-errors.h"
#include "bus/options.h"
#include "core/gates.h"
#include "unit.h"

#include <sys/socket.h>

typedef struct Targets {
        const char *reason, *request_id;
        ExpectedVersion version;
        bool flag;
        uint32_t number;
        uint64_t time;
        GPtrArray *list;
} Targets;

static const OptionSpec specs[] = {
        { "reason", OPTION_STRING, offsetof(Targets, reason) },
        { "expected-version", OPTION_VERSION, offsetof(Targets, version) },
        { "request-id", OPTION_REQUEST_ID, offsetof(Targets, request_id) },
        { "flag", OPTION_BOOL, offsetof(Targets, flag) },
        { "number", OPTION_U32, offsetof(Targets, number) },
        { "time", OPTION_U64, offsetof(Targets, time) },
        { "list", OPTION_STRINGS, offsetof(Targets, list) },
};

typedef struct World {
        sd_bus *bus;
        int other_end;
        sd_bus_message *message;
        sd_bus_error error;
} World;

static int setup(void **state) {
        World *world = g_new0(World, 1);
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
        assert_true(sd_bus_new(&world->bus) >= 0);
        assert_true(sd_bus_set_fd(world->bus, ends[0], ends[0]) >= 0);
        assert_true(sd_bus_start(world->bus) >= 0);
        world->other_end = ends[1];
        *state = world;
        return 0;
}

static void forget_message(World *world) {
        world->message = sd_bus_message_unref(world->message);
        sd_bus_error_free(&world->error);
}

static int teardown(void **state) {
        World *world = *state;

        forget_message(world);
        sd_bus_close_unref(world->bus);
        safe_close(world->other_end);
        g_free(world);
        return 0;
}

static void begin(World *world) {
        forget_message(world);
        assert_true(sd_bus_message_new_method_call(world->bus, &world->message, "a.b", "/a", "a.b", "C") >=
                    0);
        assert_true(sd_bus_message_open_container(world->message, 'a', "{sv}") >= 0);
}

static void add_string(World *world, const char *name, const char *value) {
        assert_true(sd_bus_message_append(world->message, "{sv}", name, "s", value) >= 0);
}

/* Seals the message and reads its options; a sealed one is parsed as one that came over the wire. */
static int finish_with(World *world, const OptionSpec *table, size_t n, Targets *targets) {
        assert_true(sd_bus_message_close_container(world->message) >= 0);
        assert_true(sd_bus_message_seal(world->message, 1, 0) >= 0);
        return options_read(world->message, table, n, targets, &world->error);
}

static int finish(World *world, Targets *targets) {
        return finish_with(world, specs, G_N_ELEMENTS(specs), targets);
}

/* The words must name the option and what is wrong with it. */
static void assert_refused(World *world, const char *words) {
        Targets targets = { 0 };

        assert_true(finish(world, &targets) < 0);
        if (targets.list)
                g_ptr_array_unref(targets.list);
        assert_true(sd_bus_error_has_name(&world->error, SD_BUS_ERROR_INVALID_ARGS));
        if (!strstr(world->error.message, words))
                fail_msg("'%s' does not say '%s'", world->error.message, words);
}

static void no_options_leave_everything_as_it_was(void **state) {
        Targets targets = { .reason = "before", .number = 7 };

        begin(*state);
        assert_int_equal(finish(*state, &targets) < 0, false);
        assert_string_equal(targets.reason, "before");
        assert_int_equal(targets.number, 7);
        assert_false(targets.version.given);
        begin(*state);
        assert_true(finish_with(*state, NULL, 0, NULL) >= 0);
}

static void valid_options_of_every_kind_are_read(void **state) {
        World *world = *state;
        Targets targets = { 0 };

        begin(world);
        add_string(world, "reason", "because, \xc3\xa9");
        add_string(world, "expected-version", "2.10");
        add_string(world, "request-id", "Az09._-");
        assert_true(sd_bus_message_append(world->message, "{sv}", "flag", "b", 1) >= 0);
        assert_true(sd_bus_message_append(world->message, "{sv}", "number", "u", UINT32_MAX) >= 0);
        assert_true(sd_bus_message_append(world->message, "{sv}", "time", "t", UINT64_MAX) >= 0);
        assert_true(finish(world, &targets) >= 0);
        assert_string_equal(targets.reason, "because, \xc3\xa9");
        assert_true(targets.version.given);
        assert_string_equal(targets.version.version, "2.10");
        assert_string_equal(targets.request_id, "Az09._-");
        assert_true(targets.flag);
        assert_int_equal(targets.number, UINT32_MAX);
        assert_true(targets.time == UINT64_MAX);
        assert_true(sd_bus_message_at_end(world->message, true) > 0);
}

static void no_version_is_expected_with_an_empty_string(void **state) {
        static const char *const none[] = { "", "N/A", "0.0" };

        for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
                Targets targets = { 0 };

                begin(*state);
                add_string(*state, "expected-version", none[i]);
                assert_true(finish(*state, &targets) >= 0);
                assert_true(targets.version.given);
                assert_string_equal(targets.version.version, "");
        }
}

static void add_list(World *world, const char *text, unsigned n) {
        assert_true(sd_bus_message_open_container(world->message, 'e', "sv") >= 0);
        assert_true(sd_bus_message_append(world->message, "s", "list") >= 0);
        assert_true(sd_bus_message_open_container(world->message, 'v', "as") >= 0);
        assert_true(sd_bus_message_open_container(world->message, 'a', "s") >= 0);
        for (unsigned i = 0; i < n; i++)
                assert_true(sd_bus_message_append(world->message, "s", text) >= 0);
        for (unsigned i = 0; i < 3; i++)
                assert_true(sd_bus_message_close_container(world->message) >= 0);
}

static void a_list_is_read_whole_and_the_options_behind_it_too(void **state) {
        g_autoptr(GPtrArray) empty = NULL, full = NULL;
        Targets targets = { 0 };

        begin(*state);
        add_list(*state, "", 0);
        assert_true(finish(*state, &targets) >= 0);
        empty = g_steal_pointer(&targets.list);
        assert_non_null(empty); /* given, with nothing in it */
        assert_int_equal(empty->len, 0);
        begin(*state);
        add_list(*state, "rmm", CLIENT_STRINGS_MAX);
        add_string(*state, "reason", "x");
        assert_true(finish(*state, &targets) >= 0);
        full = g_steal_pointer(&targets.list);
        assert_int_equal(full->len, CLIENT_STRINGS_MAX);
        assert_string_equal(full->pdata[CLIENT_STRINGS_MAX - 1], "rmm");
        assert_string_equal(targets.reason, "x");
}

static void lists_have_bounds_and_so_has_what_is_in_them(void **state) {
        g_autofree char *longer = g_strnfill(CLIENT_STRING_MAX + 1, 'x');

        begin(*state);
        add_list(*state, "rmm", CLIENT_STRINGS_MAX + 1);
        assert_refused(*state, "at most 64");
        begin(*state);
        add_list(*state, longer, 1);
        assert_refused(*state, "257 bytes");
        begin(*state);
        add_list(*state, "a\nb", 1);
        assert_refused(*state, "control character");
        begin(*state);
        add_string(*state, "list", "rmm");
        assert_refused(*state, "'as', not 's'");
}

static void unknown_options_are_refused(void **state) {
        static const char *const names[] = { "nonsense", "", "Reason", "reason ", "reaso" };

        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                g_autofree char *words = g_strdup_printf("'%s'", names[i]);

                begin(*state);
                add_string(*state, names[i], "x");
                assert_refused(*state, words);
        }
        begin(*state);
        add_string(*state, "reason", "fine");
        add_string(*state, "nonsense", "x");
        assert_refused(*state, "'nonsense'");
}

static void an_option_given_twice_is_refused(void **state) {
        static const char *const names[] = { "reason", "expected-version", "request-id" };

        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                begin(*state);
                add_string(*state, names[i], "1.0");
                add_string(*state, names[i], "1.0");
                assert_refused(*state, "twice");
        }
}

static void values_of_another_type_are_refused(void **state) {
        static const struct {
                const char *name, *type, *words;
        } rows[] = {
                { "reason", "u", "'s', not 'u'" },
                { "reason", "b", "'s', not 'b'" },
                { "expected-version", "t", "'s', not 't'" },
                { "request-id", "u", "'s', not 'u'" },
                { "flag", "u", "'b', not 'u'" },
                { "number", "t", "'u', not 't'" },
                { "number", "b", "'u', not 'b'" },
                { "time", "u", "'t', not 'u'" },
                { "time", "b", "'t', not 'b'" },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                World *world = *state;

                begin(world);
                if (rows[i].type[0] == 't')
                        assert_true(sd_bus_message_append(world->message, "{sv}", rows[i].name, "t",
                                                          UINT64_C(1)) >= 0);
                else
                        assert_true(sd_bus_message_append(world->message, "{sv}", rows[i].name, rows[i].type,
                                                          1) >= 0);
                assert_refused(world, rows[i].words);
        }
}

static void containers_and_paths_are_no_strings(void **state) {
        World *world = *state;

        begin(world);
        assert_true(sd_bus_message_append(world->message, "{sv}", "reason", "as", 1, "x") >= 0);
        assert_refused(world, "not 'as'");
        begin(world);
        assert_true(sd_bus_message_append(world->message, "{sv}", "reason", "v", "s", "x") >= 0);
        assert_refused(world, "not 'v'");
        begin(world);
        assert_true(sd_bus_message_append(world->message, "{sv}", "reason", "o", "/x") >= 0);
        assert_refused(world, "not 'o'");
}

static void long_text_is_refused(void **state) {
        g_autofree char *fits = g_strnfill(CLIENT_STRING_MAX, 'x');
        g_autofree char *longer = g_strnfill(CLIENT_STRING_MAX + 1, 'x');
        Targets targets = { 0 };

        begin(*state);
        add_string(*state, "reason", fits);
        assert_true(finish(*state, &targets) >= 0);
        assert_string_equal(targets.reason, fits);
        begin(*state);
        add_string(*state, "reason", longer);
        assert_refused(*state, "257 bytes");
        begin(*state);
        add_string(*state, longer, "x");
        assert_refused(*state, "257 bytes");
}

static void control_characters_are_refused(void **state) {
        static const char *const rows[] = { "\n",   "a\tb",     "\x1b[31mred", "\x7f",
                                            "\x01", "\xc2\x85", "a\xc2\x9b" };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                begin(*state);
                add_string(*state, "reason", rows[i]);
                assert_refused(*state, "control character");
                begin(*state);
                add_string(*state, rows[i], "x");
                assert_refused(*state, "control character");
        }
}

static void what_is_no_version_is_refused(void **state) {
        static const char *const rows[] = { "1", "1.2.3", "v1.2", " ", "1.2 ", "4294967296.0" };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                begin(*state);
                add_string(*state, "expected-version", rows[i]);
                assert_refused(*state, "'expected-version' is no version");
        }
}

static void request_ids_are_short_and_plain(void **state) {
        static const char *const bad[] = { "", " ", "a b", "a/b", "a:b", "\xc3\xa9", "a'" };
        g_autofree char *fits = g_strnfill(64, 'x'), *longer = g_strnfill(65, 'x');
        Targets targets = { 0 };

        begin(*state);
        add_string(*state, "request-id", fits);
        assert_true(finish(*state, &targets) >= 0);
        assert_string_equal(targets.request_id, fits);
        begin(*state);
        add_string(*state, "request-id", longer);
        assert_refused(*state, "1 to 64");
        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
                begin(*state);
                add_string(*state, "request-id", bad[i]);
                assert_refused(*state, "1 to 64");
        }
}

static void what_is_no_array_of_options_is_an_error(void **state) {
        World *world = *state;
        Targets targets = { 0 };

        assert_true(sd_bus_message_new_method_call(world->bus, &world->message, "a.b", "/a", "a.b", "C") >=
                    0);
        assert_true(sd_bus_message_append(world->message, "s", "text") >= 0);
        assert_true(sd_bus_message_seal(world->message, 1, 0) >= 0);
        assert_true(options_read(world->message, specs, G_N_ELEMENTS(specs), &targets, &world->error) < 0);
}

static void named_errors_carry_their_name_and_a_text(void **state) {
        sd_bus_error error = SD_BUS_ERROR_NULL;

        assert_true(bus_error_set(&error, LFA_ERROR_NOT_PENDING, "Nothing is staged for image x.") < 0);
        assert_string_equal(error.name, "org.arm.LFA1.Error.NotPending");
        assert_string_equal(error.message, "Nothing is staged for image x.");
        sd_bus_error_free(&error);
        for (int pass = 0; pass < 2; pass++) {
                assert_true(bus_error_set(&error, LFA_ERROR_KERNEL_BUSY, pass ? NULL : "") < 0);
                assert_string_equal(error.message, error_text(LFA_ERROR_KERNEL_BUSY));
                sd_bus_error_free(&error);
        }
        assert_int_equal(bus_error_invalid(&error, "'%s' is %d", "x", 7), -EINVAL);
        assert_string_equal(error.name, SD_BUS_ERROR_INVALID_ARGS);
        assert_string_equal(error.message, "'x' is 7");
        sd_bus_error_free(&error);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(no_options_leave_everything_as_it_was, setup, teardown),
                cmocka_unit_test_setup_teardown(valid_options_of_every_kind_are_read, setup, teardown),
                cmocka_unit_test_setup_teardown(no_version_is_expected_with_an_empty_string, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(a_list_is_read_whole_and_the_options_behind_it_too, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(lists_have_bounds_and_so_has_what_is_in_them, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(unknown_options_are_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(an_option_given_twice_is_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(values_of_another_type_are_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(containers_and_paths_are_no_strings, setup, teardown),
                cmocka_unit_test_setup_teardown(long_text_is_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(control_characters_are_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_no_version_is_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(request_ids_are_short_and_plain, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_no_array_of_options_is_an_error, setup, teardown),
                cmocka_unit_test(named_errors_carry_their_name_and_a_text),
        };

        return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
