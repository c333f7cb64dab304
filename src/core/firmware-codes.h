/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Access to the catalogue of firmware's reasons in include/lfa/firmware-codes.h. */

#include "lfa/firmware-codes.h"

typedef enum FirmwareRetry {
        FIRMWARE_RETRY_NO,      /* it fails again until somebody changes something */
        FIRMWARE_RETRY_YES,     /* later it may succeed by itself */
        FIRMWARE_RETRY_PERHAPS, /* the code has several causes, and does not tell which */
        _FIRMWARE_RETRY_MAX,
} FirmwareRetry;

/* "LFA_AUTH_ERROR"; "" for FIRMWARE_CODE_NONE. */
const char *firmware_code_to_string(FirmwareCode code);

/* The reverse; FIRMWARE_CODE_NONE for anything that is no name of the table. */
FirmwareCode firmware_code_from_string(const char *name);

/* By the number that firmware returned (-3); FIRMWARE_CODE_NONE for one that is not in the table. */
FirmwareCode firmware_code_from_number(int number);

/* One sentence each; "" for FIRMWARE_CODE_NONE. */
const char *firmware_code_meaning(FirmwareCode code);
const char *firmware_code_advice(FirmwareCode code);

/* FIRMWARE_RETRY_PERHAPS for FIRMWARE_CODE_NONE. */
FirmwareRetry firmware_code_retry(FirmwareCode code);
