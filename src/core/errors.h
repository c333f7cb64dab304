/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Access to the table of named errors in include/lfa/error-names.h. */

#include "lfa/error-names.h"

#include <stdbool.h>

/* "org.arm.LFA1.Error.NotPending"; "" for LFA_ERROR_NONE. */
const char *error_bus_name(ErrorId error);

/* The reverse; LFA_ERROR_NONE for anything that is no name of the table. */
ErrorId error_from_bus_name(const char *name);

/* What it means and the way out, one sentence; "" for LFA_ERROR_NONE. */
const char *error_text(ErrorId error);

/* True when the same request may succeed later without anybody changing anything. */
bool error_is_retryable(ErrorId error);

/* The error for an errno with which an attribute could not be opened or written before anything reached the
 * firmware. */
ErrorId error_from_attr_errno(int errno_value);
