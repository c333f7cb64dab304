/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and printing the small values of the simulator's control commands. */

#include "sim/texts.h"

#include "util/known-guids.h"
#include "util/macros.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads decimal digits at *text up to limit, moves *text behind them. */
static int digits_parse(const char **text, uint64_t limit, uint64_t *ret_value) {
        uint64_t value = 0;
        const char *at = *text;

        if (!isdigit((unsigned char) *at))
                return -EINVAL;
        for (; isdigit((unsigned char) *at); at++) {
                unsigned digit = (unsigned) (*at - '0');

                if (value > (UINT64_MAX - digit) / 10)
                        return -EINVAL;
                value = value * 10 + digit;
                if (value > limit)
                        return -EINVAL;
        }
        *text = at;
        *ret_value = value;
        return 0;
}

int number_parse(const char *text, uint64_t limit, uint64_t *ret_value) {
        uint64_t value;

        if (digits_parse(&text, limit, &value) < 0 || *text)
                return -EINVAL;
        *ret_value = value;
        return 0;
}

int version_parse(const char *text, uint64_t *ret_version) {
        uint64_t major, minor;

        if (digits_parse(&text, UINT32_MAX, &major) < 0 || *text++ != '.' ||
            digits_parse(&text, UINT32_MAX, &minor) < 0 || *text)
                return -EINVAL;
        *ret_version = major << 32 | minor;
        return 0;
}

void version_format(uint64_t version, char ret_text[static VERSION_TEXT_SIZE]) {
        snprintf(ret_text, VERSION_TEXT_SIZE, "%" PRIu32 ".%" PRIu32, (uint32_t) (version >> 32),
                 (uint32_t) version);
}

int duration_parse(const char *text, uint64_t *ret_usec) {
        static const struct {
                const char *unit;
                uint64_t usec;
        } units[] = {
                { "us", 1 },
                { "ms", USEC_PER_MSEC },
                { "s", USEC_PER_SEC },
                { "min", 60 * USEC_PER_SEC },
        };
        uint64_t number;

        if (strcmp(text, "0") == 0) {
                *ret_usec = 0;
                return 0;
        }
        if (digits_parse(&text, 86400 * USEC_PER_SEC, &number) < 0)
                return -EINVAL;
        for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
                if (strcmp(text, units[i].unit) == 0 && number <= 86400 * USEC_PER_SEC / units[i].usec) {
                        *ret_usec = number * units[i].usec;
                        return 0;
                }
        return -EINVAL;
}

int boolean_parse(const char *text, bool *ret_value) {
        if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
                return -EINVAL;
        *ret_value = text[0] == '1';
        return 0;
}

int image_name_parse(const char *text, char ret_guid[static GUID_STRING_SIZE]) {
        const KnownGuid *known = known_guid_find_alias(text);

        return guid_parse(known ? known->guid : text, ret_guid);
}

const char *image_short_name(const char *guid) {
        const KnownGuid *known = known_guid_find(guid);

        return known ? known->alias : guid;
}

static int octal_decode(const char **at) {
        int value = 0;

        for (int i = 0; i < 3 && **at >= '0' && **at <= '7'; i++)
                value = value * 8 + *(*at)++ - '0';
        return value > UINT8_MAX ? -EINVAL : value;
}

/* One escape; *at stands behind the backslash and is moved behind the escape. */
static int escape_decode(const char **at) {
        static const char plain[] = "ntr\\\"'", meaning[] = "\n\t\r\\\"'";
        const char *found;

        if (**at >= '0' && **at <= '7')
                return octal_decode(at);
        if (**at == 'x') {
                int high = g_ascii_xdigit_value((*at)[1]);
                int low = high < 0 ? -1 : g_ascii_xdigit_value((*at)[2]);

                *at += low < 0 ? 0 : 3;
                return low < 0 ? -EINVAL : high * 16 + low;
        }
        found = **at ? strchr(plain, **at) : NULL;
        if (!found)
                return -EINVAL;
        (*at)++;
        return meaning[found - plain];
}

GByteArray *escapes_decode(const char *text) {
        g_autoptr(GByteArray) bytes = g_byte_array_new();

        while (*text) {
                int value = (unsigned char) *text++;

                if (value == '\\') {
                        value = escape_decode(&text);
                        if (value < 0)
                                return NULL;
                }
                uint8_t byte = (uint8_t) value;

                g_byte_array_append(bytes, &byte, 1);
        }
        return g_steal_pointer(&bytes);
}

int errno_parse(const char *text) {
        for (int number = 1; number < 134; number++) {
                const char *name = strerrorname_np(number);

                if (name && strcmp(name, text) == 0)
                        return number;
        }
        return -EINVAL;
}
