/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text from the kernel: shown as it is, or not at all. */

#include "kernel/clean-text.h"
#include "unit.h"

#define SIZE 9

static void printable_text_that_fits_is_kept(void **state) {
        static const char *const rows[] = { "TF-RMM", "a b", "12345678", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
                                            "~" };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                char text[SIZE];

                clean_text(rows[i], text, sizeof(text));
                assert_string_equal(text, rows[i]);
        }
}

static void anything_else_becomes_nothing(void **state) {
        static const char *const rows[] = {
                "",
                "123456789", /* one byte too long; never cut */
                "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                "a",
                "a\nb",
                "a\tb",
                "\x1b[31m",
                "\x7f",
                "\xff",
                "a\xc3",            /* half a character */
                "\xed\xa0\x80",     /* a surrogate */
                "\xc0\xaf",         /* overlong */
                "\xf4\x90\x80\x80", /* above U+10FFFF */
                "\xc2\x85",         /* U+0085, a control character */
                "a\xe2\x80\xae"
                "b", /* U+202E, turns the line round */
                "a\xe2\x80\xa8"
                "b", /* U+2028, begins another line */
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                char text[SIZE] = "old";

                clean_text(rows[i], text, sizeof(text));
                if (text[0] != 0)
                        fail_msg("row %zu was kept", i);
        }
}

static void every_single_byte_is_printable_ascii_or_nothing(void **state) {
        for (int byte = 1; byte < 256; byte++) {
                const char text[2] = { (char) byte, 0 };
                char clean[SIZE];

                clean_text(text, clean, sizeof(clean));
                assert_string_equal(clean, byte >= 0x20 && byte < 0x7f ? text : "");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(printable_text_that_fits_is_kept),
                cmocka_unit_test(anything_else_becomes_nothing),
                cmocka_unit_test(every_single_byte_is_printable_ascii_or_nothing),
        };

        return cmocka_run_group_tests_name("clean-text", tests, NULL, NULL);
}
