/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Named errors as D-Bus replies. */

#include "core/errors.h"
#include "util/macros.h"

#include <systemd/sd-bus.h>

/* What every error says behind its own text from now on; NULL or "": nothing. */
void bus_errors_add_to_all(const char *text);

/* Sets org.arm.LFA1.Error.<Name>; text NULL or "": the table's own. Returns a negative number, as handlers
 * want it. */
int bus_error_set(sd_bus_error *error, ErrorId id, const char *text);

/* For what manager_submit returned (activate.c). */
int bus_error_from_submit(int r, sd_bus_error *error);

/* One of org.freedesktop.DBus.Error.*, by its full name. Returns a negative number. */
int bus_error_standard(sd_bus_error *error, const char *name, const char *format, ...) _printf_(3, 4);

/* org.freedesktop.DBus.Error.InvalidArgs with a text that names the argument. Returns -EINVAL. */
int bus_error_invalid(sd_bus_error *error, const char *format, ...) _printf_(2, 3);
