/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Searching the history backwards, block by block. A line is parsed only when its text could fit the query:
 * that keeps a search of the whole file at milliseconds. */

#include "daemon/history-query.h"
#include "core/state.h"
#include "daemon/history-line.h"
#include "util/macros.h"

#include <string.h>
#include <sys/stat.h>

#define BLOCK_SIZE (256 * 1024)
/* The end of one line and the whole of the next one lie in it. */
#define PROBE_SIZE (2 * RECORD_SIZE_MAX)

typedef struct Search {
        const HistoryQuery *query;
        char *needles[3]; /* each must be in the text of a line that fits; NULL behind the last */
        GPtrArray *found; /* newest first */
} Search;

static void add_needle(Search *search, char *needle) {
        size_t n = 0;

        while (search->needles[n])
                n++;
        search->needles[n] = needle;
}

static bool text_may_fit(const Search *search, const char *line, size_t length) {
        uint64_t seq;

        if (search->query->before > 0 && history_line_seq(line, length, &seq) &&
            seq >= search->query->before)
                return false;
        for (size_t i = 0; i < G_N_ELEMENTS(search->needles) && search->needles[i]; i++)
                if (!memmem(line, length, search->needles[i], strlen(search->needles[i])))
                        return false;
        return true;
}

static bool string_fits(json_object *record, const char *key, const char *wanted) {
        const char *text;

        return !*wanted || (json_get_string(record, key, &text) >= 0 && strcmp(text, wanted) == 0);
}

static bool record_fits(const HistoryQuery *query, json_object *record) {
        uint64_t seq, timestamp = 0, job = 0;
        const char *type;

        if (json_get_u64(record, "seq", &seq) < 0 || json_get_string(record, "type", &type) < 0)
                return false;
        (void) json_get_u64(record, "timestamp", &timestamp);
        (void) json_get_u64(record, "job", &job);
        if ((query->before > 0 && seq >= query->before) || (query->job > 0 && job != query->job))
                return false;
        if (timestamp < query->since || (query->until > 0 && timestamp > query->until))
                return false;
        return string_fits(record, "guid", query->guid) && string_fits(record, "type", query->type);
}

static void take_line(Search *search, const char *line, size_t length) {
        json_object *record;

        if (length == 0 || !text_may_fit(search, line, length))
                return;
        record = json_parse_line(line, length);
        if (record && record_fits(search->query, record))
                g_ptr_array_add(search->found, record);
        else
                json_object_put(record);
}

static bool is_done(const Search *search) {
        return search->found->len >= search->query->limit;
}

/* Takes the lines of a block from its end. Returns the length of the first one's part, which the block
 * before goes on with. */
static size_t take_block(Search *search, const char *block, size_t size) {
        const char *end = memrchr(block, '\n', size), *newline;

        while (end && !is_done(search)) {
                newline = end > block ? memrchr(block, '\n', (size_t) (end - block)) : NULL;
                if (!newline)
                        break;
                take_line(search, newline + 1, (size_t) (end - newline - 1));
                end = newline;
        }
        return end ? (size_t) (end - block) + 1 : 0;
}

/* Whether the first line that begins behind this offset is one of those that are not asked for; then ret_first is where
 * it begins. */
static bool begins_too_high(const Search *search, int fd, off_t offset, char *block, off_t *ret_first) {
        ssize_t n = pread(fd, block, PROBE_SIZE, offset);
        const char *first = n > 0 ? memchr(block, '\n', (size_t) n) : NULL, *end;
        uint64_t seq;

        if (!first)
                return false;
        first++;
        end = memchr(first, '\n', (size_t) (block + n - first));
        if (!end || !history_line_seq(first, (size_t) (end - first), &seq) || seq < search->query->before ||
            seq > STATE_SEQ_MAX) /* rubbish, which says nothing of what follows */
                return false;
        *ret_first = offset + (first - block);
        return true;
}

/* Numbers rise in a file: what lies behind a line that is not asked for is not, either, and need not be read. Else each
 * page of a long history would cost the more the older it is. In steps that grow as long as that goes well. */
static void pass_over(const Search *search, int fd, char *block, off_t *end) {
        off_t step = BLOCK_SIZE;

        while (search->query->before > 0 && step >= BLOCK_SIZE)
                if (*end > step && begins_too_high(search, fd, *end - step, block, end))
                        step *= 2;
                else
                        step /= 2;
}

static void search_file(Search *search, int fd, char *block) {
        struct stat st;
        off_t end;

        if (fstat(fd, &st) < 0)
                return;
        end = st.st_size;
        pass_over(search, fd, block, &end);
        while (end > 0 && !is_done(search)) {
                off_t start = end > BLOCK_SIZE ? end - BLOCK_SIZE : 0;
                ssize_t n = pread(fd, block, (size_t) (end - start), start);
                size_t rest;

                if (n != end - start)
                        return;
                rest = take_block(search, block, (size_t) n);
                if (start == 0) {
                        if (rest > 0 && !is_done(search))
                                take_line(search, block, rest - 1);
                        return;
                }
                /* A block without the end of any line is rubbish of ours or somebody's: pass over it. */
                end = rest > 0 && rest < (size_t) n ? start + (off_t) rest : start;
        }
}

/* From the newest on; what is missing or cannot be read is passed over. */
static void search_files(Search *search, const History *history) {
        g_autofree char *block = g_malloc(BLOCK_SIZE);

        for (unsigned age = 0; age < HISTORY_FILES && !is_done(search); age++) {
                _cleanup_close_ int fd = history_open_file(history, age);

                if (fd >= 0)
                        search_file(search, fd, block);
        }
}

static void reverse(GPtrArray *array) {
        for (unsigned i = 0; i < array->len / 2; i++) {
                void *swapped = array->pdata[i];

                array->pdata[i] = array->pdata[array->len - 1 - i];
                array->pdata[array->len - 1 - i] = swapped;
        }
}

GPtrArray *history_query(const History *history, const HistoryQuery *query) {
        Search search = { .query = query, .found = g_ptr_array_new_with_free_func(json_put_pointer) };

        if (*query->guid)
                add_needle(&search, g_strdup(query->guid));
        if (*query->type)
                add_needle(&search, g_strdup_printf("\"%s\"", query->type));
        if (query->job > 0)
                add_needle(&search, g_strdup_printf("%u", query->job));
        search_files(&search, history);
        for (size_t i = 0; i < G_N_ELEMENTS(search.needles); i++)
                g_free(search.needles[i]);
        reverse(search.found);
        return search.found;
}
