/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The history: appending, reserving room, beginning a new file. */

#include "daemon/history.h"
#include "core/state.h"
#include "daemon/history-files.h"
#include "daemon/history-query.h"
#include "util/boot-id.h"
#include "util/file-io.h"
#include "util/string-table.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define LOCK_FILE "lfad.lock"
#define NEWEST_RECORDS 64
#define SPARE_SPACE (1024 * 1024)

struct History {
        int folder_fd;
        int fd; /* of the newest file, the only one that is written */
        int lock_fd;
        const Clock *clock;
        char boot_id[BOOT_ID_SIZE];
        uint64_t next_seq;
        bool torn; /* the last line has no end */
};

static const char *const record_types[_RECORD_MAX] = {
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
DEFINE_STRING_TABLE(record_type, RecordType, record_types)

/* Continues the sequence behind the highest number among the newest records, wherever the last one lies. Behind one that
 * is rubbish the numbers would soon end. */
static int find_end(History *history) {
        const HistoryQuery newest = { .guid = "", .type = "", .limit = NEWEST_RECORDS };
        g_autoptr(GPtrArray) records = history_query(history, &newest);
        struct stat st;
        char last;

        if (fstat(history->fd, &st) < 0)
                return -errno;
        history->torn = st.st_size > 0 && pread(history->fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
        history->next_seq = 1;
        for (unsigned i = 0; i < records->len; i++) {
                uint64_t seq;

                if (json_get_u64(records->pdata[i], "seq", &seq) >= 0 && seq >= history->next_seq &&
                    seq <= STATE_SEQ_MAX)
                        history->next_seq = seq + 1;
        }
        return 0;
}

/* Two lfads would number their records alike and end each other's jobs. Mode 0600: nobody else can hold it.
 */
static int lock_folder(History *history) {
        history->lock_fd = openat(history->folder_fd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                                  0600);
        if (history->lock_fd < 0 || fchmod(history->lock_fd, 0600) < 0)
                return -errno;
        if (flock(history->lock_fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        return 0;
}

/* Ends a last line that has no end: what is a record counts from now on, what was torn is passed over. */
static int end_last_line(History *history) {
        struct stat st;
        char last;

        if (fstat(history->fd, &st) < 0)
                return -errno;
        if (st.st_size == 0 || (pread(history->fd, &last, 1, st.st_size - 1) == 1 && last == '\n'))
                return 0;
        return write(history->fd, "\n", 1) == 1 && fdatasync(history->fd) >= 0 ? 0 : -EIO;
}

int history_open(const char *folder, const Clock *clock, History **ret) {
        _cleanup_(history_freep) History *history = g_new0(History, 1);
        int r;

        history->folder_fd = history->fd = history->lock_fd = -EBADF;
        history->clock = clock;
        if (g_mkdir_with_parents(folder, 0755) < 0)
                return -errno;
        history->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (history->folder_fd < 0)
                return -errno;
        r = lock_folder(history);
        if (r < 0)
                return r;
        history->fd = history_files_open_newest(history->folder_fd);
        if (history->fd < 0)
                return history->fd;
        r = boot_id_read(history->boot_id);
        if (r < 0)
                return r;
        /* On a full disk the next record begins with the missing end (find_end notes it). */
        (void) end_last_line(history);
        r = find_end(history);
        if (r < 0)
                return r;
        *ret = g_steal_pointer(&history);
        return 0;
}

/* Takes back what a failed write left of a record, so that the next one starts on a line of its own. */
static void undo_partial(History *history, off_t size_before) {
        if (ftruncate(history->fd, size_before) < 0)
                history->torn = true; /* never false here: an older torn line may still be there */
}

/* A quota that is used up is a full disk to whoever has to make room. */
static int disk_error(int error) {
        return error == EDQUOT ? -ENOSPC : -error;
}

/* What was torn stays no record, even where it lacks nothing but the end of the line: at the start it was passed over. */
static int append_line(History *history, const char *text) {
        g_autofree char *line = g_strdup_printf("%s%s\n", history->torn ? "#\n" : "", text);
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
                r = disk_error(errno);
        } else
                r = n < 0 ? disk_error(errno) : -ENOSPC;
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

void history_continue_behind(History *history, uint64_t seq) {
        history->next_seq = MAX(history->next_seq, seq + 1);
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
                return disk_error(errno);
        if (fstatvfs(history->fd, &fs) < 0)
                return -errno;
        return (uint64_t) fs.f_bavail * fs.f_frsize >= SPARE_SPACE ? 0 : -ENOSPC;
}

bool history_is_full(const History *history) {
        return history->next_seq > STATE_SEQ_MAX;
}

int history_rotate(History *history, uint64_t max_bytes) {
        struct stat st;
        int r, fd;

        if (fstat(history->fd, &st) < 0)
                return -errno;
        if ((uint64_t) st.st_size < max_bytes / HISTORY_FILES)
                return 0;
        r = end_last_line(history);
        if (r < 0)
                return r;
        fd = history_files_begin(history->folder_fd);
        if (fd < 0)
                return disk_error(-fd);
        safe_close(history->fd);
        history->fd = fd;
        history->torn = false;
        return 1;
}

/* When a file could neither be replaced nor named as before, it lies under an older name and is written all the same.
 */
static bool is_newest(const History *history, int fd) {
        struct stat st, newest;

        return fstat(fd, &st) >= 0 && fstat(history->fd, &newest) >= 0 && st.st_dev == newest.st_dev &&
               st.st_ino == newest.st_ino;
}

int history_open_file(const History *history, unsigned age) {
        _cleanup_close_ int fd = -EBADF;

        if (age == 0) {
                fd = fcntl(history->fd, F_DUPFD_CLOEXEC, 3);
                return fd < 0 ? -errno : steal_fd(&fd);
        }
        fd = history_files_open_older(history->folder_fd, age);
        return fd >= 0 && is_newest(history, fd) ? -ENOENT : steal_fd(&fd);
}

const char *history_boot_id(const History *history) {
        return history->boot_id;
}

void *history_free(History *history) {
        if (history) {
                safe_close(history->fd);
                safe_close(history->folder_fd);
                safe_close(history->lock_fd);
                g_free(history);
        }
        return NULL;
}
