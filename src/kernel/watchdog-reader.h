/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading what sysfs shows of the host's watchdogs. No watchdog is ever opened, since that arms it, and the attribute
 * "status" is never read, since that clears the device's record of why the host was reset. */

#include "core/watchdog.h"

#include <glib.h>

/* Reads all devices. ret: an array of Watchdog, by number, which the caller unrefs; empty when there are none. Values
 * that cannot be read or make no sense are absent. May sleep in the kernel. Returns 0; -E2BIG when there are more than
 * WATCHDOGS_MAX; another negative errno when the devices could not be listed. */
int watchdogs_read(const char *sysfs, GArray **ret);
