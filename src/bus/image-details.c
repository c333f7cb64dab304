/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Naming an image in a call, and what polkit is shown of it. */

#include "bus/image-details.h"
#include "bus/bus-errors.h"

int bus_error_from_lookup(const Manager *manager, int r, sd_bus_error *error) {
        if (r == -ENOTUNIQ)
                return bus_error_set(error, LFA_ERROR_AMBIGUOUS_IMAGE, NULL);
        switch (manager->driver_state) {
        case DRIVER_NO_DRIVER:
                return bus_error_set(error, LFA_ERROR_NO_DRIVER, NULL);
        case DRIVER_NO_FIRMWARE:
                return bus_error_set(error, LFA_ERROR_NO_FIRMWARE, NULL);
        case DRIVER_TREE_LOST: /* it may be one of those */
                return bus_error_set(error, LFA_ERROR_TREE_LOST, NULL);
        case DRIVER_UNKNOWN:
                return bus_error_set(error, LFA_ERROR_STARTING, "The driver's tree has not been read yet.");
        default:
                return bus_error_set(error, LFA_ERROR_NO_SUCH_IMAGE, NULL);
        }
}

int request_find_image(const Request *request, Image **ret, sd_bus_error *error) {
        int r = manager_lookup_image(request->service->manager, request->image, ret);

        return r < 0 ? bus_error_from_lookup(request->service->manager, r, error) : 0;
}

static const char *find_downgrade(const char *from, const char *to) {
        if (!version_known(from) || !version_known(to))
                return "unknown";
        return version_compare(to, from) < 0 ? "yes" : "no";
}

/* A person reads these: "from none to none" is better than a gap. */
static const char *version_or_none(const char *version) {
        return version_known(version) ? version : "none";
}

static void add_details(Request *request, const Image *image, bool rendezvous) {
        const Target *target = &request->target;

        request_add_detail(request, "guid", target->guid);
        request_add_detail(request, "name", image_display_name(image));
        request_add_detail(request, "from", version_or_none(target->from));
        request_add_detail(request, "to", version_or_none(target->to));
        request_add_detail(request, "rendezvous", rendezvous ? "yes" : "no");
        request_add_detail(request, "downgrade", find_downgrade(target->from, target->to));
        if (request->terms.overrides != 0) {
                g_autofree char *gates = gate_mask_to_text(request->terms.overrides);

                request_add_detail(request, "override", gates);
        }
}

void request_show_image(Request *request, const Image *image) {
        const ImageValues *values = &image->values;

        memcpy(request->target.guid, values->guid, sizeof(request->target.guid));
        memcpy(request->target.from, values->current_version, sizeof(request->target.from));
        memcpy(request->target.to, values->pending_version, sizeof(request->target.to));
        add_details(request, image, values->cpu_rendezvous != 0 || values->force_cpu_rendezvous != 0);
}

void request_show_known(Request *request, const KnownRequest *known) {
        const Image *image = images_remember(request->service->manager, known->guid);

        memcpy(request->target.guid, known->guid, sizeof(request->target.guid));
        memcpy(request->target.from, known->from, sizeof(request->target.from));
        memcpy(request->target.to, known->to, sizeof(request->target.to));
        add_details(request, image,
                    image->values.cpu_rendezvous != 0 || image->values.force_cpu_rendezvous != 0);
}
