/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lfad shows of one image: which properties differ, a name that is never empty. */

#include "daemon/image.h"
#include "unit.h"

#define RMM "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define NAMELESS "0509b633-5734-422f-a681-6096e932d93a"

static void each_property_that_differs_is_named(void **state) {
        ImageValues a;

        image_values_init(&a, RMM);
        assert_int_equal(image_values_diff(&a, &a), 0);
        for (unsigned field = 0; field < 9; field++) {
                ImageValues b = a;

                int8_t *const flags[] = { &b.capable,
                                          &b.pending,
                                          &b.may_reset_cpu,
                                          &b.cpu_rendezvous,
                                          &b.force_cpu_rendezvous,
                                          &b.auto_activate };
                char *const texts[] = { b.name, b.current_version, b.pending_version };

                if (field < 3)
                        strcpy(texts[field], "1.0");
                else
                        *flags[field - 3] =
                                        field == 5 || field == 6
                                                        ? 0
                                                        : 1; /* those two are shown as yes when unknown */
                assert_int_equal(image_values_diff(&a, &b), 1u << field);
        }
}

static void what_is_shown_alike_is_no_change(void **state) {
        ImageValues unreadable, read;

        image_values_init(&unreadable, RMM);
        read = unreadable;
        read.capable = read.pending = read.force_cpu_rendezvous = read.auto_activate = 0;
        read.may_reset_cpu = read.cpu_rendezvous = 1;
        assert_int_equal(image_values_diff(&unreadable, &read), 0);
}

static void a_known_name_comes_before_the_kernels_and_that_before_the_guid(void **state) {
        Image image = { 0 };

        image_values_init(&image.values, NAMELESS);
        assert_string_equal(image_display_name(&image), NAMELESS);
        assert_string_equal(image_alias(&image), "");
        strcpy(image.values.name, "from the kernel");
        assert_string_equal(image_display_name(&image), "from the kernel");

        image_values_init(&image.values, RMM);
        strcpy(image.values.name, "from the kernel");
        assert_string_equal(image_display_name(&image), "Realm Management Monitor (RMM)");
        assert_string_equal(image_alias(&image), "rmm");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_property_that_differs_is_named),
                cmocka_unit_test(what_is_shown_alike_is_no_change),
                cmocka_unit_test(a_known_name_comes_before_the_kernels_and_that_before_the_guid),
        };

        return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
