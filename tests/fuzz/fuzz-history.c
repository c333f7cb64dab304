/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The history's files with anything in them: both ways of reading find the same records in the same order, what was
 * there is never rewritten, and a new record is found behind all others. The input: files parted by form feeds, the
 * newest first. */

#include "core/state.h"
#include "daemon/history-query.h"
#include "daemon/history-visit.h"
#include "fuzz.h"
#include "unit/unit.h"

#define RECORDS_MAX 100000
#define MARK "a-mark-of-the-fuzzer"

static const char *const names[HISTORY_FILES] = { "history.jsonl", "history.jsonl.1", "history.jsonl.2",
                                                  "history.jsonl.3" };

static TempFolder *folder;

static void remove_folder(void) {
        folder = temp_folder_free(folder);
}

static uint64_t some_time(void *userdata) {
        return UINT64_C(1796428800000000);
}

static const Clock clock_that_stands = { .realtime_usec = some_time, .monotonic_usec = some_time };

static int collect(json_object *record, uint64_t seq, void *userdata) {
        g_ptr_array_add(userdata, json_object_get(record));
        return 0;
}

static GPtrArray *visit_all(const History *history) {
        GPtrArray *records = g_ptr_array_new_with_free_func(json_put_pointer);

        MUST(history_visit(history, 0, collect, records) == 0);
        return records;
}

static uint64_t number_of(json_object *record, const char *key) {
        uint64_t number = 0;

        (void) json_get_u64(record, key, &number);
        return number;
}

static const char *string_of(json_object *record, const char *key) {
        const char *text = "";

        (void) json_get_string(record, key, &text);
        return text;
}

static void check_record(json_object *record) {
        const char *type;
        uint64_t seq;

        MUST(json_get_u64(record, "seq", &seq) == 0 && json_get_string(record, "type", &type) == 0);
}

static bool fits(const HistoryQuery *query, json_object *record) {
        return (!*query->guid || strcmp(string_of(record, "guid"), query->guid) == 0) &&
               (!*query->type || strcmp(string_of(record, "type"), query->type) == 0) &&
               (query->job == 0 || number_of(record, "job") == query->job) &&
               (query->before == 0 || number_of(record, "seq") < query->before) &&
               number_of(record, "timestamp") >= query->since &&
               (query->until == 0 || number_of(record, "timestamp") <= query->until);
}

static bool has_seq_twice(const char *text, size_t size) {
        static const char key[] = "\"seq\":";
        const char *end = text + size, *found = NULL, *next;

        for (; (next = memmem(text, (size_t) (end - text), key, strlen(key))); text = next + 1) {
                if (found && !memchr(found, '\n', (size_t) (next - found)))
                        return true;
                found = next;
        }
        return false;
}

/* What is searched for by the text of a line is found only as lfad writes it: no escapes, and the keys once. */
static bool is_plain(const char *text, size_t size) {
        return !has_seq_twice(text, size) && !memchr(text, '\\', size) && !memmem(text, size, ":{", 2) &&
               !memmem(text, size, "\"seq\" ", 6) && !memmem(text, size, "{ ", 2) &&
               !memmem(text, size, "\"\"", 2);
}

/* The newest that fit, of all: what was found must be just these. */
static void check_query(const History *history, const GPtrArray *all, const HistoryQuery *query,
                        bool plain) {
        g_autoptr(GPtrArray) found = history_query(history, query);
        unsigned i = found->len;

        MUST(found->len <= query->limit);
        for (unsigned k = 0; k < found->len; k++) {
                check_record(found->pdata[k]);
                MUST(fits(query, found->pdata[k]));
        }
        if (!plain)
                return;
        for (unsigned k = all->len; k-- > 0;) {
                if (!fits(query, all->pdata[k]))
                        continue;
                if (i == 0) {
                        MUST(found->len == query->limit);
                        break;
                }
                MUST(json_object_equal(found->pdata[--i], all->pdata[k]));
        }
        MUST(i == 0);
}

static void check_queries(const History *history, const GPtrArray *all, bool plain) {
        HistoryQuery queries[7];

        for (size_t i = 0; i < G_N_ELEMENTS(queries); i++)
                queries[i] = (HistoryQuery){ .guid = "", .type = "", .limit = i == 1 ? 2 : RECORDS_MAX };
        if (all->len > 0) {
                json_object *some = all->pdata[all->len / 2];

                queries[2].guid = string_of(some, "guid");
                queries[3].type = string_of(some, "type");
                queries[4].job = (uint32_t) number_of(some, "job");
                queries[5].before = number_of(some, "seq");
                queries[6].since = queries[6].until = number_of(some, "timestamp");
        }
        for (size_t i = 0; i < G_N_ELEMENTS(queries); i++)
                check_query(history, all, &queries[i], plain);
}

/* What may be read from one record on. */
static void check_visits(const History *history, const GPtrArray *all, bool plain) {
        g_autoptr(GPtrArray) some = g_ptr_array_new_with_free_func(json_put_pointer);
        uint64_t from = all->len > 0 ? number_of(all->pdata[all->len / 2], "seq") : 1;
        unsigned n = 0;

        MUST(history_visit(history, from, collect, some) == 0);
        for (unsigned i = 0; i < all->len; i++)
                n += number_of(all->pdata[i], "seq") >= from;
        MUST(plain ? some->len == n : some->len <= n);
        g_ptr_array_set_size(some, 0);
        MUST(history_visit_last(history, 2, collect, some) == 0);
        MUST(some->len <= MIN(2, all->len));
        for (unsigned i = 0; i < some->len; i++)
                MUST(json_object_equal(some->pdata[some->len - 1 - i], all->pdata[all->len - 1 - i]));
}

static json_object *new_record(void) {
        json_object *record = json_object_new_object();

        json_add_string(record, "reason", MARK);
        return record;
}

static void check_append(History *history, const GPtrArray *all) {
        g_autoptr(GPtrArray) now = NULL;
        uint64_t seq = 0;
        int r = history_append(history, RECORD_HOLD, new_record(), &seq);

        MUST(r == 0);
        now = visit_all(history);
        MUST(now->len == all->len + 1);
        MUST(strcmp(string_of(now->pdata[all->len], "reason"), MARK) == 0);
        MUST(number_of(now->pdata[all->len], "seq") == seq);
        for (unsigned i = all->len > 32 ? all->len - 32 : 0; i < all->len; i++)
                MUST(number_of(all->pdata[i], "seq") < seq ||
                     number_of(all->pdata[i], "seq") > STATE_SEQ_MAX);
}

/* Bytes that were there are there, and end a line of their own. */
static void check_kept(const char *before, size_t size) {
        size_t size_now;
        g_autofree char *now = temp_read(folder, names[0], &size_now);

        MUST(size_now > size && (size == 0 || memcmp(now, before, size) == 0));
        MUST(size == 0 || before[size - 1] == '\n' || now[size] == '\n');
}

static void check_rotation(History *history) {
        g_autoptr(GPtrArray) before = visit_all(history), after = NULL;
        unsigned dropped;

        MUST(history_rotate(history, 0) == 1);
        after = visit_all(history);
        MUST(after->len <= before->len);
        dropped = before->len - after->len;
        for (unsigned i = 0; i < after->len; i++)
                MUST(json_object_equal(after->pdata[i], before->pdata[dropped + i]));
        MUST(history_append(history, RECORD_UNHOLD, new_record(), NULL) == 0);
}

static void check_history(const char *newest, size_t size, bool plain) {
        _cleanup_(history_freep) History *history = NULL;
        g_autoptr(GPtrArray) all = NULL;

        MUST(history_open(folder->path, &clock_that_stands, &history) == 0);
        all = visit_all(history);
        for (unsigned i = 0; i < all->len; i++)
                check_record(all->pdata[i]);
        check_queries(history, all, plain);
        check_visits(history, all, plain);
        check_append(history, all);
        check_kept(newest, size);
        check_rotation(history);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        g_autofree char *newest = NULL;
        size_t newest_size = 0;
        bool plain = data && size > 0 && is_plain((const char *) data, size);

        if (!folder) {
                folder = temp_folder_new_in_memory();
                atexit(remove_folder);
        }
        for (int i = 0; i < HISTORY_FILES; i++) {
                size_t length = 0;
                g_autofree char *file = take_part(&data, &size, '\f', &length);

                if (file)
                        temp_write(folder, names[i], file, length);
                else
                        (void) unlinkat(folder->fd, names[i], 0);
                if (i == 0 && file) {
                        newest = g_steal_pointer(&file);
                        newest_size = length;
                }
        }
        check_history(newest, newest_size, plain);
        return 0;
}
