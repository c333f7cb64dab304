/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One reading of one image: what its attributes said. A plain record, copied by assignment. */

#include "core/version.h"
#include "util/guid.h"

#include <stdbool.h>
#include <stdint.h>

#define IMAGE_NAME_SIZE 65 /* 64 bytes of clean UTF-8, and NUL */

typedef struct ImageValues {
        char guid[GUID_STRING_SIZE];
        char name[IMAGE_NAME_SIZE]; /* "" unless the kernel gave clean text that is not the GUID */

        /* 0 or 1; -1 when the attribute is missing or could not be read */
        int8_t capable;
        int8_t pending;
        int8_t may_reset_cpu;
        int8_t cpu_rendezvous;
        int8_t force_cpu_rendezvous;
        int8_t auto_activate;

        char current_version[VERSION_SIZE]; /* "" when firmware gives none, or unreadable */
        char pending_version[VERSION_SIZE]; /* "" also on drivers whose value is unusable */
} ImageValues;

/* Nothing known yet of this image. guid must be valid. */
void image_values_init(ImageValues *values, const char *guid);

bool image_values_equal(const ImageValues *a, const ImageValues *b);

/* True when the values are those that the driver shows for an image it has dropped, or has not read again
 * yet, while its inventory is refreshed: nothing capable, no rendezvous, no versions. A healthy image shows
 * them for up to milliseconds, one that is about to vanish until it does. An image that was never capable on
 * firmware that gives no versions shows cpu_rendezvous 1 (TF-A). */
bool image_values_look_stale(const ImageValues *values);
