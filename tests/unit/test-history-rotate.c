/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Beginning a new history file: what is kept, what is dropped, and that a crash at any system call loses nothing else.
 */

#include "daemon/history-query.h"
#include "daemon/history-visit.h"
#include "unit.h"
#include "util/macros.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define MAX_BYTES (HISTORY_FILES * 1024)

static History *open_history(const TempFolder *folder) {
        History *history = NULL;

        assert_int_equal(history_open(folder->path, &system_clock, &history), 0);
        return history;
}

static uint64_t append(History *history) {
        uint64_t seq = 0;

        assert_int_equal(history_append(history, RECORD_EXTERNAL, json_object_new_object(), &seq), 0);
        return seq;
}

/* Appends until a new file is due, and begins it. Returns the last number before it. */
static uint64_t fill_and_rotate(History *history) {
        uint64_t seq = 0;
        int r;

        while ((r = history_rotate(history, MAX_BYTES)) == 0)
                seq = append(history);
        assert_int_equal(r, 1);
        return seq;
}

static bool exists(const TempFolder *folder, const char *name) {
        struct stat st;

        return fstatat(folder->fd, name, &st, 0) == 0;
}

typedef struct Range {
        uint64_t first, last; /* 0 = nothing was shown */
        bool whole;
} Range;

static int extend(json_object *record, uint64_t seq, void *userdata) {
        Range *range = userdata;

        if (range->first == 0)
                range->first = seq;
        else if (seq != range->last + 1)
                range->whole = false;
        range->last = seq;
        return 0;
}

/* These records, each once and in order, forwards and backwards. */
static void assert_range(const History *history, uint64_t first, uint64_t last) {
        const HistoryQuery all = { .guid = "", .type = "", .limit = UINT32_MAX };
        g_autoptr(GPtrArray) records = history_query(history, &all);
        Range range = { .whole = true }, queried = { .whole = true };

        assert_int_equal(history_visit(history, 0, extend, &range), 0);
        assert_true(range.whole);
        assert_int_equal(range.first, first);
        assert_int_equal(range.last, last);
        for (unsigned i = 0; i < records->len; i++) {
                uint64_t seq;

                assert_int_equal(json_get_u64(records->pdata[i], "seq", &seq), 0);
                (void) extend(records->pdata[i], seq, &queried);
        }
        assert_true(queried.whole);
        assert_int_equal(queried.first, first);
        assert_int_equal(queried.last, last);
}

static void a_file_grows_to_its_part(void **state) {
        _cleanup_(history_freep) History *history = open_history(*state);
        g_autofree char *text = NULL;
        size_t size;

        assert_int_equal(history_rotate(history, MAX_BYTES), 0); /* empty */
        fill_and_rotate(history);
        text = temp_read(*state, "history.jsonl.1", &size);
        assert_in_range(size, MAX_BYTES / HISTORY_FILES, MAX_BYTES / HISTORY_FILES + 300);
        assert_false(exists(*state, "history.jsonl.2"));
        assert_int_equal(history_rotate(history, MAX_BYTES), 0);
        assert_false(exists(*state, "history.jsonl.2"));
}

static void numbers_go_on_and_nothing_is_lost(void **state) {
        History *history = open_history(*state);
        uint64_t last = 0;

        for (unsigned i = 0; i < HISTORY_FILES - 1; i++) {
                uint64_t now = fill_and_rotate(history);

                assert_in_range(now, last + 1, UINT32_MAX);
                last = now;
                assert_range(history, 1, last);
                history_free(history);
                history = open_history(*state); /* the newest file is empty */
                assert_range(history, 1, last);
        }
        assert_int_equal(append(history), last + 1);
        assert_range(history, 1, last + 1);
        history_free(history);
}

static void the_oldest_file_is_dropped_and_no_other(void **state) {
        _cleanup_(history_freep) History *history = open_history(*state);
        uint64_t ends[9];

        for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++) {
                ends[i] = fill_and_rotate(history);
                assert_range(history, i < HISTORY_FILES - 1 ? 1 : ends[i - HISTORY_FILES + 1] + 1, ends[i]);
        }
        assert_int_equal(temp_count_entries(*state), HISTORY_FILES + 1); /* and the lock */
}

static void pages_go_on_across_files(void **state) {
        _cleanup_(history_freep) History *history = open_history(*state);
        uint64_t last, before = 0, expected;

        fill_and_rotate(history);
        fill_and_rotate(history);
        last = append(history);
        expected = last;
        for (;;) {
                const HistoryQuery page = { .guid = "", .type = "external", .before = before, .limit = 3 };
                g_autoptr(GPtrArray) records = history_query(history, &page);

                for (unsigned i = records->len; i-- > 0; expected--) {
                        uint64_t seq;

                        assert_int_equal(json_get_u64(records->pdata[i], "seq", &seq), 0);
                        assert_int_equal(seq, expected);
                }
                before = expected + 1;
                if (records->len < 3)
                        break;
        }
        assert_int_equal(expected, 0);
}

static void a_gap_is_filled_and_drops_nothing(void **state) {
        const TempFolder *folder = *state;
        History *history = open_history(folder);
        uint64_t first, last;

        first = fill_and_rotate(history) + 1;
        fill_and_rotate(history);
        last = fill_and_rotate(history);
        history_free(history);
        /* As if a crash had stopped a rotation after its first rename, and somebody had taken a file away. */
        assert_int_equal(renameat(folder->fd, "history.jsonl.3", folder->fd, "history.jsonl"), 0);
        assert_int_equal(renameat(folder->fd, "history.jsonl.2", folder->fd, "history.jsonl.3"), 0);
        assert_int_equal(renameat(folder->fd, "history.jsonl.1", folder->fd, "history.jsonl"), 0);
        history = open_history(folder);
        assert_range(history, first, last);
        assert_int_equal(append(history), last + 1);
        assert_int_equal(history_rotate(history, MAX_BYTES), 1);
        assert_true(exists(folder, "history.jsonl.1"));
        assert_false(exists(folder, "history.jsonl.2"));
        assert_range(history, first, last + 1);
        history_free(history);
}

static void rubbish_in_the_files_stops_no_number(void **state) {
        static const char *const files[] = { "history.jsonl", "history.jsonl.1", "history.jsonl.2" };

        for (size_t n = 0; n < G_N_ELEMENTS(files); n++) {
                History *history;

                temp_write_text(*state, "history.jsonl.3",
                                "{\"seq\":7,\"type\":\"external\"}\nrubbish\n{\"seq\"");
                for (size_t i = 0; i <= n; i++)
                        temp_write_text(*state, files[i], "rubbish\n\n{}\nrub");
                history = open_history(*state);
                assert_int_equal(append(history), 8);
                history_free(history);
        }
}

static void a_torn_line_is_ended_before_its_file_is_left(void **state) {
        History *history;
        uint64_t last;

        temp_write_text(*state, "history.jsonl",
                        "{\"seq\":1,\"type\":\"external\"}\n{\"seq\":2,\"type\":\"external\"}");
        history = open_history(*state);
        last = fill_and_rotate(history);
        assert_range(history, 1, last);
        history_free(history);
}

static void what_a_crash_left_of_a_beginning_goes_away(void **state) {
        _cleanup_(history_freep) History *history = NULL;

        temp_write_text(*state, ".history.jsonl.new", "");
        history = open_history(*state);
        assert_false(exists(*state, ".history.jsonl.new"));
        temp_write_text(*state, ".history.jsonl.new", "rubbish\n");
        assert_range(history, 1, fill_and_rotate(history));
        assert_false(exists(*state, ".history.jsonl.new"));
}

static void a_failure_goes_on_with_the_old_file(void **state) {
        const TempFolder *folder = *state;
        _cleanup_(history_freep) History *history = open_history(folder);
        uint64_t last = 0;

        temp_write_text(folder, ".history.jsonl.new/inside", ""); /* no file can be made of that name */
        for (unsigned i = 0; i < 20; i++)
                last = append(history);
        assert_in_range(-history_rotate(history, MAX_BYTES), 1, 200);
        assert_int_equal(append(history), last + 1);
        assert_range(history, 1, last + 1);
        assert_int_equal(unlinkat(folder->fd, ".history.jsonl.new/inside", 0), 0);
        assert_int_equal(unlinkat(folder->fd, ".history.jsonl.new", AT_REMOVEDIR), 0);
        assert_int_equal(history_rotate(history, MAX_BYTES), 1);
        assert_int_equal(append(history), last + 2);
        assert_range(history, 1, last + 2);
}

static void rotate_traced(const TempFolder *folder) {
        History *history;

        if (history_open(folder->path, &system_clock, &history) < 0 ||
            ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
                _exit(2);
        (void) raise(SIGSTOP);
        _exit(history_rotate(history, MAX_BYTES) == 1 ? 0 : 1);
}

/* Rotates in another process, which dies before (odd) or after (even) one of its system calls, counted from 1.
 * Returns false when it came to its end before. */
static bool rotate_and_crash(const TempFolder *folder, unsigned stops) {
        pid_t pid = fork();
        int status;

        assert_in_range(pid, 0, INT32_MAX);
        if (pid == 0)
                rotate_traced(folder);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSTOPPED(status));
        for (unsigned i = 0; i < stops; i++) {
                assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                if (!WIFSTOPPED(status)) {
                        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
                        return false;
                }
        }
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return true;
}

/* Begins with all four files full; the first records of the three younger ones must never be lost. */
static void a_crash_at_any_system_call_loses_nothing_but_the_oldest_file(void **state) {
        unsigned stops = 0;
        bool crashed;

        do {
                TempFolder *folder = temp_folder_new_in_memory();
                History *history = open_history(folder);
                uint64_t kept = fill_and_rotate(history) + 1, last;

                fill_and_rotate(history);
                last = fill_and_rotate(history);
                while (last - kept < 60)
                        last = append(history);
                history_free(history);

                crashed = rotate_and_crash(folder, ++stops);
                history = open_history(folder);
                for (unsigned i = 0; i < 2; i++) {
                        const HistoryQuery all = { .guid = "", .type = "", .limit = UINT32_MAX };
                        g_autoptr(GPtrArray) records = history_query(history, &all);
                        uint64_t first;

                        assert_int_equal(json_get_u64(records->pdata[0], "seq", &first), 0);
                        assert_true(first == 1 || first == kept);
                        assert_range(history, first, last);
                        assert_int_equal(append(history), last + 1);
                        last++;
                        /* the rotation is made up for, and drops nothing more */
                        assert_in_range(history_rotate(history, MAX_BYTES), 0, 1);
                }
                history_free(history);
                temp_folder_free(folder);
        } while (crashed);
        assert_in_range(stops, 20, 200); /* a new file, three or four renames, two of the disk's waits */
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_folder(a_file_grows_to_its_part),
                unit_test_with_folder(numbers_go_on_and_nothing_is_lost),
                unit_test_with_folder(the_oldest_file_is_dropped_and_no_other),
                unit_test_with_folder(pages_go_on_across_files),
                unit_test_with_folder(a_gap_is_filled_and_drops_nothing),
                unit_test_with_folder(rubbish_in_the_files_stops_no_number),
                unit_test_with_folder(a_torn_line_is_ended_before_its_file_is_left),
                unit_test_with_folder(what_a_crash_left_of_a_beginning_goes_away),
                unit_test_with_folder(a_failure_goes_on_with_the_old_file),
                cmocka_unit_test(a_crash_at_any_system_call_loses_nothing_but_the_oldest_file),
        };

        return cmocka_run_group_tests_name("history-rotate", tests, NULL, NULL);
}
