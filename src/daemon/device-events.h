/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the LFA device's uevents mean to the daemon. */

#include "daemon/manager.h"

/* For uevent_monitor_new; the userdata is the manager. */
extern const UeventCallbacks device_event_callbacks;

void device_events_init(Manager *manager);

/* Events come far more often than any sane activity makes them: the kernel may be activating without end. */
bool manager_has_event_storm(const Manager *manager);
