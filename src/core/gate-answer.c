/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a gate answers, with its text. */

#include "core/gates-internal.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

GateVerdict gate_allow(void) {
        return (GateVerdict){ .answer = GATE_ALLOW };
}

GateVerdict gate_allow_since(const char *format, ...) {
        GateVerdict verdict = { .answer = GATE_ALLOW };
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(verdict.text, sizeof(verdict.text), format, arguments);
        va_end(arguments);
        return verdict;
}

GateVerdict gate_deny(ErrorId error, const char *format, ...) {
        GateVerdict verdict = { .answer = GATE_DENY, .error = error };
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(verdict.text, sizeof(verdict.text), format, arguments);
        va_end(arguments);
        return verdict;
}

/* The text has words from files in it and may be cut in the middle of a character, which no bus would take.
 */
void gate_end_text_at_character(char *text) {
        const char *end;

        if (!g_utf8_validate(text, -1, &end))
                text[end - text] = 0;
}

GateVerdict gate_wait_for(ErrorId error, uint64_t retry_at_usec, const char *format, ...) {
        GateVerdict verdict = { .answer = GATE_WAIT, .error = error, .retry_at_usec = retry_at_usec };
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(verdict.text, sizeof(verdict.text), format, arguments);
        va_end(arguments);
        return verdict;
}

GateVerdict gate_defer(ErrorId error, uint64_t not_before_usec, const char *format, ...) {
        GateVerdict verdict = { .answer = GATE_DEFER, .error = error, .not_before_usec = not_before_usec };
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(verdict.text, sizeof(verdict.text), format, arguments);
        va_end(arguments);
        return verdict;
}

char *gate_time_to_text(uint64_t usec) {
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc((int64_t) (usec / USEC_PER_SEC));

        return time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S UTC") : g_strdup("never");
}

char *gate_describe_refusal(const GateVerdict *refusal) {
        g_autofree char *time = NULL;

        if (refusal->answer != GATE_DEFER || refusal->not_before_usec == 0 ||
            refusal->not_before_usec == UINT64_MAX)
                return g_strdup(refusal->text);
        time = gate_time_to_text(refusal->not_before_usec);
        if (strstr(refusal->text, time))
                return g_strdup(refusal->text);
        /* a text may end in somebody's own words */
        return g_strdup_printf("%s%s Not before %s.", refusal->text,
                               g_str_has_suffix(refusal->text, ".") ? "" : ".", time);
}
