/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who asked, in records and in log lines. */

#include "daemon/requester.h"

#include <glib.h>
#include <string.h>

static bool is_presentable(const char *text) {
        if (strlen(text) > REQUESTER_UNIT_MAX || !g_utf8_validate(text, -1, NULL))
                return false;
        for (const char *p = text; *p; p = g_utf8_next_char(p))
                if (g_unichar_iscntrl(g_utf8_get_char(p)))
                        return false;
        return true;
}

void requester_set_unit(Requester *requester, const char *unit) {
        g_strlcpy(requester->unit, is_presentable(unit) ? unit : "", sizeof(requester->unit));
}

void requester_to_record(const Requester *requester, json_object *record) {
        json_add_u64(record, "uid", requester->uid);
        if (requester->pid > 0)
                json_add_u64(record, "pid", requester->pid);
        json_add_string(record, "unit", requester->unit);
        if (requester->logged_in)
                json_add_u64(record, "login-uid", requester->login_uid);
}

static bool get_u32(json_object *record, const char *key, uint32_t *ret) {
        uint64_t value;

        if (json_get_u64(record, key, &value) < 0 || value > UINT32_MAX)
                return false;
        *ret = (uint32_t) value;
        return true;
}

void requester_from_record(json_object *record, Requester *ret) {
        Requester requester = { 0 };
        const char *unit;

        (void) get_u32(record, "uid", &requester.uid);
        (void) get_u32(record, "pid", &requester.pid);
        requester.logged_in = get_u32(record, "login-uid", &requester.login_uid);
        if (json_get_string(record, "unit", &unit) >= 0)
                requester_set_unit(&requester, unit);
        *ret = requester;
}

char *requester_to_text(const Requester *requester) {
        g_autoptr(GString) hints = g_string_new(NULL);

        if (requester->pid > 0)
                g_string_append_printf(hints, ", pid %u", requester->pid);
        if (*requester->unit)
                g_string_append_printf(hints, ", unit %s", requester->unit);
        if (requester->logged_in)
                g_string_append_printf(hints, ", login uid %u", requester->login_uid);
        if (hints->len == 0)
                return g_strdup_printf("uid %u", requester->uid);
        return g_strdup_printf("uid %u (%s)", requester->uid, hints->str + strlen(", "));
}
