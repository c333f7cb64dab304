/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of the kernel's detectors of standstill may speak up during an activation. */

#include "core/lockup.h"
#include "core/watchdog.h"
#include "util/macros.h"
#include "util/string-table.h"

#include <glib.h>

static const char *const numbers[_LOCKUP_NUMBER_MAX] = {
        [LOCKUP_WATCHDOG_THRESH] = "watchdog_thresh",
        [LOCKUP_SOFT_WATCHDOG] = "soft_watchdog",
        [LOCKUP_NMI_WATCHDOG] = "nmi_watchdog",
        [LOCKUP_SOFTLOCKUP_PANIC] = "softlockup_panic",
        [LOCKUP_HARDLOCKUP_PANIC] = "hardlockup_panic",
        [LOCKUP_PANIC_ON_RCU_STALL] = "panic_on_rcu_stall",
        [LOCKUP_HUNG_TASK_TIMEOUT] = "hung_task_timeout_secs",
        [LOCKUP_HUNG_TASK_PANIC] = "hung_task_panic",
        [LOCKUP_RCU_STALL_TIMEOUT] = "rcu_cpu_stall_timeout",
};
DEFINE_STRING_TABLE(lockup_number, LockupNumber, numbers)

static const char *const names[_LOCKUP_MAX] = {
        [LOCKUP_SOFT] = "soft-lockup",
        [LOCKUP_HARD] = "hard-lockup",
        [LOCKUP_RCU] = "rcu-stall",
        [LOCKUP_TASK] = "hung-task",
};
DEFINE_STRING_TABLE(lockup, LockupId, names)

/* What there is to say of each; LOCKUP_ABSENT for a switch: it cannot be turned off. */
static const struct {
        LockupNumber limit, panic;
        int enabled;     /* a LockupNumber */
        unsigned factor; /* of the limit's seconds */
        const char *what, *setting, *panic_setting;
} detectors[_LOCKUP_MAX] = {
        [LOCKUP_SOFT] = { LOCKUP_WATCHDOG_THRESH, LOCKUP_SOFTLOCKUP_PANIC, LOCKUP_SOFT_WATCHDOG, 2,
                          "a soft lockup", "kernel.watchdog_thresh", "kernel.softlockup_panic" },
        [LOCKUP_HARD] = { LOCKUP_WATCHDOG_THRESH, LOCKUP_HARDLOCKUP_PANIC, LOCKUP_NMI_WATCHDOG, 1,
                          "a hard lockup", "kernel.watchdog_thresh", "kernel.hardlockup_panic" },
        [LOCKUP_RCU] = { LOCKUP_RCU_STALL_TIMEOUT, LOCKUP_PANIC_ON_RCU_STALL, LOCKUP_ABSENT, 1,
                         "an RCU stall", "rcupdate.rcu_cpu_stall_timeout", "kernel.panic_on_rcu_stall" },
        [LOCKUP_TASK] = { LOCKUP_HUNG_TASK_TIMEOUT, LOCKUP_HUNG_TASK_PANIC, LOCKUP_ABSENT, 1, "a hung task",
                          "kernel.hung_task_timeout_secs", "kernel.hung_task_panic" },
};

void lockups_init(Lockups *lockups) {
        for (int i = 0; i < _LOCKUP_NUMBER_MAX; i++)
                lockups->numbers[i] = LOCKUP_ABSENT;
}

bool lockup_is_within(const Lockups *lockups, LockupId id, uint64_t need_usec, uint64_t *ret_limit_usec,
                      bool *ret_panics) {
        int64_t seconds = lockups->numbers[detectors[id].limit];
        uint64_t limit_usec;

        if (seconds <= 0) /* absent, or off */
                return false;
        if (detectors[id].enabled != LOCKUP_ABSENT && lockups->numbers[detectors[id].enabled] == 0)
                return false;
        limit_usec = (uint64_t) seconds * detectors[id].factor * USEC_PER_SEC;
        if (limit_usec > need_usec)
                return false;
        *ret_limit_usec = limit_usec;
        *ret_panics = lockups->numbers[detectors[id].panic] > 0;
        return true;
}

char *lockup_explain(LockupId id, uint64_t need_usec, uint64_t limit_usec, bool panics) {
        g_autofree char *limit = watchdog_format_span(limit_usec), *need = watchdog_format_span(need_usec);

        if (panics)
                return g_strdup_printf(
                                "The kernel may take an activation for %s after %s, and would panic (%s); one may take "
                                "%s. Set %s=0, or %s higher.",
                                detectors[id].what, limit, detectors[id].panic_setting, need,
                                detectors[id].panic_setting, detectors[id].setting);
        return g_strdup_printf(
                        "The kernel may take an activation for %s after %s and say so in its log; one may take %s (%s).",
                        detectors[id].what, limit, need, detectors[id].setting);
}
