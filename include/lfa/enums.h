/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The enumerations that appear as strings on the bus, in the history and between lfad and its worker.
 * The strings are in src/core/enum-names.c, one table each. */

#include <errno.h>

/* Which variant of the kernel driver runs, in the order in which they appeared. */
typedef enum DriverProfile {
        PROFILE_UNKNOWN, /* a driver is there and fits no known description */
        PROFILE_RFC1,
        PROFILE_RFC2,
        PROFILE_NVRFC,
        PROFILE_V1,
        PROFILE_V1NV,
        PROFILE_V2S,
        PROFILE_V2,
        PROFILE_V2BOS,
        PROFILE_V3,
        PROFILE_NV3,
        PROFILE_NVNEW,
        _PROFILE_MAX,
        _PROFILE_INVALID = -EINVAL,
} DriverProfile;

typedef enum DriverState {
        DRIVER_UNKNOWN,       /* not scanned yet, or the scan failed */
        DRIVER_NO_DRIVER,     /* no /sys/firmware/lfa: driver not loaded, not bound, or it found no agent */
        DRIVER_NO_FIRMWARE,   /* the directory is there and holds no image */
        DRIVER_TREE_LOST,     /* the driver does not show images any more that firmware may still have */
        DRIVER_UNENFORCEABLE, /* the kernel activates by itself (v1nv): policy cannot be enforced */
        DRIVER_ACTIVE,
        _DRIVER_STATE_MAX,
        _DRIVER_STATE_INVALID = -EINVAL,
} DriverState;

typedef enum ImageState {
        IMAGE_IDLE,
        IMAGE_PENDING,
        IMAGE_SCHEDULED,  /* a job for it is queued or waits */
        IMAGE_ACTIVATING, /* a job for it is past its gates */
        IMAGE_FAILED,     /* the last activation did not succeed and the image is still pending */
        IMAGE_QUARANTINED,
        IMAGE_STALE, /* the driver has dropped it, its directory is about to vanish */
        _IMAGE_STATE_MAX,
        _IMAGE_STATE_INVALID = -EINVAL,
} ImageState;

typedef enum JobState {
        JOB_QUEUED,
        JOB_WAITING,
        JOB_GUARDING,
        JOB_ACTIVATING,
        JOB_VERIFYING,
        JOB_DONE,
        _JOB_STATE_MAX,
        _JOB_STATE_INVALID = -EINVAL,
} JobState;

/* What an inhibitor does to an activation. */
typedef enum InhibitMode {
        INHIBIT_BLOCK, /* it is refused, and can be asked for again later */
        INHIBIT_DELAY, /* its holder is told and given some time */
        _INHIBIT_MODE_MAX,
        _INHIBIT_MODE_INVALID = -EINVAL,
} InhibitMode;

typedef enum JobResult {
        RESULT_NONE, /* the job has not ended; "" on the bus */
        RESULT_SUCCEEDED,
        RESULT_UNVERIFIED,
        RESULT_FAILED,
        RESULT_CANCELLED,
        RESULT_REFUSED,
        RESULT_UNKNOWN,
        _JOB_RESULT_MAX,
        _JOB_RESULT_INVALID = -EINVAL,
} JobResult;
