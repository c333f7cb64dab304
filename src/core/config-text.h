/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The shape of a configuration file, strictly: sections, Key=value, comments (# and ;), empty lines, and
 * nothing else. What the words mean is the caller's business. Pure. */

#include <stddef.h>

#define CONFIG_LINE_MAX 4096

typedef struct ConfigTextHandler {
        /* What stands between the brackets; NULL after a header that was no good: what follows it belongs to
         * nothing and is not to be complained about. */
        void (*section)(unsigned line, const char *header, void *userdata);
        /* Blanks around both are gone. */
        void (*assignment)(unsigned line, const char *key, const char *value, void *userdata);
        /* A line that is none of these, and why; line 0: the file as a whole. */
        void (*error)(unsigned line, const char *text, void *userdata);
} ConfigTextHandler;

/* Reads all of it whatever it finds. The handler's strings are valid UTF-8 without control characters but
 * tabs, and valid during the call. */
void config_text_read(const char *text, size_t size, const ConfigTextHandler *handler, void *userdata);
