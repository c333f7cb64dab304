/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The terms of an activation, and sets of gates, as keys of a record and back. */

#include "core/gates.h"

#include <string.h>

void gate_mask_to_record(unsigned mask, const char *key, json_object *record) {
        json_object *names;

        if (mask == 0)
                return;
        names = json_object_new_array();
        for (int i = 0; i < _GATE_MAX; i++)
                if (mask >> i & 1)
                        json_object_array_add(names, json_object_new_string(gate_to_string((GateId) i)));
        json_object_object_add(record, key, names);
}

char *gate_mask_to_text(unsigned mask) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (int i = 0; i < _GATE_MAX; i++)
                if (mask >> i & 1)
                        g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "",
                                               gate_to_string((GateId) i));
        return g_string_free(g_steal_pointer(&text), FALSE);
}

static void add_expectation(json_object *record, const char *key, const ExpectedVersion *expected) {
        /* also when it is "": firmware that gives no version */
        if (expected->given)
                json_object_object_add(record, key, json_object_new_string(expected->version));
}

static void add_flag(json_object *record, const char *key, bool flag) {
        if (flag)
                json_object_object_add(record, key, json_object_new_boolean(true));
}

void terms_to_record(const ActivationTerms *terms, json_object *record) {
        add_expectation(record, "expected-current-version", &terms->expected_current);
        add_expectation(record, "expected-pending-version", &terms->expected_pending);
        add_flag(record, "unattended", terms->unattended);
        add_flag(record, "automatic", terms->automatic);
        gate_mask_to_record(terms->overrides, "override", record);
}

static int read_expectation(json_object *record, const char *key, ExpectedVersion *ret) {
        const char *text;
        int r = json_get_string(record, key, &text);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (*text && version_parse(text, ret->version) < 0)
                return -EBADMSG;
        ret->given = true;
        return 0;
}

static int read_flag(json_object *record, const char *key, bool *ret) {
        int r = json_get_bool(record, key, ret);

        return r == -ENOENT ? 0 : r;
}

static int read_gates(json_object *record, const char *key, unsigned *ret) {
        json_object *names, *name;

        if (!json_object_object_get_ex(record, key, &names))
                return 0;
        if (!json_object_is_type(names, json_type_array))
                return -EBADMSG;
        for (size_t i = 0; i < json_object_array_length(names); i++) {
                GateId gate;

                name = json_object_array_get_idx(names, i);
                if (!json_object_is_type(name, json_type_string))
                        return -EBADMSG;
                gate = gate_from_string(json_object_get_string(name));
                if ((int) gate < 0)
                        return -EBADMSG;
                *ret |= 1U << gate;
        }
        return 0;
}

int terms_from_record(json_object *record, ActivationTerms *ret) {
        ActivationTerms terms = { 0 };
        int r = read_expectation(record, "expected-current-version", &terms.expected_current);

        if (r >= 0)
                r = read_expectation(record, "expected-pending-version", &terms.expected_pending);
        if (r >= 0)
                r = read_flag(record, "unattended", &terms.unattended);
        if (r >= 0)
                r = read_flag(record, "automatic", &terms.automatic);
        if (r >= 0)
                r = read_gates(record, "override", &terms.overrides);
        if (r < 0)
                return -EBADMSG;
        *ret = terms;
        return 0;
}
