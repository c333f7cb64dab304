/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Real time and threads around the models: one lock, one condition variable, one worker thread for what the
 * kernel would do on its own. */

#include "sim/machine.h"

#include "util/macros.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

/* How often something overdue, which waits for others, is looked at again. */
#define WORKER_RETRY_USEC USEC_PER_MSEC
/* A pause that a signal cuts short: the driver spins, the simulator only hurries. */
#define HURRIED_PAUSE_USEC 50

uint64_t machine_now(const Machine *machine) {
        return sim_clock_now(&machine->clock);
}

void machine_set_speed(Machine *machine, double speed) {
        pthread_mutex_lock(&machine->lock);
        sim_clock_set_speed(&machine->clock, speed);
        pthread_cond_broadcast(&machine->changed); /* whoever waits for a time looks again when it will be */
        pthread_mutex_unlock(&machine->lock);
}

void machine_lock(Machine *machine) {
        pthread_mutex_lock(&machine->lock);
}

static void events_send(Machine *machine) {
        UeventDevice device = { machine->driver->traits, machine->device_suffix };
        DriverEvent *event;

        while ((event = g_queue_pop_head(machine->driver->events))) {
                if (machine->uevents &&
                    uevent_send(machine->uevents, &device, event->action, event->has_driver) >= 0) {
                        machine->n_uevents++;
                        machine->last_uevent_usec = machine_now(machine);
                }
                g_free(event);
        }
}

/* With the lock held. */
static void machine_settle(Machine *machine) {
        driver_tick(machine->driver, machine_now(machine));
        driver_log_stamp(machine->driver, machine_now(machine));
        events_send(machine);
        if (machine->driver->revision == machine->seen_revision)
                return;
        machine->seen_revision = machine->driver->revision;
        pthread_cond_broadcast(&machine->changed);
}

void machine_unlock(Machine *machine) {
        machine_settle(machine);
        pthread_mutex_unlock(&machine->lock);
}

void machine_wait(Machine *machine, uint64_t until) {
        machine_wait_real(machine, until == NEVER ? NEVER : sim_clock_real(&machine->clock, until));
}

void machine_wait_real(Machine *machine, uint64_t until) {
        struct timespec deadline = {
                .tv_sec = (time_t) (until / USEC_PER_SEC),
                .tv_nsec = (long) (until % USEC_PER_SEC * NSEC_PER_USEC),
        };

        if (until == NEVER)
                pthread_cond_wait(&machine->changed, &machine->lock);
        else
                pthread_cond_timedwait(&machine->changed, &machine->lock, &deadline);
}

static void *worker_main(void *userdata) {
        Machine *machine = userdata;

        pthread_mutex_lock(&machine->lock);
        while (!machine->stopping) {
                uint64_t due;

                machine_settle(machine);
                due = driver_next_due(machine->driver);
                if (due <= machine_now(machine))
                        machine_wait_real(machine, real_now() + WORKER_RETRY_USEC);
                else
                        machine_wait(machine, due);
        }
        pthread_mutex_unlock(&machine->lock);
        return NULL;
}

/* Signals are for the main thread only. */
static int worker_start(Machine *machine) {
        sigset_t all, old;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(&machine->worker, NULL, worker_main, machine);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        machine->worker_runs = r == 0;
        return -r;
}

int machine_new(const DriverTraits *traits, const FirmwareModel *model, UeventSender *uevents,
                Machine **ret_machine) {
        g_autoptr(Machine) machine = g_new0(Machine, 1);
        pthread_condattr_t attributes;
        int r;

        pthread_mutex_init(&machine->lock, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&machine->changed, &attributes);
        pthread_condattr_destroy(&attributes);
        sim_clock_init(&machine->clock);

        machine->firmware = firmware_new(model);
        machine->traits = *traits;
        machine->driver = driver_new(&machine->traits, machine->firmware);
        machine->faults = file_faults_new();
        machine->uevents = uevents;
        machine->device_suffix = g_strdup(traits->device_suffix);
        r = worker_start(machine);
        if (r < 0) {
                machine->uevents = NULL; /* the caller keeps it */
                return r;
        }
        *ret_machine = g_steal_pointer(&machine);
        return 0;
}

void machine_stop(Machine *machine) {
        pthread_mutex_lock(&machine->lock);
        machine->stopping = true;
        pthread_cond_broadcast(&machine->changed);
        pthread_mutex_unlock(&machine->lock);
}

Machine *machine_free(Machine *machine) {
        if (!machine)
                return NULL;
        machine_stop(machine);
        if (machine->worker_runs)
                pthread_join(machine->worker, NULL);
        driver_free(machine->driver);
        firmware_free(machine->firmware);
        file_faults_free(machine->faults);
        uevent_sender_free(machine->uevents);
        g_free(machine->device_suffix);
        pthread_cond_destroy(&machine->changed);
        pthread_mutex_destroy(&machine->lock);
        g_free(machine);
        return NULL;
}

/* Lets a step's time pass. Gives up when stopped; a signal shortens pauses. */
static void step_pass(Machine *machine, const DriverCall *call, Step step, uint64_t started) {
        while (!machine->stopping) {
                uint64_t usec = step.usec;

                if (step.kind == STEP_SLEEP && driver_call_is_hurried(call))
                        usec = MIN(usec, HURRIED_PAUSE_USEC);
                if (machine_now(machine) >= started + usec)
                        return;
                machine_wait(machine, started + usec);
        }
}

/* With the lock held: a call from its first to its last step. */
static ssize_t call_drive(Machine *machine, DriverCall *call, MachineCaller *caller) {
        ssize_t result = -ENODEV;

        caller->call = call;
        if (caller->signalled)
                driver_call_signal(call);
        while (!machine->stopping) {
                uint64_t now = machine_now(machine);
                Step step;

                driver_tick(machine->driver, now);
                step = driver_call_step(call, now);
                machine_settle(machine);
                if (step.kind == STEP_DONE) {
                        result = step.result;
                        break;
                }
                if (step.kind == STEP_WAIT)
                        machine_wait(machine, NEVER);
                else
                        step_pass(machine, call, step, now);
        }
        caller->call = NULL;
        return result;
}

void machine_signal(Machine *machine, MachineCaller *caller) {
        pthread_mutex_lock(&machine->lock);
        caller->signalled = true;
        if (caller->call)
                driver_call_signal(caller->call);
        pthread_cond_broadcast(&machine->changed);
        pthread_mutex_unlock(&machine->lock);
}

/* With the lock held: the image if the file is there. */
static DriverImage *file_find(Machine *machine, uint64_t generation, SysfsAttribute attribute) {
        DriverImage *image = driver_find_generation(machine->driver, generation);

        if (!image || image->files_gone || !driver_has_root(machine->driver) ||
            !driver_traits_has(machine->driver->traits, attribute))
                return NULL;
        return image;
}

int machine_open(Machine *machine, uint64_t generation, SysfsAttribute attribute, int flags) {
        mode_t mode = sysfs_attribute_mode(attribute);
        int access = flags & O_ACCMODE, r = 0;
        const DriverImage *image;

        machine_lock(machine);
        image = file_find(machine, generation, attribute);
        if (!image || file_faults_is_missing(machine->faults, image->guid, attribute))
                r = -ENOENT;
        else
                r = -file_faults_take(machine->faults, FILE_OPEN, attribute);
        machine_unlock(machine);
        if (r < 0)
                return r;

        /* sysfs asks once more at open, and not even root gets past it. */
        if ((access != O_WRONLY && !(mode & 0444)) || (access != O_RDONLY && !(mode & 0222)))
                return -EACCES;
        return 0;
}

static int read_locked(Machine *machine, uint64_t generation, SysfsAttribute attribute,
                       MachineCaller *caller, GBytes **ret_bytes) {
        DriverImage *image = file_find(machine, generation, attribute);
        g_autoptr(DriverCall) call = NULL;
        const char *text;
        GBytes *raw;
        size_t size;
        int error;

        if (!image || machine->stopping)
                return -ENODEV;
        error = file_faults_take(machine->faults, FILE_READ, attribute);
        if (error > 0)
                return -error;
        raw = file_faults_raw(machine->faults, image->guid, attribute);
        if (raw) {
                *ret_bytes = g_bytes_ref(raw);
                return 0;
        }
        call = driver_call_read(machine->driver, image, attribute);
        error = (int) call_drive(machine, call, caller);
        if (error < 0)
                return error;
        text = driver_call_text(call, &size);
        *ret_bytes = g_bytes_new(text, size);
        return 0;
}

int machine_read(Machine *machine, uint64_t generation, SysfsAttribute attribute, MachineCaller *caller,
                 GBytes **ret_bytes) {
        int r;

        machine_lock(machine);
        r = read_locked(machine, generation, attribute, caller, ret_bytes);
        machine_unlock(machine);
        return r;
}

static ssize_t write_locked(Machine *machine, uint64_t generation, SysfsAttribute attribute,
                            MachineCaller *caller, const char *data, size_t size) {
        DriverImage *image = file_find(machine, generation, attribute);
        g_autoptr(DriverCall) call = NULL;
        int error;

        if (!image || machine->stopping)
                return -ENODEV;
        error = file_faults_take(machine->faults, FILE_WRITE, attribute);
        if (error > 0)
                return -error;
        call = driver_call_write(machine->driver, image, attribute, data, MIN(size, (size_t) ATTRIBUTE_SIZE),
                                 machine_now(machine));
        return call_drive(machine, call, caller);
}

ssize_t machine_write(Machine *machine, uint64_t generation, SysfsAttribute attribute, MachineCaller *caller,
                      const char *data, size_t size) {
        ssize_t r;

        machine_lock(machine);
        r = write_locked(machine, generation, attribute, caller, data, size);
        machine_unlock(machine);
        return r;
}
