/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of named errors, expanded. */

#include "core/errors.h"
#include "lfa/bus-names.h"

#include <errno.h>
#include <string.h>

typedef struct ErrorRow {
        const char *name;
        bool retryable;
        const char *text;
} ErrorRow;

#define ERROR_ROW(symbol, name, retryable, text) { LFA_ERROR_PREFIX name, retryable, text },
static const ErrorRow rows[_LFA_ERROR_MAX] = { { "", false, "" }, LFA_ERROR_TABLE(ERROR_ROW) };

const char *error_bus_name(ErrorId error) {
        return rows[error].name;
}

ErrorId error_from_bus_name(const char *name) {
        for (int i = 1; i < _LFA_ERROR_MAX; i++)
                if (strcmp(rows[i].name, name) == 0)
                        return (ErrorId) i;
        return LFA_ERROR_NONE;
}

const char *error_text(ErrorId error) {
        return rows[error].text;
}

bool error_is_retryable(ErrorId error) {
        return rows[error].retryable;
}

ErrorId error_from_attr_errno(int errno_value) {
        switch (errno_value) {
        case EBUSY:
        case EAGAIN:
                return LFA_ERROR_KERNEL_BUSY;
        case ENOENT:
        case ENODEV:
        case ENOTDIR:
                return LFA_ERROR_IMAGE_GONE;
        case EACCES:
        case EPERM:
                return LFA_ERROR_NO_PERMISSION;
        case EROFS:
                return LFA_ERROR_READ_ONLY;
        case EINVAL:
                return LFA_ERROR_NEEDS_CPU_RESET; /* rfc1, rfc2: the only cause of EINVAL */
        default:
                return LFA_ERROR_INPUT_OUTPUT;
        }
}
