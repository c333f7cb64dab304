/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How the values of options are read: one function a kind, for option_rows. */

#include "ctl/options.h"

int option_read_true(const OptionRow *row, const char *value, Options *options);
int option_read_false(const OptionRow *row, const char *value, Options *options);
int option_read_text(const OptionRow *row, const char *value, Options *options);
int option_read_filled(const OptionRow *row, const char *value, Options *options); /* a text, not empty */
int option_read_word(const OptionRow *row, const char *value, Options *options);   /* one of row->words */
int option_read_texts(const OptionRow *row, const char *value, Options *options);  /* one more, not empty */
int option_read_number(const OptionRow *row, const char *value, Options *options); /* from 1 to row->max */
int option_read_moment(const OptionRow *row, const char *value,
                       Options *options); /* a moment, policy-time.h */
int option_read_past(const OptionRow *row, const char *value,
                     Options *options); /* the same, as for history */

/* Each of one option alone. */
int option_read_json(const OptionRow *row, const char *value, Options *options);
int option_read_lines(const OptionRow *row, const char *value, Options *options);
int option_read_until(const OptionRow *row, const char *value, Options *options);
int option_read_when_allowed(const OptionRow *row, const char *value, Options *options);
