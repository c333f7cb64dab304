/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The configuration that is in force: read at start and on request. Both block on a disk, briefly. */

#include "daemon/manager.h"

/* Reads the files and puts them in force. When they have an error the defaults stay, and
 * manager->config_error says so to gate "config". Logs what is wrong. Call it before anything is scanned. */
void manager_load_config(Manager *manager);

/* The same while lfad runs, told to the service manager. Returns 0, or -EINVAL with ret_text the first error
 * and how many more there are, for the caller to free: then everything stays as it was. */
int manager_reload_config(Manager *manager, char **ret_text);
