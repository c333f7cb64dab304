/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the a{sv} options of methods. */

#include "bus/options.h"
#include "bus/bus-errors.h"
#include "core/gates.h"

#include <glib.h>
#include <string.h>

int client_string_check(const char *name, const char *value, sd_bus_error *error) {
        size_t length = strlen(value); /* sd-bus has checked that it is UTF-8 */

        if (length > CLIENT_STRING_MAX)
                return bus_error_invalid(error, "'%s' is %zu bytes long, at most %d are allowed.", name,
                                         length, CLIENT_STRING_MAX);
        for (const char *p = value; *p; p = g_utf8_next_char(p))
                if (g_unichar_iscntrl(g_utf8_get_char(p)))
                        return bus_error_invalid(error, "'%s' has a control character in it.", name);
        return 0;
}

int option_parse_string(const char *name, const char *value, void *target, sd_bus_error *error) {
        *(const char **) target = value;
        return 0;
}

int option_parse_version(const char *name, const char *value, void *target, sd_bus_error *error) {
        ExpectedVersion *expected = target;

        /* "" asks for firmware that gives no version */
        if (*value && version_parse(value, expected->version) < 0)
                return bus_error_invalid(error, "'%s' is no version like \"2.10\": '%s'.", name, value);
        expected->given = true;
        return 0;
}

static const OptionSpec *find_spec(const OptionSpec *specs, size_t n, const char *name, size_t *ret_index) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(specs[i].name, name) == 0) {
                        *ret_index = i;
                        return &specs[i];
                }
        return NULL;
}

static int read_option(sd_bus_message *message, const OptionSpec *specs, size_t n, uint64_t *seen,
                       void *targets, sd_bus_error *error) {
        const char *name, *value, *contents;
        const OptionSpec *spec;
        size_t index;
        int r;

        r = sd_bus_message_read_basic(message, 's', &name);
        if (r < 0)
                return r;
        r = client_string_check("an option's name", name, error);
        if (r < 0)
                return r;
        spec = find_spec(specs, n, name, &index);
        if (!spec)
                return bus_error_invalid(error, "There is no option '%s' here.", name);
        if (*seen & (UINT64_C(1) << index))
                return bus_error_invalid(error, "Option '%s' is given twice.", name);
        *seen |= UINT64_C(1) << index;
        r = sd_bus_message_peek_type(message, NULL, &contents);
        if (r < 0)
                return r;
        if (strcmp(contents, "s") != 0)
                return bus_error_invalid(error, "Option '%s' takes a string (s), not '%s'.", name, contents);
        r = sd_bus_message_read(message, "v", "s", &value);
        if (r < 0)
                return r;
        r = client_string_check(name, value, error);
        if (r < 0)
                return r;
        return spec->parse(name, value, (char *) targets + spec->offset, error);
}

int options_read(sd_bus_message *message, const OptionSpec *specs, size_t n, void *targets,
                 sd_bus_error *error) {
        uint64_t seen = 0;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                r = read_option(message, specs, n, &seen, targets, error);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(message);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}
