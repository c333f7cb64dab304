/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why firmware did not activate an image, from the kernel's log of one write. The driver's errno is the same
 * for every cause; its code is only printed. A hint: the wording belongs to no interface, old versions name
 * no image, and a time-out is printed as another code. Pure. */

#include "core/firmware-codes.h"
#include "core/profile.h"

#include <errno.h>
#include <stdint.h>

typedef enum FirmwareCall {
        FIRMWARE_CALL_NONE, /* not known */
        FIRMWARE_CALL_PRIME,
        FIRMWARE_CALL_ACTIVATE,
        _FIRMWARE_CALL_MAX,
        _FIRMWARE_CALL_INVALID = -EINVAL,
} FirmwareCall;

/* "", "prime", "activate". */
const char *firmware_call_to_string(FirmwareCall call);
FirmwareCall firmware_call_from_string(const char *text);

typedef struct FirmwareReason {
        FirmwareCall call; /* what failed; PRIME also proves that ACTIVATE was never called */
        FirmwareCode code; /* NONE: the log does not tell, or not one that is known */
        bool busy;         /* PRIME, ACTIVATE or the driver's own CANCEL was answered LFA_BUSY */
        bool lost;         /* the log was overwritten, or was too long to read: lines are missing */
} FirmwareReason;

/* What is known so far; private to the functions below. */
typedef struct FirmwareReasonScan {
        const char *guid, *name; /* of the image that was written to; borrowed */
        FirmwareReason named;    /* from lines that name it */
        FirmwareReason unnamed;  /* from lines that name no image, or none that can be told */
        bool lost;
} FirmwareReasonScan;

/* guid: the image's directory. name: its kernel name as read from sysfs, "" when there is none that can be
 * shown. Both must outlive the scan. */
void firmware_reason_begin(FirmwareReasonScan *scan, const char *guid, const char *name);

/* One line that the kernel itself printed between the marks around the write, oldest first; any text.
 * level: syslog's, 0 to 7. */
void firmware_reason_take_line(FirmwareReasonScan *scan, int level, const char *text);

/* Lines are missing at this place. */
void firmware_reason_take_loss(FirmwareReasonScan *scan);

/* What the lines come to. accepted: the driver's write succeeded. write_usec: how long it took; the driver
 * has no code for a time-out of its own in ACTIVATE and prints that of a device error
 * (profile_activate_budget_usec). */
FirmwareReason firmware_reason_end(const FirmwareReasonScan *scan, DriverProfile profile, bool accepted,
                                   uint64_t write_usec);
