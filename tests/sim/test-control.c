/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control commands, executed on a machine without files or socket. */

#include "sim/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define RMM "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define SCP "65922703-2f74-e644-8dff-579ac1ff0610"

static Machine *machine_of(void **state) {
        return *state;
}

static int setup(void **state) {
        Machine *machine;

        if (machine_new(driver_traits_find("nvnew"), firmware_model_find("versioned"), NULL, &machine) < 0)
                return -1;
        *state = machine;
        return machine_plug(machine, true);
}

static int teardown(void **state) {
        machine_free(machine_of(state));
        return 0;
}

static void expect(void **state, const char *line, const char *start) {
        g_autoptr(GString) reply = g_string_new(NULL);

        control_execute(machine_of(state), line, reply);
        if (!g_str_has_prefix(reply->str, start))
                fail_msg("'%s' gave '%s', not '%s'", line, reply->str, start);
        assert_true(g_str_has_suffix(reply->str, "\n\n") || strcmp(reply->str, "ok\n\n") == 0);
}

static void expect_usage(void **state, const char *line) {
        expect(state, line, "error: usage:");
}

static char *read_file(void **state, const char *guid, SysfsAttribute attribute) {
        g_autoptr(GBytes) bytes = NULL;
        MachineCaller caller = { 0 };
        uint64_t generation = machine_find_directory(machine_of(state), guid);
        size_t size;
        const char *data;

        assert_int_not_equal(generation, 0);
        assert_int_equal(machine_read(machine_of(state), generation, attribute, &caller, &bytes), 0);
        data = g_bytes_get_data(bytes, &size);
        return g_strndup(data, size);
}

static ssize_t activate(void **state, const char *guid) {
        MachineCaller caller = { 0 };

        return machine_write(machine_of(state), machine_find_directory(machine_of(state), guid),
                             ATTRIBUTE_ACTIVATE, &caller, "1", 1);
}

static void wrong_uses_are_refused_and_change_nothing(void **state) {
        static const char *const lines[] = {
                "",
                "'",
                "nonsense",
                "add",
                "add rmm",
                "add rmm x",
                "add nobody 1.0",
                "add sp1 1.0 --capable=2",
                "add sp1 1.0 --what",
                "stage rmm",
                "stage rmm 1",
                "set rmm colour 1",
                "set rmm capable yes",
                "fail prime",
                "fail prime WHAT",
                "fail prime SUCCESS",
                "fail nothing BUSY",
                "fail info BUSY --image=rmm",
                "fail prime BUSY --times=-1",
                "fail prime BUSY --times=",
                "busy cancel 1",
                "busy prime x",
                "never cancel",
                "slow prime 5",
                "slow everything 5s",
                "outcome activate what",
                "outcome prime normal",
                "outcome activate version=1",
                "hang prime",
                "release prime",
                "errno shut activate EIO",
                "errno open nothing EIO",
                "errno open activate EWHAT",
                "raw name",
                "raw name a --size=1",
                "raw name '\\x'",
                "raw name --size=99999999999",
                "missing name maybe",
                "cleanup-window 5",
                "refresh-time x",
                "auto rmm 2",
                "auto-cap x",
                "wait",
                "wait what",
                "wait idle --timeout=x",
                "show extra",
                "log --json",
                "uevent",
                "uevent add --count=x",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
                expect_usage(state, lines[i]);
        assert_int_equal(machine_of(state)->firmware->components->len, 4);
}

static void what_is_not_there_is_refused(void **state) {
        expect(state, "stage sp1 1.0", "error: firmware has no component");
        expect(state, "vanish bl33", "error: firmware has no component");
        expect(state, "fail prime BUSY --image=sp1", "error: firmware has no component");
        expect(state, "auto sp1 1", "error: the driver has no auto_activate");
        expect(state, "add rmm 1.0", "error: File exists");
        expect(state, "bind", "error: Device or resource busy");
        expect(state, "uevent change", "error: No such device");
}

static void add_and_vanish_wait_for_a_refresh_unless_now(void **state) {
        expect(state, "add sp1 1.5 --may-reset=1", "ok\n");
        assert_int_equal(machine_find_directory(machine_of(state), "f07b2a96-1d47-4d17-9ec8-86a64e253e5c"),
                         0);
        expect(state, "add sp2 1.6 --now", "ok\n");
        assert_int_not_equal(
                        machine_find_directory(machine_of(state), "f07b2a96-1d47-4d17-9ec8-86a64e253e5c"),
                        0);
        expect(state, "vanish scp", "ok\n");
        assert_int_not_equal(machine_find_directory(machine_of(state), SCP), 0);
        expect(state, "vanish sp2 --now", "ok\n");
        assert_int_equal(machine_find_directory(machine_of(state), SCP), 0);
}

static void a_fault_with_a_number_of_times_ends_by_itself(void **state) {
        expect(state, "stage rmm 1.3", "ok\n");
        expect(state, "fail prime AUTH_ERROR --times=2 --image=rmm", "ok\n");
        assert_int_equal(activate(state, RMM), -ECANCELED);
        assert_int_equal(activate(state, RMM), -ECANCELED);
        assert_int_equal(activate(state, RMM), 1);
}

static void a_fault_without_lasts_until_none(void **state) {
        expect(state, "stage rmm 1.3", "ok\n");
        expect(state, "fail activate ACTIVATION_FAILED", "ok\n");
        for (int i = 0; i < 5; i++)
                assert_int_equal(activate(state, RMM), -ECANCELED);
        expect(state, "fail activate none", "ok\n");
        assert_int_equal(activate(state, RMM), 1);
}

static void an_unexpected_version_is_shown_after_the_success(void **state) {
        g_autofree char *version = NULL;

        expect(state, "stage rmm 1.3", "ok\n");
        expect(state, "outcome activate version=6.6", "ok\n");
        assert_int_equal(activate(state, RMM), 1);
        version = read_file(state, RMM, ATTRIBUTE_CURRENT_VERSION);
        assert_string_equal(version, "6.6\n");
}

static void raw_bytes_replace_a_value_and_one_image_comes_first(void **state) {
        g_autofree char *rmm = NULL, *scp = NULL, *back = NULL, *huge = NULL;

        expect(state, "raw name all", "ok\n");
        expect(state, "raw name 'own\\n' --image=rmm", "ok\n");
        rmm = read_file(state, RMM, ATTRIBUTE_NAME);
        scp = read_file(state, SCP, ATTRIBUTE_NAME);
        assert_string_equal(rmm, "own\n");
        assert_string_equal(scp, "all");
        expect(state, "raw name none --image=rmm", "ok\n");
        expect(state, "raw name none", "ok\n");
        back = read_file(state, RMM, ATTRIBUTE_NAME);
        assert_string_equal(back, "TF-RMM\n");
        expect(state, "raw name --size=100000", "ok\n");
        huge = read_file(state, RMM, ATTRIBUTE_NAME);
        assert_int_equal(strlen(huge), 100000);
}

static void counters_tell_what_happened_and_can_be_reset(void **state) {
        expect(state, "stage rmm 1.3", "ok\n");
        expect(state, "reset-counters", "ok\n");
        assert_int_equal(activate(state, RMM), 1);
        expect(state, "counters --json",
               "ok\n{\"smc-info\":1,\"smc-inventory\":4,\"smc-prime\":1,\"smc-activate\":1,\"smc-activate-cpus\":4,"
               "\"smc-activate-skip\":0,\"smc-cancel\":0,\"activate-stores\":1,\"activate-returns\":1,"
               "\"cancel-stores\":0,\"bytes-written\":1,\"uevents\":0,"
               "\"stalls\":1,\"stall-largest-us\":0,\"stall-sum-us\":0,\"oopses\":0}\n");
        expect(state, "reset-counters", "ok\n");
        expect(state, "times --json",
               "ok\n{\"activate-entry\":0,\"first-smc\":0,\"activate-return\":0,\"uevent\":0}\n");
}

static void show_and_log_have_something_to_tell(void **state) {
        expect(state, "show",
               "ok\nprofile: nvnew\nfirmware: versioned\ndriver: bound\nidle: true\nimages:\n");
        expect(state, "show --json",
               "ok\n{\"profile\":\"nvnew\",\"firmware\":\"versioned\",\"driver\":\"bound\"");
        expect(state, "log", "ok\n<6>Arm LFA: Live Firmware Activation: detected v1.0\n");
}

static void wait_ends_at_once_when_met_and_times_out_when_not(void **state) {
        expect(state, "wait idle", "ok\n");
        expect(state, "wait activate-entered --timeout=10ms",
               "error: timed out waiting for activate-entered");
        expect(state, "stage rmm 1.3", "ok\n");
        assert_int_equal(activate(state, RMM), 1);
        expect(state, "wait activate-entered", "ok\n");
        expect(state, "wait activate-done", "ok\n");
        expect(state, "wait activate-done --count=2 --timeout=10ms", "error: timed out");
}

static void unbind_waits_and_bind_brings_everything_back(void **state) {
        expect(state, "unbind", "ok\n");
        assert_int_equal(machine_root(machine_of(state)), 0);
        expect(state, "unbind", "error: No such device");
        expect(state, "bind", "ok\n");
        assert_int_equal(machine_count_directories(machine_of(state)), 4);
}

static void usage_names_every_command(void **state) {
        static const char *const names[] = {
                "show",         "add",      "vanish",         "stage",  "unstage", "set",
                "fail",         "busy",     "call-again",     "slow",   "outcome", "never",
                "hang",         "release",  "errno",          "raw",    "missing", "cleanup-window",
                "refresh-time", "auto",     "notify",         "uevent", "unbind",  "bind",
                "log",          "counters", "reset-counters", "times",  "wait",    "quit",
        };
        g_autofree char *text = control_usage();

        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                g_autofree char *line = g_strdup_printf("  %s", names[i]);

                assert_non_null(strstr(text, line));
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(wrong_uses_are_refused_and_change_nothing),
                TEST(what_is_not_there_is_refused),
                TEST(add_and_vanish_wait_for_a_refresh_unless_now),
                TEST(a_fault_with_a_number_of_times_ends_by_itself),
                TEST(a_fault_without_lasts_until_none),
                TEST(an_unexpected_version_is_shown_after_the_success),
                TEST(raw_bytes_replace_a_value_and_one_image_comes_first),
                TEST(counters_tell_what_happened_and_can_be_reset),
                TEST(show_and_log_have_something_to_tell),
                TEST(wait_ends_at_once_when_met_and_times_out_when_not),
                TEST(unbind_waits_and_bind_brings_everything_back),
                TEST(usage_names_every_command),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
