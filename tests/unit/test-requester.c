/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who asked: which names of units may be shown, and that records give back what was put into them. */

#include "daemon/requester.h"
#include "unit.h"

static void only_presentable_units_are_taken(void **state) {
        g_autofree char *longest = g_strnfill(REQUESTER_UNIT_MAX, 'a'),
                        *too_long = g_strnfill(REQUESTER_UNIT_MAX + 1, 'a');
        const struct {
                const char *unit, *taken;
        } rows[] = {
                { "fleet.service", "fleet.service" },
                { "getty@tty1.service", "getty@tty1.service" },
                { "caf\xc3\xa9.service", "caf\xc3\xa9.service" },
                { "", "" },
                { longest, longest },
                { too_long, "" },
                { "a\nb", "" },
                { "a\x1b[31m", "" },
                { "a\x7f", "" },
                { "a\xc2\x85", "" },
                { "a\xff", "" },
                { "a\xed\xa0\x80", "" },
                { "a\xc3", "" },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                Requester requester = { .unit = "before" };

                requester_set_unit(&requester, rows[i].unit);
                assert_string_equal(requester.unit, rows[i].taken);
        }
}

static void assert_text(const Requester *requester, const char *expected) {
        g_autofree char *text = requester_to_text(requester);

        assert_string_equal(text, expected);
}

static void the_text_says_what_is_known(void **state) {
        assert_text(&(Requester){ .uid = 7 }, "uid 7");
        assert_text(&(Requester){ .uid = 7, .pid = 12 }, "uid 7 (pid 12)");
        assert_text(&(Requester){ .uid = 7, .logged_in = true }, "uid 7 (login uid 0)");
        assert_text(&(Requester){ .uid = 0,
                                  .pid = 12,
                                  .unit = "a.service",
                                  .logged_in = true,
                                  .login_uid = 1000 },
                    "uid 0 (pid 12, unit a.service, login uid 1000)");
}

static void records_give_back_what_was_put_in(void **state) {
        static const Requester rows[] = {
                { .uid = 7 },
                { .uid = UINT32_MAX, .pid = UINT32_MAX },
                { .pid = 12, .unit = "a.service", .logged_in = true },
                { .unit = "a.service", .logged_in = true, .login_uid = 1000 },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                _cleanup_json_ json_object *record = json_object_new_object();
                Requester found;

                requester_to_record(&rows[i], record);
                requester_from_record(record, &found);
                assert_int_equal(found.uid, rows[i].uid);
                assert_int_equal(found.pid, rows[i].pid);
                assert_string_equal(found.unit, rows[i].unit);
                assert_int_equal(found.logged_in, rows[i].logged_in);
                assert_int_equal(found.login_uid, rows[i].login_uid);
        }
}

static void what_a_record_says_wrongly_is_not_known(void **state) {
        static const char text[] = "{\"uid\":7,\"pid\":-1,\"unit\":\"a\\u001b\",\"login-uid\":4294967296}";
        _cleanup_json_ json_object *record = json_parse_line(text, strlen(text));
        Requester found;

        requester_from_record(record, &found);
        assert_int_equal(found.uid, 7);
        assert_int_equal(found.pid, 0);
        assert_string_equal(found.unit, "");
        assert_false(found.logged_in);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_presentable_units_are_taken),
                cmocka_unit_test(the_text_says_what_is_known),
                cmocka_unit_test(records_give_back_what_was_put_in),
                cmocka_unit_test(what_a_record_says_wrongly_is_not_known),
        };

        return cmocka_run_group_tests_name("requester", tests, NULL, NULL);
}
