/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The simulated machine: the pure models plus the real clock, a lock and threads that wait. The file system
 * and the control socket both work on it. All functions may block for as long as the simulated kernel would;
 * none is interrupted by a signal. */

#include "sim/driver.h"
#include "sim/file-faults.h"
#include "sim/sim-clock.h"
#include "sim/uevent.h"

#include <glib.h>
#include <pthread.h>

/* What one write(2) or read(2) may carry; longer writes are cut. */
#define ATTRIBUTE_SIZE 4096

typedef struct Machine {
        pthread_mutex_t lock; /* guards everything below */
        pthread_cond_t changed;
        Firmware *firmware;
        DriverTraits traits; /* the driver's, which faults may change */
        Driver *driver;
        FileFaults *faults;
        SimClock clock;
        UeventSender *uevents; /* NULL: none are sent */
        char *device_suffix;   /* NULL: the device's name has none */
        uint64_t n_uevents, last_uevent_usec;
        uint64_t seen_revision; /* of the driver, when waiters were last told */
        bool stopping;
        pthread_t worker;
        bool worker_runs;
        void (*quit)(void *userdata); /* asks the owner to end; called with the lock held */
        void *quit_userdata;
} Machine;

/* Who waits in a call: lets a signal reach it. Initialise with zeros. */
typedef struct MachineCaller {
        DriverCall *call;
        bool signalled;
} MachineCaller;

/* With the lock held: simulated time, µs. */
uint64_t machine_now(const Machine *machine);
/* From now on simulated time passes that many times as fast as the real one. */
void machine_set_speed(Machine *machine, double speed);

/* Takes the sender over. Starts the worker thread. Returns 0 or a negative errno. */
int machine_new(const DriverTraits *traits, const FirmwareModel *model, UeventSender *uevents,
                Machine **ret_machine);
/* No thread may be in a call: machine_stop first. */
Machine *machine_free(Machine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Machine, machine_free)

/* Every call in progress, and every later one, ends with -ENODEV. */
void machine_stop(Machine *machine);

void machine_lock(Machine *machine);
/* Does what has become due, sends events and wakes whoever may go on. */
void machine_unlock(Machine *machine);
/* With the lock held: waits until something changed or the time has come: simulated, or real_now's. */
void machine_wait(Machine *machine, uint64_t until);
void machine_wait_real(Machine *machine, uint64_t until);

/* The number behind the device's name, in profiles whose device has one; NULL: a bus that gives none. Returns 0,
 * or -EINVAL when the profile's device has no number. Before machine_plug. */
int machine_set_device_suffix(Machine *machine, const char *suffix);
/* The device appears, and its driver is bound if so asked. Returns 0 or a negative errno. */
int machine_plug(Machine *machine, bool bound);
/* Unbinds if need be (without waiting for runs) and takes the device away. */
void machine_unplug(Machine *machine);
/* Waits for the end of the removal. Returns 0, -ENODEV, or -ECANCELED when stopped meanwhile. */
int machine_unbind(Machine *machine);
/* Sends one event for the device by hand. Returns 0, -ENODEV without device or sender, or a negative errno.
 */
int machine_send_event(Machine *machine, const char *action);

/* The file system's questions. A generation of 0 means "none". */
uint64_t machine_root(Machine *machine);
uint64_t machine_find_directory(Machine *machine, const char *guid);
bool machine_has_directory(Machine *machine, uint64_t generation);
bool machine_has_file(Machine *machine, uint64_t generation, SysfsAttribute attribute);
/* The first directory whose generation is above the given one; 0 at the end. */
uint64_t machine_next_directory(Machine *machine, uint64_t after, char ret_guid[static GUID_STRING_SIZE]);
unsigned machine_count_directories(Machine *machine);
/* Returns 0, -ENOENT, -EACCES (also to root), or the errno asked for by a fault. */
int machine_open(Machine *machine, uint64_t generation, SysfsAttribute attribute, int flags);
/* One show. Returns 0 and a new GBytes, or a negative errno: -ENODEV when the file is gone. */
int machine_read(Machine *machine, uint64_t generation, SysfsAttribute attribute, MachineCaller *caller,
                 GBytes **ret_bytes);
/* One store of at most ATTRIBUTE_SIZE bytes. Returns the bytes taken or a negative errno. */
ssize_t machine_write(Machine *machine, uint64_t generation, SysfsAttribute attribute, MachineCaller *caller,
                      const char *data, size_t size);
/* A signal is pending for the caller. */
void machine_signal(Machine *machine, MachineCaller *caller);
