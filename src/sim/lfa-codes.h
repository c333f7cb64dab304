/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The return codes of the LFA firmware calls (TF-A's LFA service) and their names. */

#include <errno.h>
#include <stdint.h>

typedef enum LfaCode {
        LFA_SUCCESS = 0,
        LFA_NOT_SUPPORTED = -1,
        LFA_BUSY = -2,
        LFA_AUTH_ERROR = -3,
        LFA_NO_MEMORY = -4,
        LFA_CRITICAL_ERROR = -5,
        LFA_DEVICE_ERROR = -6,
        LFA_WRONG_STATE = -7,
        LFA_INVALID_PARAMETERS = -8,
        LFA_COMPONENT_WRONG_STATE = -9,
        LFA_INVALID_ADDRESS = -10,
        LFA_ACTIVATION_FAILED = -11,
} LfaCode;

/* The name as the driver prints it: codes it does not know read LFA_DEVICE_ERROR (kernel driver, observed).
 */
const char *lfa_code_name(int code);

/* Reads AUTH_ERROR, LFA_AUTH_ERROR, in any case, or a negative number such as -12.
 * Returns 0, or -EINVAL with ret_code untouched. */
int lfa_code_parse(const char *text, int *ret_code);
