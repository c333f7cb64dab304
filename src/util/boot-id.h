/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which boot of the host this is, as sd-id128 gives it. Read here, so that lfad-worker, which is started for each reading
 * of sysfs, does without libsystemd and the seven libraries behind it: loading them took it as long as its work. */

#define BOOT_ID_SIZE 33 /* 32 lower-case hexadecimal digits and NUL */

/* Does not block: /proc is in memory. Returns 0 or a negative errno with ret untouched. */
int boot_id_read(char ret[static BOOT_ID_SIZE]);
