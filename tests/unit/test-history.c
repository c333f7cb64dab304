/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The history file: numbers that go on, lines that crashes tore, disks that are full. */

#include "daemon/history-query.h"
#include "daemon/history.h"
#include "unit.h"
#include "util/macros.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define FILE_NAME "history.jsonl"

static uint64_t fixed_realtime(void *userdata) {
        return 1700000000000000;
}

static uint64_t fixed_monotonic(void *userdata) {
        return 42;
}

static const Clock fixed_clock = { .realtime_usec = fixed_realtime, .monotonic_usec = fixed_monotonic };

static History *open_history(const TempFolder *folder) {
        History *history = NULL;

        assert_int_equal(history_open(folder->path, &fixed_clock, &history), 0);
        assert_non_null(history);
        return history;
}

static json_object *record_with(const char *key, const char *value) {
        json_object *record = json_object_new_object();

        json_add_string(record, key, value);
        return record;
}

static uint64_t append(History *history, RecordType type, const char *note) {
        uint64_t seq = 0;

        assert_int_equal(history_append(history, type, record_with("note", note), &seq), 0);
        return seq;
}

static uint64_t seq_of(json_object *record) {
        uint64_t seq;

        assert_int_equal(json_get_u64(record, "seq", &seq), 0);
        return seq;
}

static GPtrArray *read_newest(History *history, unsigned limit) {
        const HistoryQuery query = { .guid = "", .type = "", .limit = limit };

        return history_query(history, &query);
}

/* The notes of the newest records, oldest first, each followed by a space. */
static char *notes(History *history, unsigned limit) {
        g_autoptr(GPtrArray) records = read_newest(history, limit);
        GString *text = g_string_new(NULL);
        const char *note;

        for (unsigned i = 0; i < records->len; i++)
                g_string_append_printf(text, "%s ",
                                       json_get_string(records->pdata[i], "note", &note) < 0 ? "?" : note);
        return g_string_free(text, FALSE);
}

static void assert_notes(History *history, unsigned limit, const char *expected) {
        g_autofree char *found = notes(history, limit);

        assert_string_equal(found, expected);
}

static void record_types_round_trip(void **state) {
        static const char *const names[_RECORD_MAX] = {
                [RECORD_QUEUED] = "queued",
                [RECORD_STARTED] = "started",
                [RECORD_FINISHED] = "finished",
                [RECORD_SETTLED] = "settled",
                [RECORD_EXTERNAL] = "external",
                [RECORD_VANISHED] = "vanished",
                [RECORD_SETTING_APPLIED] = "setting-applied",
                [RECORD_HOLD] = "hold",
                [RECORD_UNHOLD] = "unhold",
                [RECORD_QUARANTINE_CLEARED] = "quarantine-cleared",
        };

        for (int i = 0; i < _RECORD_MAX; i++) {
                assert_non_null(names[i]);
                assert_non_null(record_type_to_string((RecordType) i));
                assert_string_equal(record_type_to_string((RecordType) i), names[i]);
                assert_int_equal(record_type_from_string(names[i]), i);
        }
        assert_null(record_type_to_string(_RECORD_MAX));
        assert_null(record_type_to_string(_RECORD_INVALID));
        assert_int_equal(record_type_from_string("rubbish"), -EINVAL);
}

static void a_record_says_when_where_and_what(void **state) {
        History *history = open_history(*state);
        g_autoptr(GPtrArray) records = NULL;
        const char *text;
        uint64_t number;

        assert_int_equal(append(history, RECORD_QUEUED, "a"), 1);
        assert_int_equal(append(history, RECORD_STARTED, "b"), 2);
        records = read_newest(history, 10);
        assert_int_equal(records->len, 2);
        assert_int_equal(json_get_string(records->pdata[0], "type", &text), 0);
        assert_string_equal(text, "queued");
        assert_int_equal(json_get_u64(records->pdata[0], "job", &number), 0); /* its number is the job's */
        assert_int_equal(number, 1);
        assert_int_equal(json_get_u64(records->pdata[1], "job", &number), -ENOENT);
        assert_int_equal(json_get_u64(records->pdata[1], "timestamp", &number), 0);
        assert_int_equal(number, 1700000000000000);
        assert_int_equal(json_get_u64(records->pdata[1], "monotonic", &number), 0);
        assert_int_equal(number, 42);
        assert_int_equal(json_get_string(records->pdata[1], "boot-id", &text), 0);
        assert_string_equal(text, history_boot_id(history));
        assert_int_equal(strlen(text), 32);
        history_free(history);
}

static void numbers_go_on_after_reopening(void **state) {
        for (uint64_t seq = 1; seq < 10; seq++) {
                History *history = open_history(*state);

                assert_int_equal(append(history, RECORD_EXTERNAL, "x"), seq);
                history_free(history);
        }
}

static void the_folder_is_made_when_it_is_missing(void **state) {
        g_autofree char *path = temp_path(*state, "var/lib/lfad");
        History *history = NULL;

        assert_int_equal(history_open(path, &fixed_clock, &history), 0);
        assert_int_equal(append(history, RECORD_EXTERNAL, "x"), 1);
        history_free(history);
}

static void a_place_where_no_file_can_be_is_an_error(void **state) {
        g_autofree char *path = temp_path(*state, "file/folder");
        History *history = NULL;

        temp_write_text(*state, "file", "");
        assert_int_equal(history_open(path, &fixed_clock, &history), -ENOTDIR);
        temp_write_text(*state, FILE_NAME "/inside", "");
        assert_int_equal(history_open(((TempFolder *) *state)->path, &fixed_clock, &history), -EISDIR);
        assert_null(history);
}

static void tail_is_the_newest_records_oldest_first(void **state) {
        History *history = open_history(*state);

        assert_notes(history, 10, "");
        append(history, RECORD_EXTERNAL, "a");
        append(history, RECORD_EXTERNAL, "b");
        append(history, RECORD_EXTERNAL, "c");
        assert_notes(history, 0, "");
        assert_notes(history, 1, "c ");
        assert_notes(history, 2, "b c ");
        assert_notes(history, 3, "a b c ");
        assert_notes(history, UINT32_MAX, "a b c ");
        history_free(history);
}

/* Every crash in the middle of the last write. One that lost only the newline has lost nothing. */
static void a_torn_last_line_neither_loses_a_record_nor_breaks_the_next(void **state) {
        const TempFolder *folder = *state;
        History *history = open_history(folder);
        g_autofree char *whole = NULL;
        size_t size, begin;

        append(history, RECORD_EXTERNAL, "a");
        append(history, RECORD_EXTERNAL, "b");
        append(history, RECORD_EXTERNAL, "torn");
        history_free(history);
        whole = temp_read(folder, FILE_NAME, &size);
        begin = (size_t) ((char *) memrchr(whole, '\n', size - 1) + 1 - whole);
        for (size_t length = begin; length < size - 1; length++) {
                temp_write(folder, FILE_NAME, whole, length);
                history = open_history(folder);
                assert_notes(history, 10, "a b ");
                assert_int_equal(append(history, RECORD_EXTERNAL, "c"), 3);
                assert_int_equal(append(history, RECORD_EXTERNAL, "d"), 4);
                assert_notes(history, 10, "a b c d ");
                history_free(history);
                history = open_history(folder);
                assert_notes(history, 10, "a b c d ");
                assert_int_equal(append(history, RECORD_EXTERNAL, "e"), 5);
                history_free(history);
        }
}

static void a_last_line_that_lacks_only_its_newline_is_a_record(void **state) {
        const TempFolder *folder = *state;
        History *history = open_history(folder);
        g_autofree char *whole = NULL;
        size_t size;

        append(history, RECORD_EXTERNAL, "a");
        append(history, RECORD_EXTERNAL, "b");
        history_free(history);
        whole = temp_read(folder, FILE_NAME, &size);
        temp_write(folder, FILE_NAME, whole, size - 1);
        history = open_history(folder);
        assert_notes(history, 10, "a b ");
        assert_int_equal(append(history, RECORD_EXTERNAL, "c"), 3); /* its number is not used twice */
        assert_notes(history, 10, "a b c ");
        history_free(history);
}

static void two_lfads_never_share_a_history(void **state) {
        const TempFolder *folder = *state;
        History *history = open_history(folder), *second = NULL;

        assert_int_equal(history_open(folder->path, &fixed_clock, &second), -EBUSY);
        assert_null(second);
        history_free(history);
        history_free(open_history(folder));
}

static void rubbish_between_records_is_passed_over(void **state) {
        const TempFolder *folder = *state;
        static const char rubbish[] =
                        "\n\nrubbish\n{}\n{\"seq\":99}\n{\"type\":\"queued\"}\n[1]\n"
                        "{\"seq\":\"7\",\"type\":\"x\"}\n{\"seq\":-7,\"type\":\"x\"}\n\xff\xfe\n\0\0\0\n";
        g_autofree char *first = NULL, *second = NULL, *file = NULL;
        size_t size_1, size_2;
        History *history = open_history(folder);

        append(history, RECORD_EXTERNAL, "a");
        first = temp_read(folder, FILE_NAME, &size_1);
        append(history, RECORD_EXTERNAL, "b");
        second = temp_read(folder, FILE_NAME, &size_2);
        history_free(history);

        file = g_malloc(size_2 + 2 * sizeof(rubbish));
        memcpy(file, rubbish, sizeof(rubbish) - 1);
        memcpy(file + sizeof(rubbish) - 1, first, size_1);
        memcpy(file + sizeof(rubbish) - 1 + size_1, rubbish, sizeof(rubbish) - 1);
        memcpy(file + 2 * (sizeof(rubbish) - 1) + size_1, second + size_1, size_2 - size_1);
        temp_write(folder, FILE_NAME, file, size_2 + 2 * (sizeof(rubbish) - 1));
        history = open_history(folder);
        assert_notes(history, 10, "a b ");
        assert_int_equal(append(history, RECORD_EXTERNAL, "c"), 3);
        assert_notes(history, 10, "a b c ");
        history_free(history);
}

static void numbers_go_on_behind_the_highest_wherever_it_is(void **state) {
        History *history;

        temp_write_text(*state, FILE_NAME, "{\"seq\":70,\"type\":\"x\"}\n{\"seq\":5,\"type\":\"x\"}\n");
        history = open_history(*state);
        assert_int_equal(append(history, RECORD_EXTERNAL, "a"), 71);
        history_free(history);
}

static void a_record_that_is_too_long_is_refused_as_a_whole(void **state) {
        g_autofree char *huge = g_strnfill(5000, 'x'), *text = NULL;
        History *history = open_history(*state);
        uint64_t seq = 77;
        size_t size;

        assert_int_equal(append(history, RECORD_EXTERNAL, "a"), 1);
        assert_int_equal(history_append(history, RECORD_EXTERNAL, record_with("note", huge), &seq),
                         -EMSGSIZE);
        assert_int_equal(seq, 77);
        assert_int_equal(append(history, RECORD_EXTERNAL, "b"), 2); /* no number was used up */
        assert_notes(history, 10, "a b ");
        text = temp_read(*state, FILE_NAME, &size);
        assert_null(strstr(text, "xxx"));
        history_free(history);
}

/* A disk that takes so many bytes more, then none, then everything again. */
typedef struct FullDisk {
        const TempFolder *folder;
        rlim_t room;
} FullDisk;

static bool append_on_a_full_disk(void *argument) {
        const FullDisk *disk = argument;
        struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
        struct stat before, after;
        History *history;
        bool good;
        int r;

        signal(SIGXFSZ, SIG_IGN);
        if (history_open(disk->folder->path, &fixed_clock, &history) < 0 ||
            fstatat(disk->folder->fd, FILE_NAME, &before, 0) < 0)
                return false;
        limit.rlim_cur = (rlim_t) before.st_size + disk->room;
        if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
                return false;
        r = history_append(history, RECORD_EXTERNAL, record_with("note", "lost"), NULL);
        if (fstatat(disk->folder->fd, FILE_NAME, &after, 0) < 0)
                return false;
        good = r < 0 && after.st_size == before.st_size;
        limit.rlim_cur = RLIM_INFINITY;
        if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
                return false;
        r = history_append(history, RECORD_EXTERNAL, record_with("note", "kept"), NULL);
        history_free(history);
        return good && r == 0;
}

/* Opened while not one byte fits; later there is room again. */
static bool append_behind_a_torn_line(void *argument) {
        const TempFolder *folder = argument;
        struct rlimit limit = { 1, RLIM_INFINITY };
        g_autofree char *found = NULL;
        History *history;

        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || history_open(folder->path, &fixed_clock, &history) < 0)
                return false;
        if (history_append(history, RECORD_EXTERNAL, record_with("note", "lost"), NULL) >= 0)
                return false;
        limit.rlim_cur = RLIM_INFINITY;
        if (setrlimit(RLIMIT_FSIZE, &limit) < 0 ||
            history_append(history, RECORD_EXTERNAL, record_with("note", "b"), NULL) < 0)
                return false;
        found = notes(history, 10);
        history_free(history);
        return strcmp(found, "a b ") == 0;
}

static void a_torn_line_on_a_full_disk_is_ended_by_the_next_record(void **state) {
        temp_write_text(*state, FILE_NAME,
                        "{\"note\":\"a\",\"seq\":1,\"type\":\"external\"}\n{\"note\":\"to");
        assert_true(in_child(append_behind_a_torn_line, *state));
}

static void a_failed_write_leaves_no_part_of_a_record(void **state) {
        const TempFolder *folder = *state;
        History *history = open_history(folder);
        GString *expected = g_string_new("a ");
        static const rlim_t rooms[] = { 0, 1, 10, 60, 100 };

        append(history, RECORD_EXTERNAL, "a");
        history_free(history);
        for (size_t i = 0; i < G_N_ELEMENTS(rooms); i++) {
                FullDisk disk = { folder, rooms[i] };

                assert_true(in_child(append_on_a_full_disk, &disk));
                g_string_append(expected, "kept ");
        }
        history = open_history(folder);
        assert_notes(history, 100, expected->str);
        assert_int_equal(append(history, RECORD_EXTERNAL, "b"), G_N_ELEMENTS(rooms) + 2); /* none used up */
        history_free(history);
        g_string_free(expected, TRUE);
}

/* A disk of 16 KiB over the folder, seen by this process alone. */
static bool mount_small_disk(const TempFolder *folder) {
        return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
               mount("tmpfs", folder->path, "tmpfs", 0, "size=16k") == 0;
}

/* Reserving asks for more than the disk has; what was appended before and after it stays whole. */
static bool fill_a_small_disk(void *argument) {
        g_autoptr(GPtrArray) records = NULL;
        History *history = NULL;
        unsigned written = 0;
        int r;

        if (!mount_small_disk(argument) ||
            history_open(((const TempFolder *) argument)->path, &fixed_clock, &history) < 0)
                return false;
        if (history_reserve(history) != -ENOSPC)
                return false;
        while ((r = history_append(history, RECORD_EXTERNAL, record_with("note", "x"), NULL)) == 0)
                written++;
        if (r != -ENOSPC || written < 10)
                return false;
        history_free(history);
        if (history_open(((const TempFolder *) argument)->path, &fixed_clock, &history) < 0)
                return false;
        records = read_newest(history, UINT32_MAX);
        history_free(history);
        return records->len == written;
}

static void a_full_disk_is_found_before_the_act_and_loses_nothing(void **state) {
        if (geteuid() != 0)
                skip(); /* mounting */
        assert_true(in_child(fill_a_small_disk, *state));
}

static void reserving_leaves_the_file_as_it_was(void **state) {
        const TempFolder *folder = *state;
        History *history = open_history(folder);
        g_autofree char *before = NULL, *after = NULL, *more = NULL;
        size_t size_before, size_after, size_more;

        append(history, RECORD_QUEUED, "a");
        before = temp_read(folder, FILE_NAME, &size_before);
        assert_int_equal(history_reserve(history), 0);
        assert_int_equal(history_reserve(history), 0);
        after = temp_read(folder, FILE_NAME, &size_after);
        assert_int_equal(size_after, size_before);
        assert_memory_equal(after, before, size_before);
        append(history, RECORD_STARTED, "b");
        more = temp_read(folder, FILE_NAME, &size_more);
        assert_null(memchr(more, 0, size_more)); /* no hole before the next line */
        assert_notes(history, 10, "a b ");
        history_free(history);
        history = open_history(folder);
        assert_int_equal(append(history, RECORD_FINISHED, "c"), 3);
        assert_notes(history, 10, "a b c ");
        history_free(history);
}

#define MANY 5000

static void thousands_of_records_are_found_again(void **state) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autoptr(GPtrArray) records = NULL;
        History *history;

        for (unsigned i = 1; i <= MANY; i++)
                g_string_append_printf(text, "{\"note\":\"x\",\"seq\":%u,\"type\":\"external\"}\n", i);
        temp_write(*state, FILE_NAME, text->str, text->len);
        history = open_history(*state);
        for (uint64_t i = MANY + 1; i <= MANY + 50; i++)
                assert_int_equal(append(history, RECORD_EXTERNAL, "x"), i);
        records = read_newest(history, UINT32_MAX);
        assert_int_equal(records->len, MANY + 50);
        for (unsigned i = 0; i < records->len; i++)
                assert_int_equal(seq_of(records->pdata[i]), i + 1);
        history_free(history);
}

static void write_large_file(const TempFolder *folder, unsigned n) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (unsigned i = 1; i <= n; i++)
                g_string_append_printf(text, "{\"seq\":%u,\"type\":\"external\",\"filler\":\"%0*d\"}\n", i,
                                       100 + (int) i % 7, 0);
        temp_write(folder, FILE_NAME, text->str, text->len);
}

/* Across the blocks in which it is read: no record is lost, torn or taken twice where two of them meet. */
static void a_large_file_is_read_from_its_end(void **state) {
        g_autoptr(GPtrArray) records = NULL;
        const unsigned n = 30000;
        History *history;

        write_large_file(*state, n);
        history = open_history(*state);
        records = read_newest(history, 20000);
        assert_int_equal(records->len, 20000);
        for (unsigned i = 0; i < records->len; i++)
                assert_int_equal(seq_of(records->pdata[i]), n - records->len + 1 + i);
        assert_int_equal(append(history, RECORD_EXTERNAL, "x"), n + 1);
        history_free(history);
}

/* The blocks behind a page are passed over: wherever it begins in one, nothing of it is lost. */
static void all_pages_of_a_large_file_are_all_its_records(void **state) {
        uint64_t expected = 30000;
        History *history;

        write_large_file(*state, (unsigned) expected);
        history = open_history(*state);
        while (expected > 0) {
                const HistoryQuery query = { .guid = "", .type = "", .before = expected + 1, .limit = 97 };
                g_autoptr(GPtrArray) page = history_query(history, &query);

                assert_int_equal(page->len, MIN(expected, 97));
                for (unsigned i = page->len; i-- > 0; expected--)
                        assert_int_equal(seq_of(page->pdata[i]), expected);
        }
        history_free(history);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(record_types_round_trip),
                unit_test_with_folder(a_record_says_when_where_and_what),
                unit_test_with_folder(numbers_go_on_after_reopening),
                unit_test_with_folder(the_folder_is_made_when_it_is_missing),
                unit_test_with_folder(a_place_where_no_file_can_be_is_an_error),
                unit_test_with_folder(tail_is_the_newest_records_oldest_first),
                unit_test_with_folder(a_torn_last_line_neither_loses_a_record_nor_breaks_the_next),
                unit_test_with_folder(a_last_line_that_lacks_only_its_newline_is_a_record),
                unit_test_with_folder(two_lfads_never_share_a_history),
                unit_test_with_folder(a_torn_line_on_a_full_disk_is_ended_by_the_next_record),
                unit_test_with_folder(rubbish_between_records_is_passed_over),
                unit_test_with_folder(numbers_go_on_behind_the_highest_wherever_it_is),
                unit_test_with_folder(a_record_that_is_too_long_is_refused_as_a_whole),
                unit_test_with_folder(a_failed_write_leaves_no_part_of_a_record),
                unit_test_with_folder(a_full_disk_is_found_before_the_act_and_loses_nothing),
                unit_test_with_folder(reserving_leaves_the_file_as_it_was),
                unit_test_with_folder(thousands_of_records_are_found_again),
                unit_test_with_folder(a_large_file_is_read_from_its_end),
                unit_test_with_folder(all_pages_of_a_large_file_are_all_its_records),
        };

        return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
