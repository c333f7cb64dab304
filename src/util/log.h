/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The log: entries with fields in the journal when stderr is connected to it, else lines on stderr. Only programs and the
 * daemon's own layers log; util, core and kernel return errors instead.
 *
 * What matters to an operator is an event, log_event(), which has a MESSAGE_ID= and its level from the one table
 * lfa/message-ids.h; what only helps to understand it, or tells of a failure within lfad, is a line. Either may have
 * fields, named in lfa/message-fields.h.
 *
 * Text may come from anybody: in the message and in fields line ends, control characters and stray bytes are escaped
 * (util/printable.h), so that no value makes a field or a line of its own.
 *
 * Logging waits for journald at most for a moment (util/journal-socket.h). What it does not take then is dropped and
 * counted, and so is what the stream does not take while journald's socket is gone. Until it takes something again, which
 * is then preceded by how many were lost, it is waited for once in a second at most. */

#include "lfa/message-fields.h"
#include "lfa/message-ids.h"
#include "util/macros.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

/* Looks where stderr leads, once at the start; before, all are lines. journal: the path of journald's socket. */
void log_open(const char *journal);

/* What is above this priority is dropped; LOG_INFO unless set. */
void log_set_max_level(int level);
int log_get_max_level(void);

/* Whether stderr is the journal's stream, as JOURNAL_STREAM says: systemd.exec(5). */
bool log_is_journal(void);

/* Fields to come with an entry; NULL = none. Each function makes them when need be, and returns them; an entry takes them.
 * Nothing is added where the text is NULL or empty. A name may be added several times. */
typedef GPtrArray LogFields;
LogFields *log_add(LogFields *fields, const char *name, const char *text);
LogFields *log_add_u64(LogFields *fields, const char *name, uint64_t value);
LogFields *log_add_errno(LogFields *fields, int error); /* negative */

/* All take the fields. */
void log_event(MessageId id, LogFields *fields, const char *format, ...) _printf_(3, 4);
void log_detail(int level, LogFields *fields, const char *format, ...) _printf_(3, 4);

/* The same, with the errno's text behind the message and ERRNO=. They return error (negative), so that `return
 * log_errno(...)` works. */
int log_event_errno(MessageId id, int error, LogFields *fields, const char *format, ...) _printf_(4, 5);
int log_errno(int level, int error, const char *format, ...) _printf_(3, 4);

#define log_line(level, ...) log_detail(level, NULL, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_error_errno(error, ...) log_errno(LOG_ERR, error, __VA_ARGS__)
#define log_warning_errno(error, ...) log_errno(LOG_WARNING, error, __VA_ARGS__)
