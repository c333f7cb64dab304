/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of the tz database: those that GLib would crash on are told from those that describe a zone. */

#include "unit.h"
#include "util/zone-file.h"

#define BERLIN "/usr/share/zoneinfo/Europe/Berlin"

static char *read_berlin(size_t *ret_size) {
        char *data;

        assert_true(g_file_get_contents(BERLIN, &data, ret_size, NULL));
        return data;
}

static void a_file_that_was_cut_off_is_none(void **state) {
        size_t size;
        g_autofree char *data = read_berlin(&size);

        assert_true(zone_data_is_sound(data, size));
        for (size_t i = 0; i < size; i++)
                assert_false(zone_data_is_sound(data, i));
}

static void one_whose_parts_lead_out_of_it_is_none(void **state) {
        /* one type: the hour east of Greenwich, "CET"; one change, to that type */
        static const char whole[] = "TZif\0"
                                    "0123456789abcde"
                                    "\0\0\0\0"
                                    "\0\0\0\0"
                                    "\0\0\0\0"
                                    "\0\0\0\1"
                                    "\0\0\0\1"
                                    "\0\0\0\4"
                                    "\0\0\0\0"
                                    "\0"
                                    "\0\0\x0e\x10\0\0"
                                    "CET";
        static const struct {
                size_t offset;
                char value;
        } faults[] = {
                { 0, 'X' },                 /* what all begin with */
                { 20 + 3 * 4, '\x7f' },     /* more changes than there can be */
                { 20 + 4 * 4 + 3, 0 },      /* no type */
                { 44 + 4, 1 },              /* a change to a type that is not there */
                { 44 + 4 + 1 + 5, 4 },      /* a name behind the names */
                { sizeof(whole) - 1, 'X' }, /* a name without end */
        };

        assert_true(zone_data_is_sound(whole, sizeof(whole)));
        for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
                char data[sizeof(whole)];

                memcpy(data, whole, sizeof(whole));
                data[faults[i].offset] = faults[i].value;
                if (zone_data_is_sound(data, sizeof(data)))
                        fail_msg("with %d at %zu it is a zone", faults[i].value, faults[i].offset);
        }
}

static void what_is_no_file_is_none(void **state) {
        assert_true(zone_file_is_sound(BERLIN));
        assert_false(zone_file_is_sound("/usr/share/zoneinfo"));
        assert_false(zone_file_is_sound("/dev/zero"));
        assert_false(zone_file_is_sound("/usr/share/zoneinfo/nowhere"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_file_that_was_cut_off_is_none),
                cmocka_unit_test(one_whose_parts_lead_out_of_it_is_none),
                cmocka_unit_test(what_is_no_file_is_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
