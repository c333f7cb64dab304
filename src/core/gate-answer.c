/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a gate answers, with its text. */

#include "core/gates-internal.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>

GateVerdict gate_allow(void) {
        return (GateVerdict){ .answer = GATE_ALLOW };
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
