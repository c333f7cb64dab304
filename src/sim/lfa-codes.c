/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of the firmware's return codes, and reading what a person types for one. */

#include "sim/lfa-codes.h"

#include <glib.h>
#include <stdlib.h>
#include <strings.h>

static const char *const code_names[] = {
        "LFA_SUCCESS",
        "LFA_NOT_SUPPORTED",
        "LFA_BUSY",
        "LFA_AUTH_ERROR",
        "LFA_NO_MEMORY",
        "LFA_CRITICAL_ERROR",
        "LFA_DEVICE_ERROR",
        "LFA_WRONG_STATE",
        "LFA_INVALID_PARAMETERS",
        "LFA_COMPONENT_WRONG_STATE",
        "LFA_INVALID_ADDRESS",
        "LFA_ACTIVATION_FAILED",
};

const char *lfa_code_name(int code) {
        if (code > 0 || code <= -(int) G_N_ELEMENTS(code_names))
                code = LFA_DEVICE_ERROR;
        return code_names[-code];
}

int lfa_code_parse(const char *text, int *ret_code) {
        for (size_t i = 0; i < G_N_ELEMENTS(code_names); i++)
                if (strcasecmp(text, code_names[i]) == 0 || strcasecmp(text, code_names[i] + 4) == 0) {
                        *ret_code = -(int) i;
                        return 0;
                }

        char *end;
        long number = strtol(text, &end, 10);

        if (end == text || *end || number >= 0 || number < INT32_MIN)
                return -EINVAL;
        *ret_code = (int) number;
        return 0;
}
