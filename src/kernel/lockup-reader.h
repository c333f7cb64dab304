/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading the limits of the kernel's own detectors of standstill. */

#include "core/lockup.h"

/* What is not there, or makes no sense, is absent: kernels differ, and sandboxes hide some of it. */
void lockups_read(const char *sysfs, const char *procfs, Lockups *ret);
