/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One reading of one image: nothing known at first, equality by every field, the look of a dropped image. */

#include "core/image-values.h"
#include "unit.h"

#define GUID "6c0762a6-12f2-4b56-92cb-ba8f633606d9"

static void nothing_is_known_of_a_new_image_but_its_guid(void **state) {
        ImageValues values;

        fill_untouched(&values, sizeof(values));
        image_values_init(&values, GUID);
        assert_string_equal(values.guid, GUID);
        assert_string_equal(values.name, "");
        assert_string_equal(values.current_version, "");
        assert_string_equal(values.pending_version, "");
        assert_int_equal(values.capable, -1);
        assert_int_equal(values.pending, -1);
        assert_int_equal(values.may_reset_cpu, -1);
        assert_int_equal(values.cpu_rendezvous, -1);
        assert_int_equal(values.force_cpu_rendezvous, -1);
        assert_int_equal(values.auto_activate, -1);
        assert_false(image_values_look_stale(&values));
}

static ImageValues healthy(void) {
        ImageValues values;

        image_values_init(&values, GUID);
        strcpy(values.name, "TF-RMM");
        values.capable = values.pending = 1;
        values.may_reset_cpu = values.auto_activate = 0;
        values.cpu_rendezvous = values.force_cpu_rendezvous = 1;
        strcpy(values.current_version, "1.0");
        strcpy(values.pending_version, "1.1");
        return values;
}

static void readings_are_equal_when_every_field_is(void **state) {
        const ImageValues a = healthy();

        assert_true(image_values_equal(&a, &a));
        for (unsigned field = 0; field < 10; field++) {
                ImageValues b = a;

                int8_t *const flags[] = { &b.capable,
                                          &b.pending,
                                          &b.may_reset_cpu,
                                          &b.cpu_rendezvous,
                                          &b.force_cpu_rendezvous,
                                          &b.auto_activate };
                char *const texts[] = { b.guid, b.name, b.current_version, b.pending_version };

                if (field < 6)
                        *flags[field] = -1;
                else
                        texts[field - 6][0]++;
                assert_false(image_values_equal(&a, &b));
                assert_false(image_values_equal(&b, &a));
        }
}

/* As the driver shows an image that it has dropped. */
static ImageValues dropped(void) {
        ImageValues values = healthy();

        values.capable = values.pending = values.may_reset_cpu = values.cpu_rendezvous = 0;
        values.current_version[0] = values.pending_version[0] = 0;
        return values;
}

static void dropped_image_looks_stale_with_pending_0_or_unreadable(void **state) {
        ImageValues values = dropped();

        assert_true(image_values_look_stale(&values));
        values.pending = -1; /* nvnew: ENOENT */
        assert_true(image_values_look_stale(&values));
        values.auto_activate = 1; /* settings are kept until the directory goes */
        assert_true(image_values_look_stale(&values));
}

static void one_value_that_a_dropped_image_cannot_have_proves_it_healthy(void **state) {
        for (unsigned field = 0; field < 6; field++) {
                ImageValues values = dropped();

                int8_t *const flags[] = { &values.capable, &values.pending, &values.may_reset_cpu,
                                          &values.cpu_rendezvous };

                if (field < 4)
                        *flags[field] = 1;
                else
                        strcpy(field == 4 ? values.current_version : values.pending_version, "1.0");
                assert_false(image_values_look_stale(&values));
        }
}

static void unreadable_flags_are_not_the_look_of_a_dropped_image(void **state) {
        for (unsigned field = 0; field < 3; field++) {
                ImageValues values = dropped();

                int8_t *const flags[] = { &values.capable, &values.may_reset_cpu, &values.cpu_rendezvous };

                *flags[field] = -1;
                assert_false(image_values_look_stale(&values));
        }
}

static void image_that_was_never_capable_without_versions_is_not_stale(void **state) {
        ImageValues values = dropped();

        values.cpu_rendezvous = 1; /* TF-A */
        assert_false(image_values_look_stale(&values));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_is_known_of_a_new_image_but_its_guid),
                cmocka_unit_test(readings_are_equal_when_every_field_is),
                cmocka_unit_test(dropped_image_looks_stale_with_pending_0_or_unreadable),
                cmocka_unit_test(one_value_that_a_dropped_image_cannot_have_proves_it_healthy),
                cmocka_unit_test(unreadable_flags_are_not_the_look_of_a_dropped_image),
                cmocka_unit_test(image_that_was_never_capable_without_versions_is_not_stale),
        };

        return cmocka_run_group_tests_name("image-values", tests, NULL, NULL);
}
