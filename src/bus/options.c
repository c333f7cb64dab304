/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the a{sv} options of methods. */

#include "bus/options.h"
#include "bus/bus-errors.h"
#include "core/gates.h"

#include <string.h>

#define REQUEST_ID_MAX 64

/* What each kind is on the bus. */
static const char *const signatures[_OPTION_MAX] = {
        [OPTION_STRING] = "s", [OPTION_VERSION] = "s", [OPTION_REQUEST_ID] = "s", [OPTION_BOOL] = "b",
        [OPTION_U32] = "u",    [OPTION_U64] = "t",     [OPTION_STRINGS] = "as",
};

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

int client_text_read(sd_bus_message *message, const char *name, const char **ret, sd_bus_error *error) {
        int r = sd_bus_message_read_basic(message, 's', (void *) ret);

        if (r < 0)
                return r;
        if (!**ret)
                return bus_error_invalid(error, "'%s' is empty; others want to know.", name);
        return client_string_check(name, *ret, error);
}

int client_strings_read(sd_bus_message *message, const char *name, GPtrArray *strings, sd_bus_error *error) {
        char *text;
        int r = sd_bus_message_enter_container(message, 'a', "s");

        if (r < 0)
                return r;
        while ((r = sd_bus_message_read_basic(message, 's', &text)) > 0) {
                if (strings->len >= CLIENT_STRINGS_MAX)
                        return bus_error_invalid(error, "'%s' takes at most %d.", name, CLIENT_STRINGS_MAX);
                r = client_string_check(name, text, error);
                if (r < 0)
                        return r;
                g_ptr_array_add(strings, text);
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int set_version(const char *name, const char *value, ExpectedVersion *expected, sd_bus_error *error) {
        if (*value && version_parse(value, expected->version) < 0)
                return bus_error_invalid(error, "'%s' is no version like \"2.10\": '%s'.", name, value);
        expected->given = true;
        return 0;
}

static int check_request_id(const char *name, const char *value, sd_bus_error *error) {
        size_t length = strspn(value, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-");

        if (length == 0 || length > REQUEST_ID_MAX || value[length])
                return bus_error_invalid(error, "'%s' takes 1 to %d of the characters A-Z a-z 0-9 . _ -",
                                         name, REQUEST_ID_MAX);
        return 0;
}

static int read_string(sd_bus_message *message, const OptionSpec *spec, void *target, sd_bus_error *error) {
        const char *value;
        int r = sd_bus_message_read(message, "v", "s", &value);

        if (r >= 0)
                r = client_string_check(spec->name, value, error);
        if (r < 0)
                return r;
        if (spec->kind == OPTION_VERSION)
                return set_version(spec->name, value, target, error);
        if (spec->kind == OPTION_REQUEST_ID)
                r = check_request_id(spec->name, value, error);
        if (r >= 0)
                *(const char **) target = value;
        return r;
}

static int read_strings(sd_bus_message *message, const OptionSpec *spec, GPtrArray **target,
                        sd_bus_error *error) {
        int r = sd_bus_message_enter_container(message, 'v', "as");

        if (r < 0)
                return r;
        if (!*target)
                *target = g_ptr_array_new();
        r = client_strings_read(message, spec->name, *target, error);
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_value(sd_bus_message *message, const OptionSpec *spec, void *target, sd_bus_error *error) {
        int flag, r;

        switch (spec->kind) {
        case OPTION_BOOL:
                r = sd_bus_message_read(message, "v", "b", &flag);
                if (r >= 0)
                        *(bool *) target = flag;
                return r;
        case OPTION_U32:
        case OPTION_U64:
                return sd_bus_message_read(message, "v", signatures[spec->kind], target);
        case OPTION_STRINGS:
                return read_strings(message, spec, target, error);
        default:
                return read_string(message, spec, target, error);
        }
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
        const char *name, *contents;
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
        if (strcmp(contents, signatures[spec->kind]) != 0)
                return bus_error_invalid(error, "Option '%s' takes a value of type '%s', not '%s'.", name,
                                         signatures[spec->kind], contents);
        return read_value(message, spec, (char *) targets + spec->offset, error);
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
