/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One reading of one image. */

#include "core/image-values.h"

#include <string.h>

void image_values_init(ImageValues *values, const char *guid) {
        *values = (ImageValues){
                .capable = -1,
                .pending = -1,
                .may_reset_cpu = -1,
                .cpu_rendezvous = -1,
                .force_cpu_rendezvous = -1,
                .auto_activate = -1,
        };
        memcpy(values->guid, guid, GUID_STRING_SIZE);
}

bool image_values_equal(const ImageValues *a, const ImageValues *b) {
        return strcmp(a->guid, b->guid) == 0 && strcmp(a->name, b->name) == 0 && a->capable == b->capable &&
               a->pending == b->pending && a->may_reset_cpu == b->may_reset_cpu &&
               a->cpu_rendezvous == b->cpu_rendezvous &&
               a->force_cpu_rendezvous == b->force_cpu_rendezvous && a->auto_activate == b->auto_activate &&
               strcmp(a->current_version, b->current_version) == 0 &&
               strcmp(a->pending_version, b->pending_version) == 0;
}

bool image_values_look_stale(const ImageValues *values) {
        /* pending: 0, or unreadable (nvnew answers ENOENT for such an image) */
        return values->capable == 0 && values->pending <= 0 && values->may_reset_cpu == 0 &&
               values->cpu_rendezvous == 0 && !version_known(values->current_version) &&
               !version_known(values->pending_version);
}
