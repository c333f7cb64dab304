/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the history forwards: every record once, in order, over all files, whatever else lies in them. */

#include "daemon/history-visit.h"
#include "unit.h"
#include "util/macros.h"

#include <sys/stat.h>

static History *open_history(const TempFolder *folder) {
        History *history = NULL;

        assert_int_equal(history_open(folder->path, &system_clock, &history), 0);
        return history;
}

/* The numbers of the records that were shown, each followed by a space; ends the visit at stop_at. */
typedef struct Seen {
        GString *text;
        uint64_t stop_at;
        History *append_to;
} Seen;

static int see(json_object *record, uint64_t seq, void *userdata) {
        Seen *seen = userdata;
        uint64_t own;

        assert_int_equal(json_get_u64(record, "seq", &own), 0);
        assert_int_equal(own, seq);
        g_string_append_printf(seen->text, "%" G_GUINT64_FORMAT " ", seq);
        if (seen->append_to)
                assert_int_equal(history_append(seen->append_to, RECORD_EXTERNAL, json_object_new_object(),
                                                NULL),
                                 0);
        return seq == seen->stop_at ? -ECANCELED : 0;
}

static void assert_seen(const History *history, uint64_t from_seq, const char *expected) {
        g_autoptr(GString) text = g_string_new(NULL);
        Seen seen = { .text = text };

        assert_int_equal(history_visit(history, from_seq, see, &seen), 0);
        assert_string_equal(text->str, expected);
}

static void nothing_is_shown_of_nothing(void **state) {
        _cleanup_(history_freep) History *history = open_history(*state);

        assert_seen(history, 0, "");
}

static void files_are_read_from_the_oldest_on(void **state) {
        _cleanup_(history_freep) History *history = NULL;

        temp_write_text(*state, "history.jsonl.3",
                        "{\"seq\":1,\"type\":\"external\"}\n{\"seq\":2,\"type\":\"x\"}\n");
        temp_write_text(*state, "history.jsonl.2", "{\"seq\":3,\"type\":\"external\"}\n");
        temp_write_text(*state, "history.jsonl.1", "{\"seq\":4,\"type\":\"external\"}\n");
        temp_write_text(*state, "history.jsonl", "{\"seq\":5,\"type\":\"external\"}\n");
        history = open_history(*state);
        assert_int_equal(history_append(history, RECORD_EXTERNAL, json_object_new_object(), NULL), 0);
        assert_seen(history, 0, "1 2 3 4 5 6 ");
        assert_seen(history, 3, "3 4 5 6 ");
        assert_seen(history, 6, "6 ");
        assert_seen(history, 7, "");
}

static void a_file_that_is_missing_or_none_is_passed_over(void **state) {
        const TempFolder *folder = *state;
        _cleanup_(history_freep) History *history = NULL;

        temp_write_text(folder, "history.jsonl.3", "{\"seq\":1,\"type\":\"external\"}\n");
        temp_write_text(folder, "history.jsonl.2/inside", "");
        assert_int_equal(mkfifoat(folder->fd, "history.jsonl.1", 0600), 0); /* would wait for ever */
        temp_write_text(folder, "history.jsonl", "{\"seq\":5,\"type\":\"external\"}\n");
        history = open_history(folder);
        assert_seen(history, 0, "1 5 ");
}

static void one_file_under_two_names_is_read_once(void **state) {
        const TempFolder *folder = *state;
        _cleanup_(history_freep) History *history = NULL;

        temp_write_text(folder, "history.jsonl", "{\"seq\":5,\"type\":\"external\"}\n");
        assert_int_equal(linkat(folder->fd, "history.jsonl", folder->fd, "history.jsonl.1", 0), 0);
        history = open_history(folder);
        assert_seen(history, 0, "5 ");
}

static void what_is_no_record_is_passed_over(void **state) {
        static const char *const rubbish[] = {
                "",
                "rubbish",
                "{}",
                "[1]",
                "{\"seq\":3}",
                "{\"type\":\"external\"}",
                "{\"seq\":-3,\"type\":\"x\"}",
                "{\"seq\":\"3\",\"type\":\"x\"}",
                "{\"seq\":18446744073709551616,\"type\":\"x\"}",
                "{\"seq\":3,\"type\":\"x\"",
                "\xff\xfe",
        };
        g_autoptr(GString) file = g_string_new("{\"seq\":1,\"type\":\"external\"}\n");
        _cleanup_(history_freep) History *history = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(rubbish); i++)
                g_string_append_printf(file, "%s\n", rubbish[i]);
        g_string_append(file,
                        "{\"seq\":4,\"type\":\"external\",\"reason\":\"\\\"seq\\\":1\"}\n{\"seq\":5,\"ty");
        temp_write_text(*state, "history.jsonl", file->str);
        history = open_history(*state);
        assert_seen(history, 0, "1 4 ");
        assert_seen(history, 2, "4 ");
        assert_seen(history, 4, "4 "); /* what stands in a string is no number of a record */
}

/* Keys in another order, blanks: the number is found all the same. */
static void records_need_not_look_like_ours(void **state) {
        _cleanup_(history_freep) History *history = NULL;

        temp_write_text(*state, "history.jsonl",
                        "{ \"type\" : \"external\", \"seq\" : 1 }\n{ \"type\" : \"external\", \"seq\" : 2 }\n");
        history = open_history(*state);
        assert_seen(history, 0, "1 2 ");
        assert_seen(history, 2, "2 ");
}

/* Longer than a block, too, and what stands at its end is no record of its own. */
static void a_line_that_is_too_long_is_passed_over_as_a_whole(void **state) {
        static const size_t lengths[] = { RECORD_SIZE_MAX, 60000,         64 * 1024 - 30,
                                          64 * 1024,       64 * 1024 + 1, 200000 };

        for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
                g_autofree char *filler = g_strnfill(lengths[i], 'x');
                g_autofree char *file =
                                g_strdup_printf("{\"seq\":1,\"type\":\"x\"}\n%s{\"seq\":2,\"type\":\"x\"}\n"
                                                "{\"seq\":3,\"type\":\"x\"}\n",
                                                filler);
                _cleanup_(history_freep) History *history = NULL;

                temp_write_text(*state, "history.jsonl", file);
                history = open_history(*state);
                assert_seen(history, 0, "1 3 ");
        }
}

static int count(json_object *record, uint64_t seq, void *userdata) {
        uint64_t *last = userdata;

        assert_int_equal(seq, *last + 1);
        *last = seq;
        return 0;
}

/* Across the blocks in which it is read, wherever in a record they meet. */
static void no_record_is_lost_where_blocks_meet(void **state) {
        const uint64_t n = 20000;
        g_autoptr(GString) file = g_string_new(NULL);
        _cleanup_(history_freep) History *history = NULL;
        uint64_t last = 0;

        for (uint64_t i = 1; i <= n; i++)
                g_string_append_printf(file, "{\"seq\":%u,\"type\":\"x\",\"filler\":\"%0*d\"}\n",
                                       (unsigned) i, (int) (i % 97) + 1, 0);
        temp_write(*state, "history.jsonl", file->str, file->len);
        history = open_history(*state);
        assert_int_equal(history_visit(history, 0, count, &last), 0);
        assert_int_equal(last, n);
        last = n - 100;
        assert_int_equal(history_visit(history, n - 99, count, &last), 0);
        assert_int_equal(last, n);
}

static void a_visitor_ends_the_visit(void **state) {
        g_autoptr(GString) text = g_string_new(NULL);
        Seen seen = { .text = text, .stop_at = 2 };
        _cleanup_(history_freep) History *history = NULL;

        temp_write_text(*state, "history.jsonl.1",
                        "{\"seq\":1,\"type\":\"x\"}\n{\"seq\":2,\"type\":\"x\"}\n");
        temp_write_text(*state, "history.jsonl", "{\"seq\":3,\"type\":\"x\"}\n");
        history = open_history(*state);
        assert_int_equal(history_visit(history, 0, see, &seen), -ECANCELED);
        assert_string_equal(text->str, "1 2 ");
}

static void assert_last(const History *history, unsigned lines, const char *expected) {
        g_autoptr(GString) text = g_string_new(NULL);
        Seen seen = { .text = text };

        assert_int_equal(history_visit_last(history, lines, see, &seen), 0);
        assert_string_equal(text->str, expected);
}

static void the_last_lines_are_read_across_files(void **state) {
        _cleanup_(history_freep) History *history = NULL;

        temp_write_text(*state, "history.jsonl.2",
                        "{\"seq\":1,\"type\":\"x\"}\n{\"seq\":2,\"type\":\"x\"}\n");
        temp_write_text(*state, "history.jsonl", "{\"seq\":3,\"type\":\"x\"}\n{\"seq\":4,\"type\":\"x\"}\n");
        history = open_history(*state);
        assert_last(history, 0, "");
        assert_last(history, 1, "4 ");
        assert_last(history, 2, "3 4 ");
        assert_last(history, 3, "2 3 4 ");
        assert_last(history, 4, "1 2 3 4 ");
        assert_last(history, 5, "1 2 3 4 ");
        assert_last(history, UINT32_MAX, "1 2 3 4 ");
}

static void the_last_of_many_lines_are_found(void **state) {
        const unsigned n = 20000;
        g_autoptr(GString) file = g_string_new(NULL);
        _cleanup_(history_freep) History *history = NULL;

        for (unsigned i = 1; i <= n; i++)
                g_string_append_printf(file, "{\"seq\":%u,\"type\":\"x\",\"filler\":\"%0*d\"}\n", i,
                                       (int) (i % 97) + 1, 0);
        temp_write(*state, "history.jsonl", file->str, file->len);
        history = open_history(*state);
        for (unsigned lines = 1; lines <= n; lines = lines * 3 + 1) {
                uint64_t last = n - lines;

                assert_int_equal(history_visit_last(history, lines, count, &last), 0);
                assert_int_equal(last, n);
        }
}

static void what_the_visitor_appends_is_not_shown(void **state) {
        g_autoptr(GString) text = g_string_new(NULL);
        Seen seen = { .text = text };
        _cleanup_(history_freep) History *history = NULL;

        temp_write_text(*state, "history.jsonl", "{\"seq\":1,\"type\":\"x\"}\n{\"seq\":2,\"type\":\"x\"}\n");
        history = open_history(*state);
        seen.append_to = history;
        assert_int_equal(history_visit(history, 0, see, &seen), 0);
        assert_string_equal(text->str, "1 2 ");
        assert_seen(history, 0, "1 2 3 4 ");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_folder(nothing_is_shown_of_nothing),
                unit_test_with_folder(files_are_read_from_the_oldest_on),
                unit_test_with_folder(a_file_that_is_missing_or_none_is_passed_over),
                unit_test_with_folder(one_file_under_two_names_is_read_once),
                unit_test_with_folder(what_is_no_record_is_passed_over),
                unit_test_with_folder(records_need_not_look_like_ours),
                unit_test_with_folder(a_line_that_is_too_long_is_passed_over_as_a_whole),
                unit_test_with_folder(no_record_is_lost_where_blocks_meet),
                unit_test_with_folder(a_visitor_ends_the_visit),
                unit_test_with_folder(the_last_lines_are_read_across_files),
                unit_test_with_folder(the_last_of_many_lines_are_found),
                unit_test_with_folder(what_the_visitor_appends_is_not_shown),
        };

        return cmocka_run_group_tests_name("history-visit", tests, NULL, NULL);
}
