/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lfad knows of one image. */

#include "daemon/image.h"
#include "util/known-guids.h"

#include <string.h>

/* Flags as they are published: what could not be read is shown as the value that raises no hope. */
unsigned image_values_diff(const ImageValues *a, const ImageValues *b) {
        unsigned mask = 0;

        if (strcmp(a->name, b->name) != 0)
                mask |= IMAGE_PROPERTY_NAME;
        if (strcmp(a->current_version, b->current_version) != 0)
                mask |= IMAGE_PROPERTY_CURRENT_VERSION;
        if (strcmp(a->pending_version, b->pending_version) != 0)
                mask |= IMAGE_PROPERTY_PENDING_VERSION;
        if ((a->capable == 1) != (b->capable == 1))
                mask |= IMAGE_PROPERTY_CAPABLE;
        if ((a->pending == 1) != (b->pending == 1))
                mask |= IMAGE_PROPERTY_PENDING;
        if ((a->may_reset_cpu != 0) != (b->may_reset_cpu != 0))
                mask |= IMAGE_PROPERTY_MAY_RESET_CPU;
        if ((a->cpu_rendezvous != 0) != (b->cpu_rendezvous != 0))
                mask |= IMAGE_PROPERTY_CPU_RENDEZVOUS;
        if ((a->force_cpu_rendezvous == 1) != (b->force_cpu_rendezvous == 1))
                mask |= IMAGE_PROPERTY_FORCE_CPU_RENDEZVOUS;
        if ((a->auto_activate == 1) != (b->auto_activate == 1))
                mask |= IMAGE_PROPERTY_KERNEL_AUTO_ACTIVATE;
        return mask;
}

const char *image_display_name(const Image *image) {
        const KnownGuid *known = known_guid_find(image->values.guid);

        if (known)
                return known->name;
        if (image->values.name[0])
                return image->values.name;
        return image->configured_alias ? image->configured_alias : image->values.guid;
}

const char *image_alias(const Image *image) {
        const KnownGuid *known = known_guid_find(image->values.guid);

        if (image->configured_alias)
                return image->configured_alias;
        return known ? known->alias : "";
}
