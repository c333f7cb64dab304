/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel log as a file: places, records, readers. */

#define FUSE_USE_VERSION 312

#include "sim/kernel-log-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Far more than a reader reads between two seeks, so that no place behind a record is taken for one of a
 * seek. */
#define PLACE_SHIFT 20
#define WRITE_SIZE_MAX 992
#define LEVEL_DEFAULT 4
#define FACILITY_USER 1

struct KernelLogFile {
        Machine *machine;     /* borrowed */
        pthread_mutex_t lock; /* guards readers */
        GHashTable *readers;  /* Reader, owned: a set */
};

/* One open file. Two threads that share it take turns. */
typedef struct Reader {
        pthread_mutex_t lock;
        uint64_t next;  /* the sequence number of the record that is read next */
        off_t expected; /* where the next read begins unless somebody seeks */
} Reader;

static void reader_free(void *data) {
        Reader *reader = data;

        pthread_mutex_destroy(&reader->lock);
        g_free(reader);
}

KernelLogFile *kernel_log_file_new(Machine *machine) {
        KernelLogFile *file = g_new0(KernelLogFile, 1);

        file->machine = machine;
        file->readers = g_hash_table_new_full(NULL, NULL, reader_free, NULL);
        pthread_mutex_init(&file->lock, NULL);
        return file;
}

KernelLogFile *kernel_log_file_free(KernelLogFile *file) {
        if (!file)
                return NULL;
        g_hash_table_unref(file->readers);
        pthread_mutex_destroy(&file->lock);
        g_free(file);
        return NULL;
}

/* With the machine's lock held. */
static uint64_t oldest(const Driver *driver) {
        const DriverLogLine *line = g_queue_peek_head(driver->log);

        return line ? line->seq : driver->log_next;
}

static off_t place_of(uint64_t seq) {
        return (off_t) ((seq + 1) << PLACE_SHIFT);
}

void kernel_log_file_stat(KernelLogFile *file, struct stat *status) {
        machine_lock(file->machine);
        status->st_size = place_of(file->machine->driver->log_next);
        machine_unlock(file->machine);
        status->st_mode = S_IFREG | 0644;
        status->st_nlink = 1;
}

void kernel_log_file_open(KernelLogFile *file, fuse_req_t request, struct fuse_file_info *info) {
        Reader *reader = g_new0(Reader, 1);

        pthread_mutex_init(&reader->lock, NULL);
        machine_lock(file->machine);
        reader->next = oldest(file->machine->driver);
        machine_unlock(file->machine);
        pthread_mutex_lock(&file->lock);
        g_hash_table_add(file->readers, reader);
        pthread_mutex_unlock(&file->lock);
        info->fh = (uintptr_t) reader;
        info->direct_io = 1;
        fuse_reply_open(request, info);
}

void kernel_log_file_release(KernelLogFile *file, fuse_req_t request, const struct fuse_file_info *info) {
        pthread_mutex_lock(&file->lock);
        g_hash_table_remove(file->readers, (void *) (uintptr_t) info->fh);
        pthread_mutex_unlock(&file->lock);
        fuse_reply_err(request, 0);
}

/* With the machine's lock held. A seek to the start means the oldest record. */
static int reader_place(Reader *reader, const Driver *driver, off_t offset) {
        if (offset == reader->expected)
                return 0;
        if (offset == 0)
                reader->next = oldest(driver);
        else if (offset % place_of(0) == 0)
                reader->next = (uint64_t) (offset >> PLACE_SHIFT) - 1;
        else
                return -ESPIPE;
        reader->expected = offset;
        return 0;
}

typedef struct WaitingReader {
        Machine *machine;
        MachineCaller caller;
} WaitingReader;

static void reader_interrupted(fuse_req_t request, void *userdata) {
        WaitingReader *waiting = userdata;

        machine_signal(waiting->machine, &waiting->caller);
}

/* With both locks held: the next record, which is passed over even if it does not fit. */
static int reader_take(Reader *reader, const Driver *driver, size_t size, GString *record) {
        const DriverLogLine *line;
        uint64_t first = oldest(driver);

        if (reader->next < first) {
                reader->next = first;
                return -EPIPE;
        }
        line = g_queue_peek_nth(driver->log, (unsigned) (reader->next - first));
        if (!line)
                return -EAGAIN;
        reader->next++;
        g_string_printf(record, "%d,%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT ",-;%s\n",
                        line->facility << 3 | line->level, line->seq, line->timestamp, line->text);
        if (record->len > size)
                return -EINVAL;
        reader->expected += (off_t) record->len;
        return 0;
}

static int reader_read(Reader *reader, WaitingReader *waiting, size_t size, off_t offset, bool may_wait,
                       GString *record) {
        Machine *machine = waiting->machine;
        int r;

        machine_lock(machine);
        r = reader_place(reader, machine->driver, offset);
        while (r >= 0 && (r = reader_take(reader, machine->driver, size, record)) == -EAGAIN && may_wait) {
                if (machine->stopping)
                        r = -ENODEV;
                else if (waiting->caller.signalled)
                        r = -EINTR;
                else {
                        machine_wait(machine, NEVER);
                        r = 0;
                }
        }
        machine_unlock(machine);
        return r;
}

void kernel_log_file_read(KernelLogFile *file, fuse_req_t request, size_t size, off_t offset,
                          const struct fuse_file_info *info) {
        Reader *reader = (Reader *) (uintptr_t) info->fh;
        WaitingReader waiting = { .machine = file->machine };
        g_autoptr(GString) record = g_string_new(NULL);
        int r;

        fuse_req_interrupt_func(request, reader_interrupted, &waiting);
        pthread_mutex_lock(&reader->lock);
        r = reader_read(reader, &waiting, size, offset, !(info->flags & O_NONBLOCK), record);
        pthread_mutex_unlock(&reader->lock);
        fuse_req_interrupt_func(request, NULL, NULL);
        if (r < 0)
                fuse_reply_err(request, -r);
        else
                fuse_reply_buf(request, record->str, record->len);
}

/* "<N>" at the start: a level, and a facility, which is never the kernel's. Returns the text behind it. */
static const char *read_priority(const char *text, int *ret_facility, int *ret_level) {
        char *end;
        guint64 number;

        *ret_facility = FACILITY_USER;
        *ret_level = LEVEL_DEFAULT;
        if (text[0] != '<' || !g_ascii_isdigit(text[1]))
                return text;
        number = g_ascii_strtoull(text + 1, &end, 10);
        if (*end != '>')
                return text;
        *ret_level = (int) (number & 7);
        if (number >> 3 & 0xff)
                *ret_facility = (int) (number >> 3 & 0xff);
        return end + 1;
}

void kernel_log_file_write(KernelLogFile *file, fuse_req_t request, const char *data, size_t size) {
        g_autofree char *line = g_strndup(data, size);
        int facility, level;
        const char *text;

        if (size > WRITE_SIZE_MAX) {
                fuse_reply_err(request, EINVAL);
                return;
        }
        if (g_str_has_suffix(line, "\n"))
                line[strlen(line) - 1] = 0;
        text = read_priority(line, &facility, &level);
        machine_lock(file->machine);
        driver_log_inject(file->machine->driver, facility, level, text);
        machine_unlock(file->machine);
        fuse_reply_write(request, size);
}
