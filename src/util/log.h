/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Log lines: to the journal when stderr is connected to it, else to stderr. Only programs and the daemon's
 * own layers log; util, core and kernel return errors instead. */

#include "util/macros.h"

#include <stdbool.h>
#include <syslog.h>

/* Lines above this priority are dropped; LOG_INFO unless set. */
void log_set_max_level(int level);
int log_get_max_level(void);

/* Whether lines go to the journal (systemd says so in the environment). */
bool log_is_journal(void);

void log_line(int level, const char *format, ...) _printf_(2, 3);

/* Appends the errno's text; returns error (negative), so that `return log_errno(...)` works. */
int log_errno(int level, int error, const char *format, ...) _printf_(3, 4);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_error_errno(error, ...) log_errno(LOG_ERR, error, __VA_ARGS__)
#define log_warning_errno(error, ...) log_errno(LOG_WARNING, error, __VA_ARGS__)
