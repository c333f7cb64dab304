/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a person can do about it: a sentence for every state, result and error. */

#include "ctl/managed-objects.h"

/* What the error means and the way out, or NULL when there is nothing to add. */
const char *advice_for_error(const char *error_name);

/* What firmware's code means and what to do, or NULL when this lfactl does not know it. */
const char *advice_for_firmware_code(const char *code);

/* An error's short name with firmware's code behind it, where there is one: "ActivationFailed
 * [LFA_AUTH_ERROR]". The caller frees it. */
char *advice_error_and_code(const char *error_name, const char *firmware_code);

/* The last part of an error's name, the whole when it is not lfad's; "" for "". */
const char *advice_short_error(const char *error_name);

/* What to do about a job that ended so, or NULL. */
const char *advice_for_result(const char *result);

/* What a state of the driver means. */
const char *advice_for_driver(const char *driver_state);

/* What to do about the image in its state. The caller frees the answer. */
char *advice_for_image(const Image *image);

/* Whether that gate refuses everybody who would activate the image; gate NULL: any. */
bool advice_image_is_blocked(const Image *image, const char *gate);

/* Whether the image's state asks for somebody's attention. */
bool advice_image_needs_attention(const Image *image);
