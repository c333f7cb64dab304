/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the values of options. */

#include "ctl/option-values.h"

#include "ctl/policy-time.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static void *field_of(const OptionRow *row, Options *options) {
        return (char *) options + row->field;
}

int option_read_true(const OptionRow *row, const char *value, Options *options) {
        *(bool *) field_of(row, options) = true;
        return 0;
}

int option_read_false(const OptionRow *row, const char *value, Options *options) {
        *(bool *) field_of(row, options) = false;
        return 0;
}

int option_read_text(const OptionRow *row, const char *value, Options *options) {
        *(const char **) field_of(row, options) = value;
        return 0;
}

int option_read_filled(const OptionRow *row, const char *value, Options *options) {
        (void) option_read_text(row, value, options);
        return *value ? 0 : -EINVAL;
}

int option_read_word(const OptionRow *row, const char *value, Options *options) {
        g_auto(GStrv) words = g_strsplit(row->words, " ", -1);

        if (!g_strv_contains((const char *const *) words, value))
                return -EINVAL;
        return option_read_text(row, value, options);
}

int option_read_texts(const OptionRow *row, const char *value, Options *options) {
        Texts *texts = field_of(row, options);

        if (!*value || texts->count >= TEXTS_MAX)
                return -EINVAL;
        texts->items[texts->count++] = value;
        return 0;
}

int option_read_number(const OptionRow *row, const char *value, Options *options) {
        guint64 number;

        if (!g_ascii_string_to_unsigned(value, 10, 1, row->max, &number, NULL))
                return -EINVAL;
        *(unsigned *) field_of(row, options) = (unsigned) number;
        return 0;
}

/* In which zone it is meant only lfad can tell, but a slip shows before it is asked. */
int option_read_moment(const OptionRow *row, const char *value, Options *options) {
        (void) option_read_text(row, value, options);
        return policy_moment_guess(value);
}

int option_read_past(const OptionRow *row, const char *value, Options *options) {
        (void) option_read_text(row, value, options);
        return policy_past_guess(value);
}

int option_read_json(const OptionRow *row, const char *value, Options *options) {
        JsonMode mode = value ? json_mode_from_string(value) : JSON_PRETTY;

        if (mode < 0)
                return -EINVAL;
        options->json = mode;
        return 0;
}

int option_read_lines(const OptionRow *row, const char *value, Options *options) {
        options->lines_given = true;
        if (strcmp(value, "all") != 0)
                return option_read_number(row, value, options);
        options->lines = LINES_ALL;
        return 0;
}

/* A moment to come for some verbs, a past one for history: each refuses what it cannot use when it reads it. */
int option_read_until(const OptionRow *row, const char *value, Options *options) {
        return option_read_past(row, value, options) >= 0 ? 0 : option_read_moment(row, value, options);
}

int option_read_when_allowed(const OptionRow *row, const char *value, Options *options) {
        options->when_allowed = true;
        return value ? option_read_moment(row, value, options) : 0;
}
