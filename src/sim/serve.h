/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The life of a serving simulator: everything up in order, wait, everything down. */

#include "sim/firmware.h"
#include "sim/traits.h"

typedef struct ServeOptions {
        const DriverTraits *traits;
        const FirmwareModel *model;
        const char *mountpoint;
        const char *sysfs;      /* a folder that is to stand in for /sys; NULL: none */
        const char *kernel_log; /* what is covered by the kernel's log; NULL: nothing, or with a command
                                 * /dev/kmsg if it is there */
        const char *control;    /* NULL: the default, or with a command a socket of its own */
        int ready_fd;           /* gets one byte when serving; taken over; -EBADF: none */
        bool no_uevents, unbound;
        double speed;              /* of simulated time */
        const char *device_suffix; /* NULL: the profile's own; "none" */
        char **command;            /* NULL: serve until told to end */
} ServeOptions;

/* Returns the exit status: the command's if there is one. */
int serve(const ServeOptions *options);
