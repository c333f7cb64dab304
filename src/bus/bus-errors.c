/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Named errors as D-Bus replies. */

#include "bus/bus-errors.h"
#include "util/printable.h"

#include <glib.h>
#include <stdarg.h>

#define TEXT_MAX 4096

/* There is one driver, hence one for all. */
static char *addition;

void bus_errors_add_to_all(const char *text) {
        g_free(addition);
        addition = text && *text ? g_strdup(text) : NULL;
}

/* Most texts repeat what the caller said; who asked for him shows them to people. */
static int set(sd_bus_error *error, const char *name, const char *text) {
        g_autofree char *line = printable_once(text, TEXT_MAX);

        return sd_bus_error_setf(error, name, "%s%s%s", line, addition ? " " : "", addition ? addition : "");
}

int bus_error_set(sd_bus_error *error, ErrorId id, const char *text) {
        return set(error, error_bus_name(id), text && *text ? text : error_text(id));
}

int bus_error_standard(sd_bus_error *error, const char *name, const char *format, ...) {
        g_autofree char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        text = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        return set(error, name, text);
}

int bus_error_invalid(sd_bus_error *error, const char *format, ...) {
        g_autofree char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        text = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        (void) set(error, SD_BUS_ERROR_INVALID_ARGS, text);
        return -EINVAL;
}
