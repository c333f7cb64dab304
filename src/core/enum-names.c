/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The strings of include/lfa/enums.h, one table each. */

#include "core/enum-names.h"
#include "util/string-table.h"

static const char *const driver_profiles[_PROFILE_MAX] = {
        [PROFILE_UNKNOWN] = "unknown", [PROFILE_RFC1] = "rfc1", [PROFILE_RFC2] = "rfc2",
        [PROFILE_NVRFC] = "nvrfc",     [PROFILE_V1] = "v1",     [PROFILE_V1NV] = "v1nv",
        [PROFILE_V2S] = "v2s",         [PROFILE_V2] = "v2",     [PROFILE_V2BOS] = "v2bos",
        [PROFILE_V3] = "v3",           [PROFILE_NV3] = "nv3",   [PROFILE_NVNEW] = "nvnew",
};
DEFINE_STRING_TABLE(driver_profile, DriverProfile, driver_profiles)

static const char *const driver_states[_DRIVER_STATE_MAX] = {
        [DRIVER_UNKNOWN] = "unknown",
        [DRIVER_NO_DRIVER] = "no-driver",
        [DRIVER_NO_FIRMWARE] = "no-firmware",
        [DRIVER_TREE_LOST] = "tree-lost",
        [DRIVER_UNENFORCEABLE] = "unenforceable",
        [DRIVER_ACTIVE] = "active",
};
DEFINE_STRING_TABLE(driver_state, DriverState, driver_states)

static const char *const image_states[_IMAGE_STATE_MAX] = {
        [IMAGE_IDLE] = "idle",           [IMAGE_PENDING] = "pending",
        [IMAGE_SCHEDULED] = "scheduled", [IMAGE_ACTIVATING] = "activating",
        [IMAGE_FAILED] = "failed",       [IMAGE_QUARANTINED] = "quarantined",
        [IMAGE_STALE] = "stale",
};
DEFINE_STRING_TABLE(image_state, ImageState, image_states)

static const char *const job_states[_JOB_STATE_MAX] = {
        [JOB_QUEUED] = "queued",         [JOB_WAITING] = "waiting",     [JOB_GUARDING] = "guarding",
        [JOB_ACTIVATING] = "activating", [JOB_VERIFYING] = "verifying", [JOB_DONE] = "done",
};
DEFINE_STRING_TABLE(job_state, JobState, job_states)

static const char *const inhibit_modes[_INHIBIT_MODE_MAX] = {
        [INHIBIT_BLOCK] = "block",
        [INHIBIT_DELAY] = "delay",
};
DEFINE_STRING_TABLE(inhibit_mode, InhibitMode, inhibit_modes)

static const char *const job_results[_JOB_RESULT_MAX] = {
        [RESULT_NONE] = "",           [RESULT_SUCCEEDED] = "succeeded", [RESULT_UNVERIFIED] = "unverified",
        [RESULT_FAILED] = "failed",   [RESULT_CANCELLED] = "cancelled", [RESULT_REFUSED] = "refused",
        [RESULT_UNKNOWN] = "unknown",
};
DEFINE_STRING_TABLE(job_result, JobResult, job_results)
