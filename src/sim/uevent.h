/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sends uevents as udevd would pass them on: netlink group 2 with libudev's header, so that a "udev" monitor
 * of libudev or sd-device in the same network namespace gets them. Needs root. */

#include "sim/traits.h"

#include <glib.h>

typedef struct UeventSender UeventSender;

/* Returns 0 or a negative errno. */
int uevent_sender_new(UeventSender **ret_sender);
UeventSender *uevent_sender_free(UeventSender *sender);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UeventSender, uevent_sender_free)

/* The device as events tell of it. */
typedef struct UeventDevice {
        const DriverTraits *traits; /* its profile has a device */
        const char *suffix;         /* borrowed; NULL: a bus that gives none */
} UeventDevice;

/* Nobody listening is no failure. Returns 0 or a negative errno; does not block. */
int uevent_send(UeventSender *sender, const UeventDevice *device, const char *action, bool has_driver);

/* MurmurHash2 with seed 0, by which libudev's monitors filter for a subsystem. */
uint32_t uevent_subsystem_hash(const char *subsystem);
