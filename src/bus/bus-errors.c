/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Named errors as D-Bus replies. */

#include "bus/bus-errors.h"

#include <stdarg.h>

int bus_error_set(sd_bus_error *error, ErrorId id, const char *text) {
        return sd_bus_error_set(error, error_bus_name(id), text && *text ? text : error_text(id));
}

int bus_error_invalid(sd_bus_error *error, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        (void) sd_bus_error_setfv(error, SD_BUS_ERROR_INVALID_ARGS, format, arguments);
        va_end(arguments);
        return -EINVAL;
}
