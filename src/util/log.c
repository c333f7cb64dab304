/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Log lines with syslog priorities; systemd strips the "<N>" prefix and keeps the level. */

#include "util/log.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static int max_level = LOG_INFO;

void log_set_max_level(int level) {
        max_level = level;
}

int log_get_max_level(void) {
        return max_level;
}

bool log_is_journal(void) {
        return getenv("JOURNAL_STREAM") != NULL;
}

static void write_line(int level, const char *text) {
        /* sd-daemon(3): a line that starts with <N> gets priority N when stderr is the journal's stream. */
        if (log_is_journal())
                fprintf(stderr, "<%d>%s\n", level, text);
        else
                fprintf(stderr, "%s\n", text);
}

void log_line(int level, const char *format, ...) {
        g_autofree char *text = NULL;
        va_list arguments;

        if (level > max_level)
                return;
        va_start(arguments, format);
        text = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        write_line(level, text);
}

int log_errno(int level, int error, const char *format, ...) {
        g_autofree char *text = NULL, *line = NULL;
        va_list arguments;

        if (level > max_level)
                return error;
        va_start(arguments, format);
        text = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        line = g_strdup_printf("%s: %s", text, g_strerror(-error));
        write_line(level, line);
        return error;
}
