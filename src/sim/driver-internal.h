/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Shared by the files of the driver model and by nothing else. */

#include "sim/driver.h"

#include "util/macros.h"

typedef Step (*CallStage)(DriverCall *call, uint64_t now);

struct DriverCall {
        Driver *driver;
        DriverImage *image;
        SysfsAttribute attribute;
        CallStage stage;
        size_t size; /* of the write */
        char text[96];
        size_t text_size;
        bool signalled;
        bool automatic; /* started by the kernel itself */
        bool is_run;    /* a client's activate */

        bool reads, writes, waits_to_write; /* the inventory lock */
        uint64_t loop_started;              /* of PRIME, then of ACTIVATE */
        bool stalls, skips_rendezvous;      /* all CPUs are in stop_machine; this attempt goes without */
        uint64_t stall_started;
        bool prime_accepted, smc_sent;
        unsigned refresh_id, refresh_count;
        int kernel_code; /* why a run failed: LFA code or negative errno */
};

#define STEP_OF(kind_, usec_) ((Step){ .kind = (kind_), .usec = (usec_) })
#define STEP_RESULT(result_) ((Step){ .kind = STEP_DONE, .result = (result_) })

/* Something changed that others may wait for. */
static inline void driver_touch(Driver *driver) {
        driver->revision++;
}

/* driver-log.c */
void driver_log(Driver *driver, int level, const char *format, ...) _printf_(3, 4);
/* A line of another part of the kernel. */
void driver_log_kernel(Driver *driver, int level, const char *format, ...) _printf_(3, 4);
void driver_log_cancel(Driver *driver, const DriverImage *image, int code);
void driver_log_failure(Driver *driver, const DriverImage *image, SmcKind kind, int code);
void driver_log_prime_timeout(Driver *driver, const DriverImage *image);
void driver_log_success(Driver *driver, const DriverImage *image, bool automatic);
void driver_log_may_reset(Driver *driver);
void driver_log_detected(Driver *driver);
void driver_log_no_agent(Driver *driver);
void driver_log_no_inventory(Driver *driver);
void driver_log_round_failed(Driver *driver, int code);
void driver_log_duplicate(Driver *driver, const char *guid);
GQueue *driver_log_new(void);
void driver_log_free(GQueue *log);

/* driver-attributes.c */
/* The name as the attribute shows it, without the line end; may be empty. */
const char *driver_image_name(const DriverTraits *traits, const char *guid);
void driver_image_store_inventory(DriverImage *image, const FirmwareInventory *inventory);
/* Sets call->text from stored values; not for the two that ask firmware. */
void driver_attribute_show(DriverCall *call);
/* Returns size or -EINVAL. */
ssize_t driver_attribute_store_boolean(bool *setting, const char *data, size_t size);

/* driver-call.c */
void call_print(DriverCall *call, const char *text);
/* False: it is taken, the call has to wait. Profiles without the lock always succeed. */
bool call_lock_reading(DriverCall *call);
bool call_lock_writing(DriverCall *call);
void call_unlock(DriverCall *call);
static inline Step call_continue(DriverCall *call, CallStage stage) {
        call->stage = stage;
        return STEP_OF(_STEP_AGAIN, 0);
}
/* The firmware call takes usec before stage makes it. */
static inline Step call_stall(DriverCall *call, CallStage stage, uint64_t usec) {
        call->stage = stage;
        return STEP_OF(usec > 0 ? STEP_STALL : _STEP_AGAIN, usec);
}
DriverCall *call_new(Driver *driver, DriverImage *image, SysfsAttribute attribute, CallStage stage);

/* driver-activate.c */
Step run_begin(DriverCall *call, uint64_t now);
/* The refresh is over, or was not needed. */
Step run_succeed(DriverCall *call);
/* The CPUs go on, if this call had stopped them. */
void run_stall_end(DriverCall *call, uint64_t now);

/* driver-oops.c */
bool run_oopses(const DriverCall *call, OopsCause cause);
/* The run ends in the kernel's death; what is locked stays so. */
Step run_oops(DriverCall *call, int errno_value);
/* A client's success comes too soon after another success. */
bool requeue_is_fatal(const DriverCall *call, uint64_t now);
Step run_corrupt(DriverCall *call);

/* driver.c */
/* Bound, or being removed and waiting for what still runs with all files in place. */
bool driver_keeps_files(const Driver *driver);

/* driver-refresh.c */
Step refresh_begin(DriverCall *call, uint64_t now);
/* Asks firmware for everything; returns the number of images or a negative LFA code. */
int driver_inventory_make(Driver *driver);
void driver_image_create(Driver *driver, int id, const FirmwareInventory *inventory);
/* The removal of stale directories: stage by stage, as time and readers allow. */
void driver_cleanup_tick(Driver *driver, uint64_t now);
/* Removes the images whose files are gone and that nobody uses; true when none is left over. */
bool driver_images_drain(Driver *driver);

/* driver-notify.c */
void driver_round_tick(Driver *driver, uint64_t now);
