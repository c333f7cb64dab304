/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drawing the line of progress. */

#include "ctl/progress.h"

#include "ctl/output.h"

#include <glib.h>
#include <stdio.h>
#include <unistd.h>

#define WIPE_LINE "\r\033[K"

void progress_start(Progress *progress, const char *label) {
        const char *term = g_getenv("TERM");

        *progress = (Progress){
                .label = label,
                .start = (uint64_t) g_get_monotonic_time(),
                .terminal = isatty(STDERR_FILENO) && g_strcmp0(term, "dumb") != 0,
        };
}

bool progress_is_shown(const Progress *progress) {
        return progress->terminal;
}

void progress_set_state(Progress *progress, const char *state) {
        g_strlcpy(progress->state, state, sizeof(progress->state));
}

void progress_begin(Progress *progress, uint64_t usual) {
        if (progress->begun)
                return;
        progress->begun = true;
        progress->usual = usual;
        progress->start = (uint64_t) g_get_monotonic_time();
}

/* "rmm: activating, 3 s, usually about 12 s". The caller frees it. */
static char *describe(const Progress *progress, bool away) {
        uint64_t seconds = ((uint64_t) g_get_monotonic_time() - progress->start) / USEC_PER_SEC;
        g_autoptr(GString) text = g_string_new(NULL);

        g_string_printf(text, "%s: %s, %" G_GUINT64_FORMAT " s", progress->label,
                        away ? "lfad has left the bus, waiting for it to come back" : progress->state,
                        seconds);
        if (progress->begun && !away && progress->usual > 0) {
                g_autofree char *usual = progress->usual < USEC_PER_SEC ? g_strdup("less than 1 s")
                                                                        : output_span(progress->usual);

                g_string_append_printf(text, ", usually %s%s",
                                       progress->usual < USEC_PER_SEC ? "" : "about ", usual);
        }
        return output_escape(text->str);
}

/* A line that the terminal breaks could not be wiped. */
static void cut(char *text, size_t width) {
        char *end = text;

        for (size_t used = 0; *end && width > 0; end = g_utf8_next_char(end)) {
                used += g_unichar_iswide(g_utf8_get_char(end)) ? 2 : 1;
                if (used >= width)
                        break;
        }
        if (width > 0)
                *end = 0;
}

void progress_show(const Progress *progress, bool away) {
        g_autofree char *text = NULL;

        if (!progress->terminal)
                return;
        text = describe(progress, away);
        cut(text, output_width(stderr));
        fprintf(stderr, WIPE_LINE "%s", text);
        (void) fflush(stderr);
}

void progress_end(const Progress *progress) {
        if (progress->terminal)
                fputs(WIPE_LINE, stderr);
}
