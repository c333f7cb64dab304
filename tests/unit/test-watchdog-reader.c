/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading watchdogs from plain files, whatever is in them. */

#include "kernel/watchdog-reader.h"
#include "unit.h"
#include "util/macros.h"

#include <sys/inotify.h>

#define FOLDER "class/watchdog/"

static void put(const TempFolder *sysfs, const char *device, const char *attribute, const char *content) {
        g_autofree char *name = g_strdup_printf(FOLDER "%s/%s", device, attribute);

        temp_write_text(sysfs, name, content);
}

static void put_good(const TempFolder *sysfs, const char *device) {
        put(sysfs, device, "identity", "SBSA Generic Watchdog\n");
        put(sysfs, device, "state", "active\n");
        put(sysfs, device, "status", "0x8000\n");
        put(sysfs, device, "timeout", "30\n");
        put(sysfs, device, "pretimeout", "5\n");
        put(sysfs, device, "timeleft", "29\n");
        put(sysfs, device, "min_timeout", "1\n");
        put(sysfs, device, "max_timeout", "4294967295\n");
        put(sysfs, device, "nowayout", "1\n");
}

static GArray *read_all(const TempFolder *sysfs) {
        GArray *watchdogs;

        assert_int_equal(watchdogs_read(sysfs->path, &watchdogs), 0);
        return watchdogs;
}

static Watchdog read_one(const TempFolder *sysfs) {
        g_autoptr(GArray) watchdogs = read_all(sysfs);

        assert_int_equal(watchdogs->len, 1);
        return g_array_index(watchdogs, Watchdog, 0);
}

static void folder(const TempFolder *sysfs, const char *name) {
        g_autofree char *path = temp_path(sysfs, name);

        assert_int_equal(g_mkdir_with_parents(path, 0755), 0);
}

static void everything_is_read(void **state) {
        static const int64_t numbers[_WATCHDOG_NUMBER_MAX] = { 30, 5, 29, 1, 4294967295, 1 };
        Watchdog watchdog;

        put_good(*state, "watchdog0");
        watchdog = read_one(*state);
        assert_string_equal(watchdog.device, "watchdog0");
        assert_string_equal(watchdog.identity, "SBSA Generic Watchdog");
        assert_int_equal(watchdog.state, WATCHDOG_ACTIVE);
        assert_memory_equal(watchdog.numbers, numbers, sizeof(numbers));
        assert_false(watchdog.garbled);
}

static void devices_come_in_the_order_of_their_numbers(void **state) {
        static const char *const names[] = { "watchdog0", "watchdog2", "watchdog10" };
        g_autoptr(GArray) watchdogs = NULL;

        for (size_t i = G_N_ELEMENTS(names); i > 0; i--)
                put_good(*state, names[i - 1]);
        folder(*state, FOLDER "other");
        watchdogs = read_all(*state);
        assert_int_equal(watchdogs->len, G_N_ELEMENTS(names));
        for (unsigned i = 0; i < watchdogs->len; i++)
                assert_string_equal(g_array_index(watchdogs, Watchdog, i).device, names[i]);
}

static void status_is_never_opened(void **state) {
        g_autofree char *path = temp_path(*state, FOLDER "watchdog0");
        g_autoptr(GString) opened = g_string_new(NULL);
        _cleanup_close_ int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
        ssize_t n;

        put_good(*state, "watchdog0");
        assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
        (void) read_one(*state);
        while ((n = read(watch, buffer, sizeof(buffer))) > 0)
                for (char *p = buffer; p < buffer + n;) {
                        struct inotify_event *event = (struct inotify_event *) p;

                        g_string_append_printf(opened, " %s ", event->len > 0 ? event->name : ".");
                        p += sizeof(*event) + event->len;
                }
        assert_non_null(strstr(opened->str, " state "));
        for (int i = 0; i < _WATCHDOG_NUMBER_MAX; i++)
                assert_non_null(strstr(opened->str, watchdog_number_to_string((WatchdogNumber) i)));
        assert_null(strstr(opened->str, "status"));
}

/* Each number in turn. A value that makes less of the device is simply absent; the others make it doubtful. */
static void numbers_that_make_no_sense_are_absent(void **state) {
        static const char *const bad[] = { "",
                                           "\n",
                                           "-1\n",
                                           "-30\n",
                                           "+3\n",
                                           " 3\n",
                                           "3 s\n",
                                           "0x",
                                           "3.5\n",
                                           "ten\n",
                                           "1\n2\n",
                                           "4294967296\n",
                                           "99999999999999999999999999999999\n" };

        for (int number = 0; number < _WATCHDOG_NUMBER_MAX; number++)
                for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
                        Watchdog watchdog;

                        put_good(*state, "watchdog0");
                        put(*state, "watchdog0", watchdog_number_to_string((WatchdogNumber) number), bad[i]);
                        watchdog = read_one(*state);
                        if (watchdog.numbers[number] != WATCHDOG_ABSENT)
                                fail_msg("%s taken for a number", bad[i]);
                        assert_int_equal(watchdog.garbled,
                                         number == WATCHDOG_PRETIMEOUT || number == WATCHDOG_TIMELEFT);
                }
}

/* Even root cannot read a folder as a file. */
static void what_cannot_be_read_is_absent(void **state) {
        Watchdog watchdog;

        folder(*state, FOLDER "watchdog0/state");
        folder(*state, FOLDER "watchdog0/timeout");
        folder(*state, FOLDER "watchdog0/pretimeout");
        folder(*state, FOLDER "watchdog0/identity");
        watchdog = read_one(*state);
        assert_int_equal(watchdog.state, WATCHDOG_STATE_UNKNOWN);
        assert_int_equal(watchdog.numbers[WATCHDOG_TIMEOUT], WATCHDOG_ABSENT);
        assert_true(watchdog.garbled);
        assert_string_equal(watchdog.identity, "");
}

static void a_device_that_shows_nothing_is_there_all_the_same(void **state) {
        g_autoptr(GArray) watchdogs = NULL;
        Watchdog watchdog;

        folder(*state, FOLDER "watchdog0");
        watchdog = read_one(*state);
        assert_string_equal(watchdog.device, "watchdog0");
        assert_int_equal(watchdog.state, WATCHDOG_STATE_UNKNOWN);
        assert_false(watchdog.garbled);
        temp_write_text(*state, FOLDER "watchdog1", "no folder");
        temp_write_text(*state, FOLDER "watchdog0/state", "ACTIVE\n");
        watchdogs = read_all(*state);
        assert_int_equal(watchdogs->len, 2);
        assert_int_equal(g_array_index(watchdogs, Watchdog, 0).state, WATCHDOG_STATE_UNKNOWN);
}

static void identities_that_cannot_be_shown_are_dropped(void **state) {
        static const struct {
                const char *content, *identity;
        } cases[] = {
                { "iTCO_wdt\n", "iTCO_wdt" },
                { "  blanks  \n", "blanks" },
                { "caf\xc3\xa9\n", "caf\xc3\xa9" },
                { "\x1b[31mred\n", "" },
                { "\xff\xfe\n", "" },
                { "", "" },
                { "a\nb\n", "" },
        };
        g_autofree char *longest = g_strnfill(WATCHDOG_IDENTITY_SIZE, 'x');

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                put(*state, "watchdog0", "identity", cases[i].content);
                assert_string_equal(read_one(*state).identity, cases[i].identity);
        }
        put(*state, "watchdog0", "identity", longest);
        assert_string_equal(read_one(*state).identity, "");
}

static void no_class_is_no_watchdog(void **state) {
        g_autoptr(GArray) watchdogs = read_all(*state);

        assert_int_equal(watchdogs->len, 0);
}

static void more_devices_than_can_be_are_an_error(void **state) {
        GArray *watchdogs = NULL;

        for (int i = 0; i <= WATCHDOGS_MAX; i++) {
                g_autofree char *name = g_strdup_printf(FOLDER "watchdog%d", i);

                folder(*state, name);
        }
        assert_int_equal(watchdogs_read(((TempFolder *) *state)->path, &watchdogs), -E2BIG);
        assert_null(watchdogs);
}

static void a_misc_device_without_a_class_device_is_listed(void **state) {
        folder(*state, "class/misc/watchdog");
        assert_string_equal(read_one(*state).device, WATCHDOG_MISC_DEVICE);
        put_good(*state, "watchdog0"); /* registers it, too */
        assert_string_equal(read_one(*state).device, "watchdog0");
}

static void a_misc_device_of_another_parent_is_listed_beside_the_class(void **state) {
        g_autoptr(GArray) watchdogs = NULL;

        put_good(*state, "watchdog0");
        folder(*state, FOLDER "watchdog0/device");
        folder(*state, "class/misc/watchdog");
        watchdogs = read_all(*state);
        assert_int_equal(watchdogs->len, 2);
        assert_string_equal(g_array_index(watchdogs, Watchdog, 1).device, WATCHDOG_MISC_DEVICE);
        assert_int_equal(g_array_index(watchdogs, Watchdog, 1).state, WATCHDOG_STATE_UNKNOWN);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_folder(everything_is_read),
                unit_test_with_folder(devices_come_in_the_order_of_their_numbers),
                unit_test_with_folder(status_is_never_opened),
                unit_test_with_folder(numbers_that_make_no_sense_are_absent),
                unit_test_with_folder(what_cannot_be_read_is_absent),
                unit_test_with_folder(a_device_that_shows_nothing_is_there_all_the_same),
                unit_test_with_folder(identities_that_cannot_be_shown_are_dropped),
                unit_test_with_folder(no_class_is_no_watchdog),
                unit_test_with_folder(more_devices_than_can_be_are_an_error),
                unit_test_with_folder(a_misc_device_without_a_class_device_is_listed),
                unit_test_with_folder(a_misc_device_of_another_parent_is_listed_beside_the_class),
        };

        return cmocka_run_group_tests_name("watchdog-reader", tests, NULL, NULL);
}
