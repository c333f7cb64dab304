/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* history.jsonl: appending, reserving room, reading from the tail. */

#include "daemon/history.h"
#include "core/activation-report.h"
#include "util/file-io.h"
#include "util/string-table.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <systemd/sd-id128.h>

#define HISTORY_FILE "history.jsonl"
#define RECORD_SIZE_MAX 4096
/* What a start reads: some 2500 records. Unfinished jobs are at most 64 and lie at the end. */
#define TAIL_SIZE (1024 * 1024)
#define SPARE_SPACE (1024 * 1024)

struct History {
        int fd;
        const Clock *clock;
        char boot_id[BOOT_ID_SIZE];
        uint64_t next_seq;
        bool torn; /* the last line has no end */
};

static const char *const record_types[_RECORD_MAX] = {
        [RECORD_QUEUED] = "queued",     [RECORD_STARTED] = "started",
        [RECORD_FINISHED] = "finished", [RECORD_SETTLED] = "settled",
        [RECORD_EXTERNAL] = "external", [RECORD_AUTO_ACTIVATE_CLEARED] = "auto-activate-cleared",
};
DEFINE_STRING_TABLE(record_type, RecordType, record_types)

/* Reads up to TAIL_SIZE bytes of the file's end into a new buffer. */
static int read_end(History *history, char **ret, size_t *ret_size, bool *ret_from_start) {
        g_autofree char *buffer = NULL;
        struct stat st;
        size_t size, done = 0;
        off_t start;

        if (fstat(history->fd, &st) < 0)
                return -errno;
        start = st.st_size > TAIL_SIZE ? st.st_size - TAIL_SIZE : 0;
        size = (size_t) (st.st_size - start);
        buffer = g_malloc(size + 1);
        while (done < size) {
                ssize_t n = pread(history->fd, buffer + done, size - done, start + (off_t) done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                done += (size_t) n;
        }
        *ret = g_steal_pointer(&buffer);
        *ret_size = done;
        *ret_from_start = start == 0;
        return 0;
}

static bool is_record(json_object *object, uint64_t *ret_seq) {
        const char *type;

        return object && json_get_string(object, "type", &type) >= 0 &&
               json_get_u64(object, "seq", ret_seq) >= 0;
}

/* Walks back from the end, line by line, until limit records were found. */
static GPtrArray *collect_records(const char *buffer, size_t size, bool from_start, unsigned limit) {
        GPtrArray *records = g_ptr_array_new_with_free_func(json_put_pointer);
        const char *end = memrchr(buffer, '\n', size);

        while (end && records->len < limit) {
                const char *newline = end > buffer ? memrchr(buffer, '\n', (size_t) (end - buffer)) : NULL;
                const char *line = newline ? newline + 1 : buffer;
                json_object *object = NULL;
                uint64_t seq;

                if (!newline && !from_start)
                        break; /* begins before what was read */
                if (end > line)
                        object = json_parse_line(line, (size_t) (end - line));
                if (is_record(object, &seq))
                        g_ptr_array_add(records, object);
                else
                        json_object_put(object);
                end = newline;
        }
        for (unsigned i = 0; i < records->len / 2; i++) {
                void *swapped = records->pdata[i];

                records->pdata[i] = records->pdata[records->len - 1 - i];
                records->pdata[records->len - 1 - i] = swapped;
        }
        return records;
}

GPtrArray *history_read_tail(History *history, unsigned limit) {
        g_autofree char *buffer = NULL;
        bool from_start;
        size_t size;

        if (read_end(history, &buffer, &size, &from_start) < 0)
                return g_ptr_array_new_with_free_func(json_put_pointer);
        return collect_records(buffer, size, from_start, limit);
}

/* Continues the sequence behind the highest number that the end of the file holds. */
static int find_end(History *history) {
        g_autofree char *buffer = NULL;
        g_autoptr(GPtrArray) records = NULL;
        bool from_start;
        uint64_t seq;
        size_t size;
        int r;

        r = read_end(history, &buffer, &size, &from_start);
        if (r < 0)
                return r;
        history->torn = size > 0 && buffer[size - 1] != '\n';
        records = collect_records(buffer, size, from_start, UINT32_MAX);
        history->next_seq = 1;
        for (unsigned i = 0; i < records->len; i++)
                if (is_record(records->pdata[i], &seq) && seq >= history->next_seq)
                        history->next_seq = seq + 1;
        return 0;
}

int history_open(const char *folder, const Clock *clock, History **ret) {
        _cleanup_close_ int folder_fd = -EBADF;
        _cleanup_(history_freep) History *history = g_new0(History, 1);
        sd_id128_t boot_id;
        int r;

        history->fd = -EBADF;
        history->clock = clock;
        if (g_mkdir_with_parents(folder, 0755) < 0)
                return -errno;
        folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder_fd < 0)
                return -errno;
        history->fd = openat(folder_fd, HISTORY_FILE, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                             0644);
        if (history->fd < 0)
                return -errno;
        if (fsync(folder_fd) < 0)
                return -errno;
        r = sd_id128_get_boot(&boot_id);
        if (r < 0)
                return r;
        sd_id128_to_string(boot_id, history->boot_id);
        r = find_end(history);
        if (r < 0)
                return r;
        *ret = g_steal_pointer(&history);
        return 0;
}

/* Takes back what a failed write left of a record, so that the next one starts on a line of its own. */
static void undo_partial(History *history, off_t size_before) {
        history->torn = ftruncate(history->fd, size_before) < 0;
}

static int append_line(History *history, const char *text) {
        g_autofree char *line = g_strdup_printf("%s%s\n", history->torn ? "\n" : "", text);
        size_t length = strlen(line);
        struct stat st;
        ssize_t n;
        int r;

        if (length > RECORD_SIZE_MAX)
                return -EMSGSIZE;
        if (fstat(history->fd, &st) < 0)
                return -errno;
        n = write(history->fd, line, length);
        if (n == (ssize_t) length) {
                if (fdatasync(history->fd) >= 0) {
                        history->torn = false;
                        return 0;
                }
                r = -errno;
        } else
                r = n < 0 ? -errno : -ENOSPC;
        undo_partial(history, st.st_size);
        return r;
}

int history_append(History *history, RecordType type, json_object *record, uint64_t *ret_seq) {
        _cleanup_json_ json_object *owned = record;
        uint64_t seq = history->next_seq;
        int r;

        json_add_u64(owned, "seq", seq);
        if (type == RECORD_QUEUED)
                json_add_u64(owned, "job", seq);
        json_add_string(owned, "type", record_type_to_string(type));
        json_add_u64(owned, "timestamp", clock_realtime(history->clock));
        json_add_u64(owned, "monotonic", clock_monotonic(history->clock));
        json_add_string(owned, "boot-id", history->boot_id);
        r = append_line(history, json_object_to_json_string_ext(owned, JSON_C_TO_STRING_PLAIN));
        if (r < 0)
                return r;
        history->next_seq = seq + 1;
        if (ret_seq)
                *ret_seq = seq;
        return 0;
}

int history_reserve(History *history) {
        struct stat st;
        struct statvfs fs;

        if (fstat(history->fd, &st) < 0)
                return -errno;
        /* KEEP_SIZE, from the end: anything else would put NULs where the next line begins. */
        if (fallocate(history->fd, FALLOC_FL_KEEP_SIZE, st.st_size,
                      (off_t) RECORDS_RESERVED * RECORD_SIZE_MAX) >= 0)
                return 0;
        if (errno != EOPNOTSUPP)
                return -errno;
        if (fstatvfs(history->fd, &fs) < 0)
                return -errno;
        return (uint64_t) fs.f_bavail * fs.f_frsize >= SPARE_SPACE ? 0 : -ENOSPC;
}

int history_fd(const History *history) {
        return history->fd;
}

const char *history_boot_id(const History *history) {
        return history->boot_id;
}

void *history_free(History *history) {
        if (history) {
                safe_close(history->fd);
                g_free(history);
        }
        return NULL;
}
