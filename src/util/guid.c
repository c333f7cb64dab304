/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Image identities as text: validity, reading what a person types, the EFI form. */

#include "util/guid.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static bool is_dash_position(int i) {
        return i == 8 || i == 13 || i == 18 || i == 23;
}

int guid_parse(const char *text, char ret_guid[static GUID_STRING_SIZE]) {
        char guid[GUID_STRING_SIZE];
        bool braced = text[0] == '{';

        if (braced)
                text++;
        if (strnlen(text, GUID_STRING_LENGTH + 2) != (size_t) GUID_STRING_LENGTH + (braced ? 1 : 0))
                return -EINVAL;
        if (braced && text[GUID_STRING_LENGTH] != '}')
                return -EINVAL;

        for (int i = 0; i < GUID_STRING_LENGTH; i++) {
                unsigned char c = (unsigned char) text[i];

                if (is_dash_position(i) ? c != '-' : !isxdigit(c))
                        return -EINVAL;
                guid[i] = (char) tolower(c);
        }
        guid[GUID_STRING_LENGTH] = 0;
        memcpy(ret_guid, guid, sizeof(guid));
        return 0;
}

bool guid_is_valid(const char *text) {
        char guid[GUID_STRING_SIZE];

        return guid_parse(text, guid) >= 0 && strcmp(guid, text) == 0;
}

void guid_swap_form(const char *guid, char ret_other[static GUID_STRING_SIZE]) {
        /* For each character of the result, where it comes from. */
        static const char source[GUID_STRING_LENGTH] = {
                6,  7,  4,  5,  2,  3,  0,  1,  8,  11, 12, 9,  10, 13, 16, 17, 14, 15,
                18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,
        };
        char other[GUID_STRING_SIZE];

        for (int i = 0; i < GUID_STRING_LENGTH; i++)
                other[i] = guid[(int) source[i]];
        other[GUID_STRING_LENGTH] = 0;
        memcpy(ret_other, other, sizeof(other));
}
