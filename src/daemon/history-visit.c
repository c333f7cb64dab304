/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the history forwards, block by block. A line is parsed only when its number could be high enough. */

#include "daemon/history-visit.h"
#include "daemon/history-line.h"
#include "util/macros.h"

#include <string.h>
#include <sys/stat.h>

#define BLOCK_SIZE (64 * 1024)

typedef struct Visit {
        uint64_t from_seq;
        HistoryVisitor visitor;
        void *userdata;
        int error; /* of a file that was passed over */
} Visit;

static bool is_too_old(const Visit *visit, const char *line, size_t length) {
        uint64_t seq;

        return visit->from_seq > 0 && history_line_seq(line, length, &seq) && seq < visit->from_seq;
}

static int visit_line(const Visit *visit, const char *line, size_t length) {
        _cleanup_json_ json_object *record = NULL;
        const char *type;
        uint64_t seq;

        if (length == 0 || length >= RECORD_SIZE_MAX || is_too_old(visit, line, length))
                return 0;
        record = json_parse_line(line, length);
        if (!record || json_get_u64(record, "seq", &seq) < 0 || json_get_string(record, "type", &type) < 0 ||
            seq < visit->from_seq)
                return 0;
        return visit->visitor(record, seq, visit->userdata);
}

/* Takes the lines that end in the block. ret_taken: how many bytes they are. */
static int visit_block(const Visit *visit, const char *block, size_t size, size_t *ret_taken) {
        const char *line = block, *end;

        while ((end = memchr(line, '\n', size - (size_t) (line - block)))) {
                int r = visit_line(visit, line, (size_t) (end - line));

                if (r != 0)
                        return r;
                line = end + 1;
        }
        *ret_taken = (size_t) (line - block);
        return 0;
}

static int visit_file(Visit *visit, int fd, off_t start, char *block) {
        struct stat st;
        bool cut = false; /* the block goes on with a line that is too long to be a record */

        if (fstat(fd, &st) < 0) {
                visit->error = -errno;
                return 0;
        }
        while (start < st.st_size) {
                ssize_t n = pread(fd, block, (size_t) MIN(BLOCK_SIZE, st.st_size - start), start);
                const char *first = n > 0 && cut ? memchr(block, '\n', (size_t) n) : block;
                size_t taken = 0;
                int r;

                if (n <= 0) {
                        visit->error = n < 0 ? -errno : visit->error;
                        return 0;
                }
                if (first) {
                        size_t skipped = (size_t) (first - block);

                        r = visit_block(visit, first, (size_t) n - skipped, &taken);
                        if (r != 0)
                                return r;
                        taken += skipped;
                }
                cut = taken == 0;
                start += cut ? n : (off_t) taken;
        }
        return 0;
}

/* Where a line begins: file and offset. */
typedef struct Place {
        unsigned age;
        off_t offset;
} Place;

static int visit_from(const History *history, Visit *visit, Place from, char *block) {
        int r = 0;

        for (unsigned age = from.age + 1; age-- > 0 && r == 0;) {
                _cleanup_close_ int fd = history_open_file(history, age);

                if (fd >= 0)
                        r = visit_file(visit, fd, age == from.age ? from.offset : 0, block);
                else if (fd != -ENOENT)
                        visit->error = fd;
        }
        return r != 0 ? r : visit->error;
}

/* Goes back over so many ends of lines and the one before them. Returns true with the offset behind that one, false
 * when the file has fewer; lines is what is left to go back then. */
static bool go_back(int fd, unsigned *lines, char *block, off_t *ret_offset) {
        struct stat st;
        ssize_t n;

        if (fstat(fd, &st) < 0)
                return false;
        for (off_t end = st.st_size; end > 0; end -= n) {
                off_t start = end > BLOCK_SIZE ? end - BLOCK_SIZE : 0;
                const char *newline;

                n = pread(fd, block, (size_t) (end - start), start);
                if (n != end - start)
                        return false;
                for (size_t size = (size_t) n; (newline = memrchr(block, '\n', size));
                     size = (size_t) (newline - block))
                        if ((*lines)-- == 0) {
                                *ret_offset = start + (newline - block) + 1;
                                *lines = 0;
                                return true;
                        }
        }
        return false;
}

static Place find_place(const History *history, unsigned lines, char *block) {
        Place place = { 0 };

        for (;; place.age++) {
                _cleanup_close_ int fd = history_open_file(history, place.age);

                if ((fd >= 0 && go_back(fd, &lines, block, &place.offset)) || place.age == HISTORY_FILES - 1)
                        return place;
        }
}

int history_visit(const History *history, uint64_t from_seq, HistoryVisitor visitor, void *userdata) {
        Visit visit = { .from_seq = from_seq, .visitor = visitor, .userdata = userdata };
        g_autofree char *block = g_malloc(BLOCK_SIZE);

        return visit_from(history, &visit, (Place){ .age = HISTORY_FILES - 1 }, block);
}

int history_visit_last(const History *history, unsigned lines, HistoryVisitor visitor, void *userdata) {
        Visit visit = { .visitor = visitor, .userdata = userdata };
        g_autofree char *block = g_malloc(BLOCK_SIZE);

        return visit_from(history, &visit, find_place(history, lines, block), block);
}
