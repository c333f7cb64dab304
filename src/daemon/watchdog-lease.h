/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What RuntimeWatchdogUSec of systemd was before lfad changed it, on disk before it is changed: whatever happens to
 * lfad, the next one can restore it. In the runtime folder, which is in memory: nothing of it waits for a disk, and a
 * boot, which restores everything by itself, ends it. */

#include <stdbool.h>
#include <stdint.h>

typedef struct WatchdogLease {
        bool old_known;         /* false: the file is garbage, only the configuration can be gone back to */
        uint64_t old_usec;      /* RuntimeWatchdogUSec before; UINT64_MAX = the device's own time-out */
        uint64_t hardware_usec; /* the time-out that the device had then; 0 = not known */
        uint64_t set_usec;      /* what lfad set */
        uint32_t job;           /* for which job */
} WatchdogLease;

/* Atomic. Returns 0 or a negative errno. */
int watchdog_lease_write(const char *runtime_folder, const WatchdogLease *lease);

/* Returns 0; -ENOENT when there is none; -ESTALE when it is of another boot; -EBADMSG when it is garbage; another
 * negative errno. */
int watchdog_lease_read(const char *runtime_folder, WatchdogLease *ret);

/* Returns 0, also when there is none, or a negative errno. */
int watchdog_lease_remove(const char *runtime_folder);
