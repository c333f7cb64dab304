/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The uevents of the LFA device, through udevd (libudev). */

#include "kernel/uevents.h"
#include "util/macros.h"
#include "util/string-table.h"

#include <fnmatch.h>
#include <glib.h>
#include <libudev.h>
#include <string.h>

#define RECEIVE_BUFFER_SIZE (1024 * 1024)
#define EVENTS_AT_ONCE 64

struct UeventMonitor {
        const UeventCallbacks *callbacks;
        void *userdata;
        sd_event *event;
        struct udev *udev;
        struct udev_monitor *monitor;
        sd_event_source *source;
        UeventMonitorState state;
};

static const char *const states[_UEVENTS_MAX] = {
        [UEVENTS_LISTENING] = "listening",
        [UEVENTS_DEAF] = "deaf",
        [UEVENTS_FAILED] = "failed",
};
DEFINE_STRING_TABLE(uevent_monitor_state, UeventMonitorState, states)

/* Where each version of the driver has its device. `add` events carry no DRIVER yet, hence the names. */
static const struct {
        const char *subsystem, *driver, *name_pattern;
} devices[] = {
        { "arm_smccc", "lfa_fw", "arm-smccc-lfa*" }, /* v3, nv3, nvnew */
        { "faux", "faux_driver", "arm-lfa" },        /* v2, v2bos */
        { "platform", "ARM_LFA", "ARML0003:*" },     /* v1nv */
};

static bool is_lfa_device(struct udev_device *device) {
        const char *subsystem = udev_device_get_subsystem(device);
        const char *driver = udev_device_get_property_value(device, "DRIVER");
        const char *name = udev_device_get_sysname(device);

        for (size_t i = 0; subsystem && i < G_N_ELEMENTS(devices); i++) {
                if (strcmp(subsystem, devices[i].subsystem) != 0)
                        continue;
                if (name && fnmatch(devices[i].name_pattern, name, 0) == 0)
                        return true;
                /* faux_driver drives every device of its bus */
                if (driver && strcmp(driver, devices[i].driver) == 0 && strcmp(subsystem, "faux") != 0)
                        return true;
        }
        return false;
}

static void handle_device(UeventMonitor *monitor, struct udev_device *device) {
        const char *action = udev_device_get_action(device);
        bool synthetic = udev_device_get_property_value(device, "SYNTH_UUID") != NULL;

        if (action && is_lfa_device(device))
                monitor->callbacks->device_event(action, strcmp(action, "change") == 0 && !synthetic,
                                                 monitor->userdata);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        UeventMonitor *monitor = userdata;

        /* Bounded: a storm of events must not starve the bus. What is left makes the descriptor readable
         * again. */
        for (int i = 0; i < EVENTS_AT_ONCE; i++) {
                struct udev_device *device;

                errno = 0;
                device = udev_monitor_receive_device(monitor->monitor);
                if (!device) {
                        if (errno == ENOBUFS)
                                monitor->callbacks->overflow(monitor->userdata);
                        break;
                }
                handle_device(monitor, device);
                udev_device_unref(device);
        }
        return 0;
}

/* Where udevd is not running libudev silently binds to no group at all (or to one that nobody sends to). */
static bool udevd_is_expected(void) {
        return access("/run/udev/control", F_OK) == 0;
}

static int start_listening(UeventMonitor *monitor) {
        int r;

        monitor->monitor = udev_monitor_new_from_netlink(monitor->udev, "udev");
        if (!monitor->monitor)
                return -ENOTSUP;
        for (size_t i = 0; i < G_N_ELEMENTS(devices); i++) {
                r = udev_monitor_filter_add_match_subsystem_devtype(monitor->monitor, devices[i].subsystem,
                                                                    NULL);
                if (r < 0)
                        return r;
        }
        (void) udev_monitor_set_receive_buffer_size(monitor->monitor, RECEIVE_BUFFER_SIZE);
        r = udev_monitor_enable_receiving(monitor->monitor);
        if (r < 0)
                return r;
        r = sd_event_add_io(monitor->event, &monitor->source, udev_monitor_get_fd(monitor->monitor), EPOLLIN,
                            on_readable, monitor);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(monitor->source, "uevents");
        return sd_event_source_set_priority(monitor->source, SD_EVENT_PRIORITY_NORMAL + 10);
}

static void stop_listening(UeventMonitor *monitor) {
        monitor->source = sd_event_source_disable_unref(monitor->source);
        monitor->monitor = udev_monitor_unref(monitor->monitor);
}

UeventMonitorState uevent_monitor_check(UeventMonitor *monitor) {
        if (monitor->state == UEVENTS_LISTENING)
                return monitor->state;
        if (!udevd_is_expected())
                return monitor->state = UEVENTS_DEAF;
        if (start_listening(monitor) < 0) {
                stop_listening(monitor);
                return monitor->state = UEVENTS_FAILED;
        }
        return monitor->state = UEVENTS_LISTENING;
}

UeventMonitorState uevent_monitor_state(const UeventMonitor *monitor) {
        return monitor->state;
}

UeventMonitor *uevent_monitor_new(sd_event *event, const UeventCallbacks *callbacks, void *userdata) {
        UeventMonitor *monitor = g_new0(UeventMonitor, 1);

        monitor->callbacks = callbacks;
        monitor->userdata = userdata;
        monitor->event = sd_event_ref(event);
        monitor->udev = udev_new();
        monitor->state = UEVENTS_FAILED;
        if (monitor->udev)
                uevent_monitor_check(monitor);
        return monitor;
}

void *uevent_monitor_free(UeventMonitor *monitor) {
        if (monitor) {
                stop_listening(monitor);
                udev_unref(monitor->udev);
                sd_event_unref(monitor->event);
                g_free(monitor);
        }
        return NULL;
}
