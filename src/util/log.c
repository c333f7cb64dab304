/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Composing log entries, and where they go. */

#include "util/log.h"
#include "util/journal-socket.h"
#include "util/printable.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* Of one value, in bytes: all of them fit into a datagram. */
#define TEXT_MAX 4096
/* After journald was waited for in vain nothing is waited for while entries are lost, for so long. */
#define IMPATIENT_USEC USEC_PER_SEC

#define ROW(symbol, name, priority, message_id) [LFA_MESSAGE_##symbol] = { LOG_##priority, message_id },
static const struct {
        int level;
        const char *id;
} events[_LFA_MESSAGE_MAX] = { LFA_MESSAGE_TABLE(ROW) };
#undef ROW

static int max_level = LOG_INFO;
static bool is_journal;
static const char *journal_path;
static int journal_fd = -EBADF;
static unsigned lost;        /* entries that nobody took */
static uint64_t waited_usec; /* when journald was last waited for in vain, CLOCK_MONOTONIC; 0 = never */

void log_set_max_level(int level) {
        max_level = level;
}

int log_get_max_level(void) {
        return max_level;
}

bool log_is_journal(void) {
        return is_journal;
}

/* A program that was started by one whose stderr is the journal's has the variable, too, wherever its own stderr goes. */
static bool stderr_is_stream(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        g_autofree char *own = NULL;
        struct stat st;

        if (!stream || fstat(STDERR_FILENO, &st) < 0)
                return false;
        own = g_strdup_printf("%" PRIu64 ":%" PRIu64, (uint64_t) st.st_dev, (uint64_t) st.st_ino);
        return strcmp(own, stream) == 0;
}

void log_open(const char *journal) {
        is_journal = stderr_is_stream();
        journal_path = journal;
        journal_fd = safe_close(journal_fd);
        lost = 0;
        if (is_journal)
                journal_fd = journal_socket_open();
}

static LogFields *take(LogFields *fields, char *assignment) {
        if (!fields)
                fields = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(fields, assignment);
        return fields;
}

LogFields *log_add(LogFields *fields, const char *name, const char *text) {
        g_autofree char *line = NULL;

        if (!text || !*text)
                return fields;
        line = printable_once(text, TEXT_MAX);
        return take(fields, g_strdup_printf("%s=%s", name, line));
}

LogFields *log_add_u64(LogFields *fields, const char *name, uint64_t value) {
        return take(fields, g_strdup_printf("%s=%" PRIu64, name, value));
}

LogFields *log_add_errno(LogFields *fields, int error) {
        return take(fields, g_strdup_printf("ERRNO=%d", -error));
}

/* sd-daemon(3): a line that starts with <N> gets priority N when stderr is the journal's stream. */
static bool write_line(int level, const char *text) {
        int r = is_journal ? fprintf(stderr, "<%d>%s\n", level, text) : fprintf(stderr, "%s\n", text);

        return fflush(stderr) == 0 && r >= 0;
}

static uint64_t now_usec(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / 1000;
}

static int send_entry(int level, MessageId id, const LogFields *fields, const char *text, bool patient) {
        g_autoptr(GString) entry = g_string_new(NULL);
        int r;

        g_string_printf(entry, "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=%s\n", text, level,
                        program_invocation_short_name);
        if (id != LFA_MESSAGE_NONE)
                g_string_append_printf(entry, "MESSAGE_ID=%s\n", events[id].id);
        for (unsigned i = 0; fields && i < fields->len; i++)
                g_string_append_printf(entry, "%s\n", (const char *) fields->pdata[i]);
        r = journal_socket_send(journal_fd, journal_path, entry->str, entry->len, patient);
        if (r == -EAGAIN && patient)
                waited_usec = now_usec();
        return r;
}

/* A journald that hangs is waited for once in a while, not with each entry. */
static int send_lost(void) {
        g_autofree char *text = g_strdup_printf(
                        "%u log entries were lost: the journal did not take them in time.", lost);
        bool patient = now_usec() - waited_usec >= IMPATIENT_USEC;
        int r = send_entry(LOG_WARNING, LFA_MESSAGE_NONE, NULL, text, patient);

        if (r >= 0)
                lost = 0;
        return r;
}

/* Takes the fields and the text. */
static void emit(int level, MessageId id, LogFields *fields, char *text) {
        g_autoptr(GPtrArray) owned = fields;
        g_autofree char *raw = text, *line = NULL;
        int r = 0;

        if (level > max_level)
                return;
        line = printable_once(raw, TEXT_MAX);
        if (journal_fd < 0) {
                (void) write_line(level, line);
                return;
        }
        if (lost > 0)
                r = send_lost();
        if (r >= 0)
                r = send_entry(level, id, owned, line, true);
        if (r == -EAGAIN || /* then the stream would not take it either */
            (r < 0 && !write_line(level, line)))
                lost++;
}

static char *with_errno(const char *format, va_list arguments, int error) _printf_(1, 0);
static char *with_errno(const char *format, va_list arguments, int error) {
        g_autofree char *text = g_strdup_vprintf(format, arguments);

        return g_strdup_printf("%s: %s", text, g_strerror(-error));
}

void log_event(MessageId id, LogFields *fields, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        emit(events[id].level, id, fields, g_strdup_vprintf(format, arguments));
        va_end(arguments);
}

int log_event_errno(MessageId id, int error, LogFields *fields, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        emit(events[id].level, id, log_add_errno(fields, error), with_errno(format, arguments, error));
        va_end(arguments);
        return error;
}

void log_detail(int level, LogFields *fields, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        emit(level, LFA_MESSAGE_NONE, fields, g_strdup_vprintf(format, arguments));
        va_end(arguments);
}

int log_errno(int level, int error, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        emit(level, LFA_MESSAGE_NONE, log_add_errno(NULL, error), with_errno(format, arguments, error));
        va_end(arguments);
        return error;
}
