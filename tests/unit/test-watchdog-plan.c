/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done about the host's watchdogs: whose they are, what systemd is told, and when nothing helps. */

#include "core/watchdog-plan.h"
#include "unit.h"
#include "util/macros.h"

#include <string.h>

#define SECOND USEC_PER_SEC
#define NO WATCHDOG_ABSENT
#define DEFAULT UINT64_MAX /* RuntimeWatchdogSec=default */
#define NOBODY (-1)

typedef struct Device {
        const char *name; /* NULL = none */
        WatchdogState state;
        int64_t timeout, timeleft, maximum, pretimeout;
        WatchdogSettings settings;
} Device;

typedef struct Row {
        const char *title;
        Device devices[3];
        uint64_t systemd_usec;
        const char *path;       /* WatchdogDevice; NULL = systemd does not answer */
        uint64_t need, learned; /* s */
        WatchdogAction action;
        uint64_t set_usec;
        int fed;
        bool pinged;
} Row;

#define ACTIVE WATCHDOG_ACTIVE
#define INACTIVE WATCHDOG_INACTIVE
#define UNKNOWN WATCHDOG_STATE_UNKNOWN
#define NONE WATCHDOG_ACTION_NONE
#define RAISE WATCHDOG_ACTION_RAISE
#define REFUSE WATCHDOG_ACTION_REFUSE

static const Row rows[] = {
        { "no device", { { 0 } }, 0, "", 10, 0, NONE, 0, NOBODY },
        { "no device, no limit", { { 0 } }, 30 * SECOND, "", UINT64_MAX, 0, NONE, 0, NOBODY },
        /* whose it is */
        { "systemd's",
          { { "watchdog0", ACTIVE, 10, NO, 60 } },
          10 * SECOND,
          "/dev/watchdog0",
          10,
          0,
          RAISE,
          20 * SECOND,
          0 },
        { "by the old name",
          { { "watchdog0", ACTIVE, 10, NO, 60 } },
          10 * SECOND,
          "/dev/watchdog",
          10,
          0,
          RAISE,
          20 * SECOND,
          0 },
        { "by a link",
          { { "watchdog0", ACTIVE, 10, NO, 60 } },
          10 * SECOND,
          "/dev/tpm-dog",
          10,
          0,
          RAISE,
          20 * SECOND,
          0 },
        { "not told which",
          { { "watchdog0", ACTIVE, 10, NO, 60 } },
          10 * SECOND,
          "",
          10,
          0,
          RAISE,
          20 * SECOND,
          0 },
        { "nonsense for a path",
          { { "watchdog0", ACTIVE, 10, NO, 60 } },
          10 * SECOND,
          "watchdog0",
          10,
          0,
          RAISE,
          20 * SECOND,
          0 },
        { "another than named",
          { { "watchdog0", ACTIVE, 10, NO, 60 } },
          10 * SECOND,
          "/dev/watchdog7",
          10,
          0,
          REFUSE,
          0,
          NOBODY },
        { "the second is named",
          { { "watchdog0", ACTIVE, 60, NO, 60 }, { "watchdog1", ACTIVE, 10, NO, 60 } },
          10 * SECOND,
          "/dev/watchdog1",
          10,
          0,
          RAISE,
          20 * SECOND,
          1 },
        { "two, not told which",
          { { "watchdog0", ACTIVE, 10, NO, 60 }, { "watchdog1", ACTIVE, 60, NO, 60 } },
          10 * SECOND,
          "",
          10,
          0,
          REFUSE,
          0,
          NOBODY },
        { "two, one stands",
          { { "watchdog0", INACTIVE, 10, NO, 60 }, { "watchdog1", ACTIVE, 10, NO, 60 } },
          10 * SECOND,
          "",
          10,
          0,
          RAISE,
          20 * SECOND,
          1 },
        { "the old name, another driver's",
          { { "watchdog0", ACTIVE, 10, NO, 60 }, { "watchdog", UNKNOWN, NO, NO, NO } },
          10 * SECOND,
          "/dev/watchdog",
          10,
          0,
          REFUSE,
          0,
          1 },
        { "another driver's besides, not told which",
          { { "watchdog0", ACTIVE, 60, NO, 60 }, { "watchdog", UNKNOWN, NO, NO, NO } },
          10 * SECOND,
          "",
          10,
          0,
          REFUSE,
          0,
          NOBODY },
        { "IPMI's alone", { { "watchdog", UNKNOWN, NO, NO, NO } }, 10 * SECOND, "", 10, 0, REFUSE, 0, 0 },
        { "IPMI's alone, ignored",
          { { "watchdog", UNKNOWN, NO, NO, NO, NO, { 0, true } } },
          10 * SECOND,
          "",
          10,
          0,
          NONE,
          0,
          0 },
        { "no systemd",
          { { "watchdog0", ACTIVE, 10, NO, 60 } },
          10 * SECOND,
          NULL,
          10,
          0,
          REFUSE,
          0,
          NOBODY },
        { "no systemd, long enough",
          { { "watchdog0", ACTIVE, 20, NO, 60 } },
          10 * SECOND,
          NULL,
          10,
          0,
          NONE,
          0,
          NOBODY },
        { "zero stays zero",
          { { "watchdog0", ACTIVE, 10, NO, 60 } },
          0,
          "/dev/watchdog0",
          10,
          0,
          REFUSE,
          0,
          NOBODY },
        { "zero, and it stands",
          { { "watchdog0", INACTIVE, 10, NO, 60 } },
          0,
          "/dev/watchdog0",
          10,
          0,
          NONE,
          0,
          NOBODY },
        /* two owners */
        { "systemd's can be raised, the other's not",
          { { "watchdog0", ACTIVE, 10, NO, 60 }, { "watchdog1", ACTIVE, 10, NO, 60 } },
          10 * SECOND,
          "/dev/watchdog0",
          10,
          0,
          REFUSE,
          0,
          0 },
        { "systemd's can be raised, the other's is long",
          { { "watchdog0", ACTIVE, 10, NO, 60 }, { "watchdog1", ACTIVE, 40, NO, 60 } },
          10 * SECOND,
          "/dev/watchdog0",
          10,
          0,
          RAISE,
          20 * SECOND,
          0 },
        { "the kernel's besides",
          { { "watchdog0", ACTIVE, 10, NO, 60 }, { "watchdog1", INACTIVE, 10, 5, 60 } },
          10 * SECOND,
          "/dev/watchdog0",
          10,
          0,
          REFUSE,
          0,
          0 },
        { "the kernel's is long enough as learned",
          { { "watchdog0", ACTIVE, 10, NO, 60 }, { "watchdog1", INACTIVE, 10, 5, 60 } },
          10 * SECOND,
          "/dev/watchdog0",
          10,
          2,
          RAISE,
          20 * SECOND,
          0 },
        /* what it is set to */
        { "pre-time-out",
          { { "watchdog0", ACTIVE, 10, NO, 60, 5 } },
          10 * SECOND,
          "",
          10,
          0,
          RAISE,
          25 * SECOND,
          0 },
        { "v1nv", { { "watchdog0", ACTIVE, 30, NO, 60 } }, 30 * SECOND, "", 20, 0, RAISE, 40 * SECOND, 0 },
        { "the device's own time-out",
          { { "watchdog0", ACTIVE, 10, NO, 60 } },
          DEFAULT,
          "",
          10,
          0,
          RAISE,
          20 * SECOND,
          0 },
        { "room for the reading",
          { { "watchdog0", ACTIVE, 10, 9, 60 } },
          10 * SECOND,
          "",
          10,
          0,
          RAISE,
          22 * SECOND,
          0 },
        { "no room left",
          { { "watchdog0", ACTIVE, 10, 9, 21 } },
          10 * SECOND,
          "",
          10,
          0,
          RAISE,
          20 * SECOND,
          0 },
        { "no room stated",
          { { "watchdog0", ACTIVE, 10, 9, 0, 0, { 21 * SECOND, false } } },
          10 * SECOND,
          "",
          10,
          0,
          RAISE,
          20 * SECOND,
          0 },
        { "never lower than the wish",
          { { "watchdog0", ACTIVE, 10, NO, 60 } },
          50 * SECOND,
          "",
          10,
          0,
          RAISE,
          51 * SECOND,
          0 },
        { "the greatest wish",
          { { "watchdog0", ACTIVE, 10, NO, 60 } },
          UINT64_MAX - 1,
          "",
          10,
          0,
          RAISE,
          UINT64_MAX - 1,
          0 },
        { "cannot be raised",
          { { "watchdog0", ACTIVE, 10, NO, 19 } },
          10 * SECOND,
          "",
          10,
          0,
          REFUSE,
          0,
          0 },
        { "no limit",
          { { "watchdog0", ACTIVE, UINT32_MAX, NO, UINT32_MAX } },
          10 * SECOND,
          "",
          UINT64_MAX,
          0,
          REFUSE,
          0,
          0 },
        { "no limit, learned",
          { { "watchdog0", ACTIVE, 60, NO, 60 } },
          10 * SECOND,
          "",
          UINT64_MAX,
          2,
          NONE,
          0,
          0 },
        { "no limit, ignored",
          { { "watchdog0", ACTIVE, 10, NO, 60, 0, { 0, true } } },
          10 * SECOND,
          "",
          UINT64_MAX,
          0,
          NONE,
          0,
          0 },
        { "an absurd need",
          { { "watchdog0", ACTIVE, 10, NO, 60 } },
          10 * SECOND,
          "",
          UINT64_MAX / 2 / SECOND,
          0,
          REFUSE,
          0,
          0 },
        /* fed without a change, to measure */
        { "long enough, time left is not",
          { { "watchdog0", ACTIVE, 30, 12, 60 } },
          30 * SECOND,
          "",
          10,
          0,
          RAISE,
          30 * SECOND - 1,
          0 },
        { "again",
          { { "watchdog0", ACTIVE, 30, 12, 60 } },
          30 * SECOND - 1,
          "",
          10,
          0,
          RAISE,
          30 * SECOND - 2,
          0 },
        { "of the device's own time-out",
          { { "watchdog0", ACTIVE, 30, 12, 60 } },
          DEFAULT,
          "",
          10,
          0,
          RAISE,
          30 * SECOND - 1,
          0 },
        { "at its maximum",
          { { "watchdog0", ACTIVE, 20, 12, 20 } },
          20 * SECOND,
          "",
          10,
          0,
          RAISE,
          20 * SECOND - 1,
          0 },
        { "just long enough",
          { { "watchdog0", ACTIVE, 20, 12, 60 } },
          20 * SECOND,
          "",
          10,
          0,
          RAISE,
          22 * SECOND,
          0 },
        { "measured",
          { { "watchdog0", ACTIVE, 22, 21, 60 } },
          22 * SECOND,
          "",
          10,
          0,
          NONE,
          0,
          0,
          .pinged = true },
        { "measured, and it holds less",
          { { "watchdog0", ACTIVE, 22, 8, 0 } },
          22 * SECOND,
          "",
          10,
          0,
          REFUSE,
          0,
          0,
          .pinged = true },
        { "it holds less, but enough as learned",
          { { "watchdog0", ACTIVE, 22, 8, 0 } },
          22 * SECOND,
          "",
          10,
          4,
          NONE,
          0,
          0,
          .pinged = true },
        { "only systemd's was fed",
          { { "watchdog0", ACTIVE, 60, 12, 60 }, { "watchdog1", ACTIVE, 60, 25, 60 } },
          60 * SECOND,
          "/dev/watchdog1",
          10,
          0,
          REFUSE,
          0,
          1,
          .pinged = true },
};

static const WatchdogSettings *find_settings(const Watchdog *watchdog, const void *userdata) {
        const Row *row = userdata;

        for (size_t i = 0; i < G_N_ELEMENTS(row->devices); i++)
                if (row->devices[i].name && strcmp(row->devices[i].name, watchdog->device) == 0)
                        return &row->devices[i].settings;
        return NULL;
}

static GArray *make(const Row *row) {
        GArray *watchdogs = g_array_new(FALSE, FALSE, sizeof(Watchdog));

        for (size_t i = 0; i < G_N_ELEMENTS(row->devices) && row->devices[i].name; i++) {
                const Device *device = &row->devices[i];
                Watchdog watchdog;

                watchdog_init(&watchdog, device->name);
                watchdog.state = device->state;
                watchdog.numbers[WATCHDOG_TIMEOUT] = device->timeout;
                watchdog.numbers[WATCHDOG_TIMELEFT] = device->timeleft;
                watchdog.numbers[WATCHDOG_MAX_TIMEOUT] = device->maximum;
                watchdog.numbers[WATCHDOG_PRETIMEOUT] = device->pretimeout;
                g_array_append_val(watchdogs, watchdog);
        }
        return watchdogs;
}

static WatchdogPlan *plan_for(const Row *row, const GArray *watchdogs) {
        WatchdogReading reading = { .watchdogs = watchdogs,
                                    .systemd = { .known = row->path, .timeout_usec = row->systemd_usec } };
        uint64_t need = row->need == UINT64_MAX ? UINT64_MAX : row->need * SECOND;

        g_strlcpy(reading.systemd.device, row->path ? row->path : "", sizeof(reading.systemd.device));
        assert_int_equal(watchdog_find_systemd_device(&reading), row->fed);
        return watchdog_plan_new(&reading, need, row->learned * SECOND, row->pinged, find_settings, row);
}

static void every_case_is_planned_as_the_table_says(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(GArray) watchdogs = make(&rows[i]);
                g_autoptr(WatchdogPlan) plan = plan_for(&rows[i], watchdogs);

                if (plan->action != rows[i].action || plan->set_usec != rows[i].set_usec)
                        fail_msg("%s: %s, %" G_GUINT64_FORMAT ": %s%s", rows[i].title,
                                 watchdog_action_to_string(plan->action), plan->set_usec, plan->text,
                                 plan->refusal);
                assert_int_equal(plan->judgements->len, watchdogs->len);
                assert_int_equal(*plan->text != 0, plan->action == RAISE);
                assert_int_equal(*plan->refusal != 0, plan->action != NONE);
                assert_null(strstr(plan->text, "18446744073709"));
                assert_null(strstr(plan->refusal, "18446744073709"));
        }
}

/* What sysfs shows after systemd did as it was told. */
static void obey(Watchdog *watchdog, uint64_t set_usec) {
        watchdog->numbers[WATCHDOG_TIMEOUT] = (int64_t) ((set_usec + SECOND - 1) / SECOND);
        if (watchdog->numbers[WATCHDOG_TIMELEFT] != WATCHDOG_ABSENT)
                watchdog->numbers[WATCHDOG_TIMELEFT] =
                                watchdog->numbers[WATCHDOG_TIMEOUT] - 1; /* rounded down */
}

static void what_is_obeyed_is_enough_and_never_shorter(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(GArray) watchdogs = make(&rows[i]);
                g_autoptr(WatchdogPlan) before = plan_for(&rows[i], watchdogs);
                Row after = rows[i];

                if (before->action != RAISE || before->set_usec > 60 * SECOND)
                        continue;
                assert_true((int64_t) ((before->set_usec + SECOND - 1) / SECOND) >=
                            rows[i].devices[rows[i].fed].timeout);
                obey(&g_array_index(watchdogs, Watchdog, rows[i].fed), before->set_usec);
                after.systemd_usec = before->set_usec;
                after.pinged = true;
                before = watchdog_plan_free(before);
                before = plan_for(&after, watchdogs);
                /* where there is no room for what is lost in reading, doubt remains, and it is refused */
                if (rows[i].devices[rows[i].fed].maximum == 20 || strstr(rows[i].title, "no room"))
                        assert_int_equal(before->action, REFUSE);
                else
                        assert_int_equal(before->action, NONE);
        }
}

static void a_refusal_names_the_device_the_numbers_and_the_way_out(void **state) {
        Row row = { "", { { "watchdog0", ACTIVE, 10, NO, 10 } }, 10 * SECOND, "", 10, 0, REFUSE, 0, 0 };
        static const char *const words[] = { "watchdog0", "SBSA Generic Watchdog", "5 s",
                                             "10 s",      "RuntimeWatchdogSec=",   "HardwareTimeoutSec=",
                                             "Ignore=yes" };
        g_autoptr(GArray) watchdogs = make(&row);
        g_autoptr(WatchdogPlan) plan = NULL;

        g_strlcpy(g_array_index(watchdogs, Watchdog, 0).identity, "SBSA Generic Watchdog",
                  WATCHDOG_IDENTITY_SIZE);
        plan = plan_for(&row, watchdogs);
        for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
                if (!strstr(plan->refusal, words[i]))
                        fail_msg("no %s in: %s", words[i], plan->refusal);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_case_is_planned_as_the_table_says),
                cmocka_unit_test(what_is_obeyed_is_enough_and_never_shorter),
                cmocka_unit_test(a_refusal_names_the_device_the_numbers_and_the_way_out),
        };

        return cmocka_run_group_tests_name("watchdog-plan", tests, NULL, NULL);
}
