/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strict reading of JSON objects. */

#include "unit.h"
#include "util/json.h"

static json_object *parse(const char *text) {
        return json_parse_line(text, strlen(text));
}

static void exactly_one_object_is_taken(void **state) {
        static const char *const rows[] = { "{}", "{\"a\":1}", "{\"a\":{\"b\":[1,2,\"x\"]}}",
                                            "{ \"a\" : null }", " {}\n" };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                _cleanup_json_ json_object *object = parse(rows[i]);

                assert_non_null(object);
        }
}

static void anything_else_is_no_line(void **state) {
        static const char *const rows[] = {
                "",
                "{",
                "}",
                "{}}",
                "{}{}",
                "{} {}",
                "{}x",
                "[]",
                "1",
                "\"a\"",
                "null",
                "true",
                "{\"a\"}",
                "{\"a\":}",
                "{\"a\":1,}",
                "{a:1}",
                "{\"a\":01}",
                "{\"a\":0x1}",
                "// c\n{}",
                "/* c */{}",
                "{\"a\":\"\xff\"}",
                "{\"\xc3\":1}",
                "{\"a\":\"\xed\xa0\x80\"}", /* a surrogate */
                "{\"a\":\"\xc0\x80\"}",     /* overlong */
                "{\"a\":1",
                "{\"a\":\"b}",
                "{\"a\":tru}",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                if (parse(rows[i]))
                        fail_msg("row %zu was taken: %s", i, rows[i]);
        assert_null(json_parse_line("{}\0", 3));
        assert_null(json_parse_line("{\"a\":1}", 6)); /* only as long as it says */
}

static void deep_nesting_is_refused(void **state) {
        for (unsigned depth = 1; depth < 2000; depth = depth < 20 ? depth + 1 : depth * 2) {
                g_autoptr(GString) text = g_string_new("{\"a\":");

                for (unsigned i = 1; i < depth; i++)
                        g_string_append_c(text, '[');
                g_string_append_c(text, '1');
                for (unsigned i = 1; i < depth; i++)
                        g_string_append_c(text, ']');
                g_string_append_c(text, '}');
                {
                        _cleanup_json_ json_object *object = json_parse_line(text->str, text->len);

                        if (depth <= 4)
                                assert_non_null(object);
                        if (depth > 8)
                                assert_null(object);
                }
        }
}

static void strings_with_a_nul_inside_are_of_the_wrong_type(void **state) {
        _cleanup_json_ json_object *object = parse("{\"a\":\"x\\u0000y\",\"b\":\"\",\"c\":\"\\u00e9\"}");
        const char *text = "untouched";

        assert_int_equal(json_get_string(object, "a", &text), -EBADMSG);
        assert_string_equal(text, "untouched");
        assert_int_equal(json_get_string(object, "b", &text), 0);
        assert_string_equal(text, "");
        assert_int_equal(json_get_string(object, "c", &text), 0);
        assert_string_equal(text, "\xc3\xa9");
}

static void missing_keys_and_wrong_types_leave_the_result_alone(void **state) {
        static const char *const values[] = { "null", "1", "1.5", "true", "\"1\"", "[]", "{}" };
        static const char *const types = "-idbsao";

        for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
                g_autofree char *text = g_strdup_printf("{\"k\":%s}", values[i]);
                _cleanup_json_ json_object *object = parse(text);
                const char *string = "untouched";
                uint64_t u64 = 77;
                int number = 77;
                bool flag = true;
                json_object *child = object;

                assert_non_null(object);
                assert_int_equal(json_get_string(object, "k", &string), types[i] == 's' ? 0 : -EBADMSG);
                assert_int_equal(json_get_u64(object, "k", &u64), types[i] == 'i' ? 0 : -EBADMSG);
                assert_int_equal(json_get_int(object, "k", 0, 9, &number), types[i] == 'i' ? 0 : -EBADMSG);
                assert_int_equal(json_get_bool(object, "k", &flag), types[i] == 'b' ? 0 : -EBADMSG);
                assert_int_equal(json_get_object(object, "k", &child), types[i] == 'o' ? 0 : -EBADMSG);
                assert_string_equal(string, types[i] == 's' ? "1" : "untouched");
                assert_int_equal(u64, types[i] == 'i' ? 1 : 77);
                assert_int_equal(number, types[i] == 'i' ? 1 : 77);
                assert_true(flag);
                assert_true((child != object) == (types[i] == 'o'));

                assert_int_equal(json_get_string(object, "K", &string), -ENOENT);
                assert_int_equal(json_get_u64(object, "", &u64), -ENOENT);
                assert_int_equal(json_get_int(object, "kk", 0, 9, &number), -ENOENT);
                assert_int_equal(json_get_bool(object, "x", &flag), -ENOENT);
                assert_int_equal(json_get_object(object, "x", &child), -ENOENT);
        }
}

static void numbers_outside_their_range_are_refused(void **state) {
        static const struct {
                const char *text;
                int u64; /* result */
                uint64_t value;
                int small; /* result of json_get_int for 0 .. 4095 */
        } rows[] = {
                { "0", 0, 0, 0 },
                { "4095", 0, 4095, 0 },
                { "4096", 0, 4096, -EBADMSG },
                { "4294967296", 0, UINT64_C(4294967296), -EBADMSG },
                { "9223372036854775807", 0, INT64_MAX, -EBADMSG },
                { "9223372036854775808", 0, UINT64_C(9223372036854775808), -EBADMSG },
                { "18446744073709551614", 0, UINT64_MAX - 1, -EBADMSG },
                { "18446744073709551615", -EBADMSG, 0, -EBADMSG },
                { "18446744073709551616", -EBADMSG, 0, -EBADMSG },
                { "-1", -EBADMSG, 0, -EBADMSG },
                { "-9223372036854775808", -EBADMSG, 0, -EBADMSG },
                { "-99999999999999999999", -EBADMSG, 0, -EBADMSG },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *text = g_strdup_printf("{\"k\":%s}", rows[i].text);
                _cleanup_json_ json_object *object = parse(text);
                uint64_t u64 = 77;
                int number = 77;

                assert_int_equal(json_get_u64(object, "k", &u64), rows[i].u64);
                assert_true(u64 == (rows[i].u64 == 0 ? rows[i].value : 77));
                assert_int_equal(json_get_int(object, "k", 0, 4095, &number), rows[i].small);
                assert_int_equal(number, rows[i].small == 0 ? (int) rows[i].value : 77);
        }
}

static void absent_text_stays_absent(void **state) {
        _cleanup_json_ json_object *object = json_object_new_object();

        json_add_string(object, "empty", "");
        json_add_string(object, "null", NULL);
        json_add_string(object, "text", "a\"b\n");
        json_add_u64(object, "largest", UINT64_MAX);
        assert_string_equal(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
                            "{\"text\":\"a\\\"b\\n\",\"largest\":18446744073709551615}");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(exactly_one_object_is_taken),
                cmocka_unit_test(anything_else_is_no_line),
                cmocka_unit_test(deep_nesting_is_refused),
                cmocka_unit_test(strings_with_a_nul_inside_are_of_the_wrong_type),
                cmocka_unit_test(missing_keys_and_wrong_types_leave_the_result_alone),
                cmocka_unit_test(numbers_outside_their_range_are_refused),
                cmocka_unit_test(absent_text_stays_absent),
        };

        return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
