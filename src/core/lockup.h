/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel's own detectors of CPUs and tasks that stand still: which of them may speak up during an activation. They
 * are worth a warning, not a refusal: the driver quiets some of them, and most only write to the log. Pure. Facts:
 * Documentation/admin-guide/lockup-watchdogs.rst, sysctl/kernel.rst and RCU/stallwarn.rst of the kernel. */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#define LOCKUP_ABSENT (-1)
#define LOCKUP_VALUE_MAXIMUM UINT32_MAX

/* Their strings are the names of the files. Seconds, or 0 and 1. */
typedef enum LockupNumber {
        LOCKUP_WATCHDOG_THRESH, /* soft lockups are found after twice that; 0 = neither soft nor hard ones */
        LOCKUP_SOFT_WATCHDOG,   /* soft lockups are looked for */
        LOCKUP_NMI_WATCHDOG,    /* hard ones */
        LOCKUP_SOFTLOCKUP_PANIC,
        LOCKUP_HARDLOCKUP_PANIC,
        LOCKUP_PANIC_ON_RCU_STALL,
        LOCKUP_HUNG_TASK_TIMEOUT, /* 0 = not looked for */
        LOCKUP_HUNG_TASK_PANIC,
        LOCKUP_RCU_STALL_TIMEOUT, /* a parameter of module rcupdate; the others are of /proc/sys/kernel */
        _LOCKUP_NUMBER_MAX,
        _LOCKUP_NUMBER_INVALID = -EINVAL,
} LockupNumber;

typedef struct Lockups {
        int64_t numbers[_LOCKUP_NUMBER_MAX]; /* 0 to LOCKUP_VALUE_MAXIMUM, or LOCKUP_ABSENT */
} Lockups;

typedef enum LockupId {
        LOCKUP_SOFT,
        LOCKUP_HARD,
        LOCKUP_RCU,
        LOCKUP_TASK,
        _LOCKUP_MAX,
        _LOCKUP_INVALID = -EINVAL,
} LockupId;

const char *lockup_number_to_string(LockupNumber number);
LockupNumber lockup_number_from_string(const char *text);
const char *lockup_to_string(LockupId id);
LockupId lockup_from_string(const char *text);

void lockups_init(Lockups *lockups); /* nothing is known */

/* Whether that detector speaks up within need_usec. ret_limit_usec: when; ret_panics: and then the kernel panics. */
bool lockup_is_within(const Lockups *lockups, LockupId id, uint64_t need_usec, uint64_t *ret_limit_usec,
                      bool *ret_panics);

/* A sentence or two for people, which the caller frees. */
char *lockup_explain(LockupId id, uint64_t need_usec, uint64_t limit_usec, bool panics);
