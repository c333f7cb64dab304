/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The simulated kernel driver: images, attributes, runs, refresh, removal, notification. Pure: it has no
 * clock, no thread and no descriptor; the time is an argument (µs, monotonic), and whatever takes time is a
 * call that is asked step by step. What it wants to tell the world (uevents) is queued for the owner to
 * take. */

#include "sim/firmware.h"
#include "sim/traits.h"

#include <glib.h>

/* No due time. */
#define NEVER UINT64_MAX

typedef enum DriverBinding {
        BINDING_NONE,
        BINDING_BOUND,
        BINDING_REMOVING, /* unbind has begun and waits for what still runs */
} DriverBinding;

typedef struct DriverImage {
        char guid[GUID_STRING_SIZE];
        int id;              /* the component's id in firmware; -1: stale */
        uint64_t generation; /* never used twice: the identity of the directory */
        bool files_gone;     /* being removed: the directory is still there, its files are not */
        bool lost;           /* so is its directory's name, until the refresh that meets it is over */
        unsigned active;     /* calls in progress; the image lives at least as long as they do */
        bool capable, pending, may_reset, rendezvous_optional; /* as stored, not as firmware has it */
        uint64_t current_version;
        bool force_rendezvous, auto_activate;
} DriverImage;

typedef struct DriverCall DriverCall;

typedef struct DriverEvent {
        const char *action;
        bool has_driver; /* DRIVER= is in it */
} DriverEvent;

typedef struct DriverLogLine {
        uint64_t seq;
        uint64_t timestamp; /* µs; 0: not stamped yet */
        int facility;       /* 0: the kernel's; another one: a user wrote it */
        int level;          /* syslog's */
        char *text;         /* what is not printable is escaped as \xNN */
} DriverLogLine;

typedef struct DriverCounters {
        uint64_t activate_stores, activate_returns, cancel_stores, bytes_written;
        uint64_t stalls, stall_largest, stall_sum; /* of all CPUs, in stop_machine; µs */
        uint64_t oopses;
} DriverCounters;

/* The last of each, µs; 0: never. */
typedef struct DriverTimes {
        uint64_t activate_entry, first_smc, activate_return;
} DriverTimes;

typedef struct Driver {
        const DriverTraits *traits;
        Firmware *firmware; /* borrowed */
        DriverBinding binding;
        GPtrArray *images;        /* DriverImage, owned */
        uint64_t root_generation; /* of the lfa directory; new at each probe */
        uint64_t next_generation;
        uint64_t revision; /* moves whenever something changed that a waiting call may wait for */

        /* Locks */
        unsigned readers, writers_waiting; /* of the inventory */
        bool written;
        DriverCall *run_owner; /* the activation mutex; weak */
        DriverCall *frozen_by; /* whose loop has all CPUs in stop_machine; weak */
        bool dead;             /* the kernel does not go on */

        /* The worker that removes stale directories */
        struct {
                bool queued, again, files_removed;
                uint64_t begins, due; /* it takes its lock; it removes the files */
                uint64_t queued_at;   /* the last time; 0: never */
        } cleanup;
        uint64_t cleanup_window_usec; /* NEVER: the driver's own habit */
        uint64_t cleanup_idle_usec;   /* of the window: the worker has not begun yet */
        uint64_t refresh_usec;        /* how long a refresh shows invalid images */

        /* The kernel's own activations after a notification */
        struct {
                bool running;
                DriverCall *call; /* owned */
                uint64_t due, count, cap;
        } round;

        /* Faults */
        bool oopses;          /* what takes the kernel down does so; else the writer gets its errno */
        uint64_t lost_primes; /* runs that end although PRIME succeeded */
        uint64_t lose_tree;   /* directories the next refresh loses */
        bool change_first;    /* the next probe's change comes before its bind */

        GQueue *events;    /* DriverEvent, owned */
        GQueue *log;       /* DriverLogLine, owned, a ring */
        uint64_t log_next; /* the seq of the next line */
        DriverCounters counters;
        DriverTimes times;
        unsigned runs; /* activate stores in progress */
} Driver;

/* firmware must outlive the driver. The driver is not bound. */
Driver *driver_new(const DriverTraits *traits, Firmware *firmware);
/* No call of a client may be left. */
Driver *driver_free(Driver *driver);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Driver, driver_free)

/* Probes. Returns 0, -EBUSY when bound already, -ENODEV when firmware has nothing to offer. */
int driver_bind(Driver *driver, uint64_t now);
/* Begins the removal, which driver_tick ends once nothing runs any more. -ENODEV when not bound. */
int driver_unbind(Driver *driver, uint64_t now);
/* Does what is due: cleanup, removal, the kernel's own activations. */
void driver_tick(Driver *driver, uint64_t now);
/* When driver_tick has something to do next. Other calls' progress (revision) can make it earlier. */
uint64_t driver_next_due(const Driver *driver);
/* Queues an event of the device; none in profiles without a device. action must be static. */
void driver_emit(Driver *driver, const char *action, bool has_driver);
/* Nothing runs: no run, no round, no cleanup, no removal. */
bool driver_is_idle(const Driver *driver);
/* True while /sys/firmware/lfa is there. */
bool driver_has_root(const Driver *driver);

/* Makes the inventory anew at once and outside of any activation (the simulator's own shortcut; stale
 * directories go with it). */
void driver_reload(Driver *driver);
/* Whether this version can lose its tree. */
bool driver_loses_trees(const Driver *driver);
/* A notification from firmware. */
void driver_notify(Driver *driver, uint64_t now);

/* A line that is not the driver's own; text: any bytes. */
void driver_log_inject(Driver *driver, int facility, int level, const char *text);
/* Gives the lines that have come since the last call their time. */
void driver_log_stamp(Driver *driver, uint64_t now);

/* The image whose directory has that name, files or not; NULL when there is none. Borrowed. */
DriverImage *driver_find(Driver *driver, const char *guid);
DriverImage *driver_find_generation(Driver *driver, uint64_t generation);

/* One read or write of an attribute. It is asked step by step: */
typedef enum StepKind {
        STEP_WAIT,  /* for another call: ask again when the driver's revision has moved */
        STEP_SLEEP, /* a pause of usec, no lock held */
        STEP_STALL, /* a firmware call of usec is in progress, its locks held */
        STEP_DONE,
        _STEP_AGAIN, /* inside the model only */
} StepKind;

typedef struct Step {
        StepKind kind;
        uint64_t usec;
        ssize_t result; /* DONE: bytes read or written, or a negative errno */
} Step;

/* The attribute must exist in this profile and allow it. image must have its files. The call keeps image
 * alive. */
DriverCall *driver_call_read(Driver *driver, DriverImage *image, SysfsAttribute attribute);
DriverCall *driver_call_write(Driver *driver, DriverImage *image, SysfsAttribute attribute, const char *data,
                              size_t size, uint64_t now);
/* Not after DONE. */
Step driver_call_step(DriverCall *call, uint64_t now);
/* A signal is pending for the caller: with some profiles pauses get very short. */
void driver_call_signal(DriverCall *call);
bool driver_call_is_hurried(const DriverCall *call);
/* What a finished read gives, with its length; borrowed from the call. */
const char *driver_call_text(const DriverCall *call, size_t *ret_size);
/* A call that is not done is given up and its locks are released. Returns NULL. */
DriverCall *driver_call_free(DriverCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DriverCall, driver_call_free)
