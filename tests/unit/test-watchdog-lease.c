/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lease of systemd's watchdog time-out: written, read, and whatever else may lie there. */

#include "daemon/watchdog-lease.h"
#include "unit.h"

#include <string.h>
#include <systemd/sd-id128.h>

#define FILE_NAME "watchdog.lease"

static void what_was_written_is_read(void **state) {
        static const WatchdogLease leases[] = {
                { true, 30000000, 10000000, 32000000, 7 },
                { true, 1, 0, UINT64_MAX - 2, UINT32_MAX },
                { true, UINT64_MAX, 10000000, 22000000, 1 }, /* RuntimeWatchdogSec=default */
        };
        const TempFolder *folder = *state;
        WatchdogLease lease = { 0 };

        assert_int_equal(watchdog_lease_read(folder->path, &lease), -ENOENT);
        assert_int_equal(watchdog_lease_remove(folder->path), 0);
        for (size_t i = 0; i < G_N_ELEMENTS(leases); i++) {
                assert_int_equal(watchdog_lease_write(folder->path, &leases[i]), 0);
                assert_int_equal(watchdog_lease_read(folder->path, &lease), 0);
                assert_true(lease.old_known && lease.old_usec == leases[i].old_usec);
                assert_true(lease.hardware_usec == leases[i].hardware_usec);
                assert_true(lease.set_usec == leases[i].set_usec && lease.job == leases[i].job);
        }
        assert_int_equal(watchdog_lease_remove(folder->path), 0);
        assert_int_equal(watchdog_lease_read(folder->path, &lease), -ENOENT);
}

static void a_folder_that_is_not_there_is_an_error(void **state) {
        WatchdogLease lease = { .old_known = true, .old_usec = 1 };

        assert_int_equal(watchdog_lease_write("/nowhere", &lease), -ENOENT);
        assert_int_equal(watchdog_lease_remove("/nowhere"), -ENOENT);
}

static void another_boots_is_stale_and_garbage_is_garbage(void **state) {
        static const char *const garbage[] = {
                "",
                "{",
                "[]",
                "null",
                "{}",
                "{\"boot-id\":1}",
                "{\"boot-id\":\"%s\"}",
                "{\"boot-id\":\"%s\",\"old-usec\":0,\"hardware-usec\":0,\"set-usec\":1,\"job\":1}",
                "{\"boot-id\":\"%s\",\"old-usec\":-5,\"hardware-usec\":0,\"set-usec\":1,\"job\":1}",
                "{\"boot-id\":\"%s\",\"old-usec\":99999999999999999999,\"hardware-usec\":0,\"set-usec\":1,\"job\":1}",
                "{\"boot-id\":\"%s\",\"old-usec\":5,\"hardware-usec\":0,\"set-usec\":1,\"job\":4294967296}",
                "{\"boot-id\":\"%s\",\"old-usec\":5,\"hardware-usec\":0,\"set-usec\":1}",
                "{\"boot-id\":\"%s\",\"old-usec\":5,\"old-is-default\":true,\"hardware-usec\":0,\"set-usec\":1,\"job\":1}",
                "{\"boot-id\":\"%s\",\"old-is-default\":false,\"hardware-usec\":0,\"set-usec\":1,\"job\":1}",
        };
        const TempFolder *folder = *state;
        char boot_id[SD_ID128_STRING_MAX];
        WatchdogLease lease = { .job = 77 };
        sd_id128_t id;

        assert_int_equal(sd_id128_get_boot(&id), 0);
        sd_id128_to_string(id, boot_id);
        for (size_t i = 0; i < G_N_ELEMENTS(garbage); i++) {
                const char *place = strstr(garbage[i], "%s");
                g_autofree char *text = place ? g_strdup_printf("%.*s%s%s", (int) (place - garbage[i]),
                                                                garbage[i], boot_id, place + 2)
                                              : g_strdup(garbage[i]);

                temp_write_text(folder, FILE_NAME, text);
                if (watchdog_lease_read(folder->path, &lease) != -EBADMSG)
                        fail_msg("taken for a lease: %s", text);
        }
        temp_write_text(folder, FILE_NAME,
                        "{\"boot-id\":\"00000000000000000000000000000000\",\"old-usec\":5}");
        assert_int_equal(watchdog_lease_read(folder->path, &lease), -ESTALE);
        assert_int_equal(lease.job, 77);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_folder(what_was_written_is_read),
                cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
                unit_test_with_folder(another_boots_is_stale_and_garbage_is_garbage),
        };

        return cmocka_run_group_tests_name("watchdog-lease", tests, NULL, NULL);
}
