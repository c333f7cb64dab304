/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The strings of include/lfa/enums.h. _to_string gives NULL outside the enumeration; _from_string -EINVAL.
 */

#include "lfa/enums.h"

const char *driver_profile_to_string(DriverProfile profile);
DriverProfile driver_profile_from_string(const char *text);

const char *driver_state_to_string(DriverState state);
DriverState driver_state_from_string(const char *text);

const char *image_state_to_string(ImageState state);
ImageState image_state_from_string(const char *text);

const char *job_state_to_string(JobState state);
JobState job_state_from_string(const char *text);

/* RESULT_NONE is "". */
const char *inhibit_mode_to_string(InhibitMode mode);
InhibitMode inhibit_mode_from_string(const char *text);

const char *job_result_to_string(JobResult result);
JobResult job_result_from_string(const char *text);
