/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The uevents of the LFA device: hints that the driver appeared, vanished, or has refreshed its inventory.
 * No event names an image, none tells that one became pending, and several driver versions send none at all.
 */

#include <errno.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

typedef enum UeventMonitorState {
        UEVENTS_LISTENING,
        UEVENTS_DEAF,   /* no udevd forwards events here: libudev then connects to nothing, silently */
        UEVENTS_FAILED, /* the monitor could not be made */
        _UEVENTS_MAX,
        _UEVENTS_INVALID = -EINVAL,
} UeventMonitorState;

const char *uevent_monitor_state_to_string(UeventMonitorState state);
UeventMonitorState uevent_monitor_state_from_string(const char *text);

typedef struct UeventMonitor UeventMonitor;

/* Both are called from the event loop; the monitor must not be freed in them. */
typedef struct UeventCallbacks {
        /* An event of the LFA device. inventory_changed: a real `change`, which only nvnew and v2bos send.
         */
        void (*device_event)(const char *action, bool inventory_changed, void *userdata);
        /* Events were lost (the socket's buffer overflowed). */
        void (*overflow)(void *userdata);
} UeventCallbacks;

/* callbacks must outlive the monitor. Never fails: see uevent_monitor_state. */
UeventMonitor *uevent_monitor_new(sd_event *event, const UeventCallbacks *callbacks, void *userdata);
void *uevent_monitor_free(UeventMonitor *monitor);

/* Tries again to listen, when it does not; cheap. Returns the state. */
UeventMonitorState uevent_monitor_check(UeventMonitor *monitor);
UeventMonitorState uevent_monitor_state(const UeventMonitor *monitor);
