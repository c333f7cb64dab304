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

void progress_show(const Progress *progress, bool away) {
        uint64_t seconds = ((uint64_t) g_get_monotonic_time() - progress->start) / USEC_PER_SEC;
        g_autofree char *text = NULL, *safe = NULL;

        if (!progress->terminal)
                return;
        text = g_strdup_printf("%s: %s, %" G_GUINT64_FORMAT " s", progress->label,
                               away ? "lfad has left the bus, waiting for it to come back" : progress->state,
                               seconds);
        safe = output_escape(text);
        fprintf(stderr, WIPE_LINE "%s", safe);
        fflush(stderr);
}

void progress_end(const Progress *progress) {
        if (progress->terminal)
                fputs(WIPE_LINE, stderr);
}
