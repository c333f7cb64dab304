/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run: PRIME until firmware is content, ACTIVATE until firmware is content, then the refresh. Budgets are
 * looked at between firmware calls only, so one long call never times out (kernel driver, observed). */

#include "sim/driver-internal.h"

static Step prime_lock(DriverCall *call, uint64_t now);
static Step activate_lock(DriverCall *call, uint64_t now);

/* Ends the run without success; code is what the kernel's own path would print. */
static Step run_fail(DriverCall *call, int errno_value, int code) {
        Driver *driver = call->driver;

        call_unlock(call);
        if (driver->run_owner == call)
                driver->run_owner = NULL;
        call->kernel_code = code;
        driver_touch(driver);
        return STEP_RESULT(-errno_value);
}

Step run_succeed(DriverCall *call) {
        Driver *driver = call->driver;

        driver_log_success(driver, call->image, call->automatic);
        call_unlock(call);
        if (driver->run_owner == call)
                driver->run_owner = NULL;
        driver_touch(driver);
        return STEP_RESULT((ssize_t) call->size);
}

static int run_cancel(DriverCall *call) {
        int code = firmware_cancel(call->driver->firmware, call->image->id);

        driver_log_cancel(call->driver, call->image, code);
        return code;
}

/* The driver is being removed and does not wait for runs: firmware is told, the writer gets ECANCELED. */
static bool run_must_end(const DriverCall *call) {
        const Driver *driver = call->driver;

        return driver->binding == BINDING_REMOVING && driver->traits->unbind_ends_run && !call->automatic;
}

static bool budget_is_used_up(const DriverCall *call, uint64_t budget, uint64_t now) {
        return budget > 0 && now - call->loop_started > budget;
}

/* The mutex is also held by the worker that removes stale directories. */
static bool run_is_excluded(const Driver *driver, uint64_t now) {
        return driver->run_owner || (driver->traits->cleanup_serialised && driver->cleanup.queued &&
                                     now >= driver->cleanup.begins);
}

/* In the versions that loop inside of stop_machine the whole loop is one stall, else each attempt is. */
static void run_stall_begin(DriverCall *call, uint64_t now) {
        if (call->stalls)
                return;
        call->stalls = true;
        call->stall_started = now;
        if (call->driver->traits->loop_in_stop_machine)
                call->driver->frozen_by = call;
}

void run_stall_end(DriverCall *call, uint64_t now) {
        DriverCounters *counters = &call->driver->counters;
        uint64_t usec = now - call->stall_started;

        if (!call->stalls)
                return;
        call->stalls = false;
        counters->stalls++;
        counters->stall_sum += usec;
        counters->stall_largest = MAX(counters->stall_largest, usec);
        if (call->driver->frozen_by == call) {
                call->driver->frozen_by = NULL;
                driver_touch(call->driver);
        }
}

Step run_begin(DriverCall *call, uint64_t now) {
        Driver *driver = call->driver;
        const DriverTraits *traits = driver->traits;

        if (traits->serialisation != SERIALISE_NONE) {
                bool excluded = run_is_excluded(driver, now);

                if (excluded && traits->serialisation == SERIALISE_REFUSE && !call->automatic)
                        return STEP_RESULT(-traits->busy_errno);
                if (excluded)
                        return STEP_OF(STEP_WAIT, 0);
                driver->run_owner = call;
                driver_touch(driver);
        }
        if (run_must_end(call))
                return run_fail(call, traits->failure_errno, -ECANCELED);
        if (call->image->id < 0 && traits->stale_activate_refused)
                return run_oopses(call, OOPS_STALE) ? run_oops(call, ENODEV)
                                                    : run_fail(call, traits->failure_errno, -ENODEV);
        if (call->image->may_reset) {
                driver_log_may_reset(driver);
                if (run_oopses(call, OOPS_MAY_RESET))
                        return run_oops(call, EINVAL);
                return run_fail(call, traits->may_reset_errno, -EINVAL);
        }
        call->loop_started = now;
        return call_continue(call, prime_lock);
}

static Step prime_failed(DriverCall *call, int code) {
        const DriverTraits *traits = call->driver->traits;

        driver_log_failure(call->driver, call->image, SMC_PRIME, code);
        if (call->prime_accepted && traits->prime_failure_cancels_primed)
                (void) run_cancel(call);
        return run_fail(call, code == LFA_BUSY ? traits->prime_busy_errno : traits->failure_errno,
                        code == LFA_BUSY ? -ENOENT : code);
}

static Step prime_call(DriverCall *call, uint64_t now) {
        Driver *driver = call->driver;
        bool again = false;
        int code;

        code = firmware_prime(driver->firmware, call->image->id, &again);
        call_unlock(call);
        if (code < 0)
                return prime_failed(call, code);
        call->prime_accepted = true;
        if (!again && driver->lost_primes > 0) {
                /* An early v1nv forgot to set its result: no line in the log, and the image stays primed. */
                driver->lost_primes--;
                return run_fail(call, driver->traits->failure_errno, -ECANCELED);
        }
        if (!again) {
                call->loop_started = now;
                return call_continue(call, activate_lock);
        }
        if (budget_is_used_up(call, driver->traits->prime_budget_usec, now)) {
                driver_log_prime_timeout(driver, call->image);
                (void) run_cancel(call);
                if (run_oopses(call, OOPS_PRIME_TIMEOUT))
                        return run_oops(call, ETIMEDOUT);
                return run_fail(call, driver->traits->failure_errno, -ETIMEDOUT);
        }
        call->stage = prime_lock;
        return STEP_OF(STEP_SLEEP, driver->traits->prime_pause_usec);
}

static Step prime_lock(DriverCall *call, uint64_t now) {
        if (run_must_end(call)) {
                (void) run_cancel(call);
                return run_fail(call, call->driver->traits->failure_errno, -ECANCELED);
        }
        if (!call_lock_reading(call))
                return STEP_OF(STEP_WAIT, 0);
        if (!call->smc_sent && call->is_run)
                call->driver->times.first_smc = now;
        call->smc_sent = true;
        return call_stall(call, prime_call, call->driver->firmware->timing.prime);
}

static Step activate_failed(DriverCall *call, int code, uint64_t now) {
        Driver *driver = call->driver;
        const DriverTraits *traits = driver->traits;
        int cancelled = LFA_DEVICE_ERROR;

        run_stall_end(call, now);
        call_unlock(call);
        if (!traits->no_cancel_after_activate)
                cancelled = run_cancel(call);
        driver_log_failure(driver, call->image, SMC_ACTIVATE, code);
        if (cancelled == LFA_SUCCESS && traits->failure_hidden_by_cancel)
                return run_succeed(call);
        if (cancelled < 0 && run_oopses(call, OOPS_CANCEL_REFUSED))
                return run_oops(call, EINVAL);
        return run_fail(call, traits->failure_errno, code);
}

static Step activate_call(DriverCall *call, uint64_t now) {
        Driver *driver = call->driver;
        const DriverTraits *traits = driver->traits;
        DriverImage *image = call->image;
        bool again = false;
        int code;

        if (driver->firmware->timing.hang_activate)
                return STEP_OF(STEP_WAIT, 0);
        code = firmware_activate(driver->firmware, image->id, call->skips_rendezvous, &again);
        if (!traits->loop_in_stop_machine)
                run_stall_end(call, now);
        if (code == LFA_SUCCESS && !again)
                return call_continue(call, refresh_begin);
        if (code < 0 && (code != LFA_BUSY || !traits->activate_retries_busy))
                return activate_failed(call, code, now);
        /* The driver has no code for "took too long" and prints that of a device error. */
        if (budget_is_used_up(call, traits->activate_budget_usec, now))
                return activate_failed(call, LFA_DEVICE_ERROR, now);

        call_unlock(call);
        call->stage = activate_lock;
        return STEP_OF(traits->loop_in_stop_machine ? STEP_STALL : STEP_SLEEP, traits->activate_pause_usec);
}

static Step activate_lock(DriverCall *call, uint64_t now) {
        Driver *driver = call->driver;

        if (run_must_end(call)) {
                (void) run_cancel(call);
                return run_fail(call, driver->traits->failure_errno, -ECANCELED);
        }
        if (!call_lock_writing(call))
                return STEP_OF(STEP_WAIT, 0);
        call->skips_rendezvous = !call->image->force_rendezvous && call->image->rendezvous_optional;
        if (!call->skips_rendezvous)
                run_stall_begin(call, now);
        return call_stall(call, activate_call, driver->firmware->timing.activate);
}
