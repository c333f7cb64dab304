// SPDX-License-Identifier: GPL-2.0-only
/* A driver for Arm live firmware activation, with its firmware, for the tests of lfad on a machine that has
 * neither: what version "nvnew" of the driver shows and does, written from what it was seen to do. It is no
 * part of lfad. */

#include "control.h"
#include "driver.h"
#include "firmware.h"

#include <linux/module.h>

static int __init start(void) {
        int r;

        firmware_init();
        r = control_init();
        if (r < 0)
                return r;
        r = lfa_driver_init();
        if (r < 0)
                control_exit();
        return r;
}

static void __exit end(void) {
        lfa_driver_exit();
        control_exit();
        firmware_exit();
}

module_init(start);
module_exit(end);
MODULE_DESCRIPTION("Simulated Arm live firmware activation");
MODULE_LICENSE("GPL");
