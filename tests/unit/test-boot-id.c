/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The boot id as the worker reads it, against systemd's own. */

#include "unit.h"
#include "util/boot-id.h"

#include <systemd/sd-id128.h>

static void it_is_the_one_that_systemd_gives(void **state) {
        char mine[BOOT_ID_SIZE], theirs[SD_ID128_STRING_MAX];
        sd_id128_t id;

        assert_int_equal(sd_id128_get_boot(&id), 0);
        assert_int_equal(boot_id_read(mine), 0);
        assert_string_equal(mine, sd_id128_to_string(id, theirs));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_is_the_one_that_systemd_gives),
        };

        return cmocka_run_group_tests_name("boot-id", tests, NULL, NULL);
}
