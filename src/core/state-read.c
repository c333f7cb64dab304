/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading members of the state's file, which is not trusted. */

#include "core/state-internal.h"

int state_read_text(json_object *object, const char *key, const char **ret) {
        int r = json_get_string(object, key, ret);

        if (r == -ENOENT)
                *ret = "";
        return r == -ENOENT ? 0 : r;
}

int state_read_number(json_object *object, const char *key, uint64_t maximum, uint64_t *ret) {
        uint64_t number;

        if (json_get_u64(object, key, &number) < 0 || number > maximum)
                return -EBADMSG;
        *ret = number;
        return 0;
}

int state_read_u32(json_object *object, const char *key, uint32_t *ret) {
        uint64_t number;
        int r = state_read_number(object, key, UINT32_MAX, &number);

        if (r >= 0)
                *ret = (uint32_t) number;
        return r;
}

int state_read_flag(json_object *object, const char *key, bool *ret) {
        return json_get_bool(object, key, ret) < 0 ? -EBADMSG : 0;
}

int state_read_guid(json_object *object, const char *key, bool optional, char ret[static GUID_STRING_SIZE]) {
        const char *text;

        if (state_read_text(object, key, &text) < 0)
                return -EBADMSG;
        if (*text ? !guid_is_valid(text) : !optional)
                return -EBADMSG;
        g_strlcpy(ret, text, GUID_STRING_SIZE);
        return 0;
}

/* As version_parse gives them, so that each has one form only. */
int state_read_version(json_object *object, const char *key, char ret[static VERSION_SIZE]) {
        char version[VERSION_SIZE] = "";
        const char *text;

        if (state_read_text(object, key, &text) < 0)
                return -EBADMSG;
        if (*text && (version_parse(text, version) < 0 || strcmp(version, text) != 0))
                return -EBADMSG;
        memcpy(ret, version, VERSION_SIZE);
        return 0;
}

int state_read_boot_id(json_object *object, const char *key, char ret[static BOOT_ID_SIZE]) {
        const char *text;

        if (state_read_text(object, key, &text) < 0)
                return -EBADMSG;
        if (*text && !state_boot_id_is_valid(text))
                return -EBADMSG;
        g_strlcpy(ret, text, BOOT_ID_SIZE);
        return 0;
}

int state_read_clean(json_object *object, const char *key, char ret[static STATE_REASON_MAX + 1]) {
        const char *text;

        if (state_read_text(object, key, &text) < 0 || !state_reason_is_clean(text))
                return -EBADMSG;
        g_strlcpy(ret, text, STATE_REASON_MAX + 1);
        return 0;
}
