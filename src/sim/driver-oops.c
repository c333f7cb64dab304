/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a driver version was seen to take the kernel down: the writer never comes back, and what it held
 * stays held, so that others wait for ever, too. */

#include "sim/driver-internal.h"

static Step for_ever(DriverCall *call, uint64_t now) {
        return STEP_OF(STEP_WAIT, 0);
}

static Step writer_lost(DriverCall *call) {
        call->driver->counters.oopses++;
        call->driver->round.due = call->automatic ? NEVER : call->driver->round.due;
        call->stage = for_ever;
        driver_touch(call->driver);
        return STEP_OF(STEP_WAIT, 0);
}

bool run_oopses(const DriverCall *call, OopsCause cause) {
        return call->driver->oopses && call->driver->traits->oopses & cause;
}

/* The text for the errno lies behind the end of the driver's table of texts. */
Step run_oops(DriverCall *call, int errno_value) {
        driver_log_kernel(
                        call->driver, 1,
                        "Unable to handle kernel paging request at virtual address %016x: text of errno %d",
                        (unsigned) errno_value * 8, errno_value);
        return writer_lost(call);
}

bool requeue_is_fatal(const DriverCall *call, uint64_t now) {
        const Driver *driver = call->driver;

        return driver->oopses && !call->automatic && driver->traits->requeue_fatal_usec > 0 &&
               driver->cleanup.queued_at > 0 &&
               now - driver->cleanup.queued_at < driver->traits->requeue_fatal_usec;
}

Step run_corrupt(DriverCall *call) {
        driver_log_kernel(call->driver, 1, "list_add corruption: the work item was queued already");
        call->driver->dead = true;
        return writer_lost(call);
}
