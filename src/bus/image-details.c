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

static int compare_guids(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* In either of a GUID's forms. Returns 0 or -ENOENT. */
static int find_known(const Manager *manager, bool (*known)(const Manager *manager, const char *guid),
                      const char *text, char ret_guid[static GUID_STRING_SIZE]) {
        char guid[GUID_STRING_SIZE], other[GUID_STRING_SIZE];

        if (!known || guid_parse(text, guid) < 0)
                return -ENOENT;
        guid_swap_form(guid, other);
        if (!known(manager, guid) && !known(manager, other))
                return -ENOENT;
        memcpy(ret_guid, known(manager, guid) ? guid : other, GUID_STRING_SIZE);
        return 0;
}

int request_find_images(Request *request, bool (*known)(const Manager *manager, const char *guid),
                        sd_bus_error *error) {
        g_autoptr(GPtrArray) guids = g_ptr_array_new_with_free_func(g_free);

        g_clear_pointer(&request->guids, g_strfreev);
        for (unsigned i = 0; request->images && i < request->images->len; i++) {
                const Manager *manager = request->service->manager;
                char guid[GUID_STRING_SIZE];
                Image *image;
                int r = manager_lookup_image(manager, request->images->pdata[i], &image);

                if (r >= 0)
                        memcpy(guid, image->values.guid, sizeof(guid));
                else if (find_known(manager, known, request->images->pdata[i], guid) < 0)
                        return bus_error_from_lookup(manager, r, error);
                g_ptr_array_add(guids, g_strdup(guid));
        }
        if (guids->len == 0)
                return 0;
        g_ptr_array_sort(guids, compare_guids);
        for (unsigned i = guids->len; i-- > 1;)
                if (strcmp(guids->pdata[i], guids->pdata[i - 1]) == 0)
                        g_ptr_array_remove_index(guids, i);
        g_ptr_array_add(guids, NULL);
        request->guids = g_strdupv((char **) guids->pdata);
        return 0;
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

/* Whoever is asked now is asked about that day, too. */
static char *describe_when(const Request *request) {
        g_autofree char *deadline = NULL;

        if (!request->when_allowed)
                return g_strdup("now");
        if (request->deadline == 0)
                return g_strdup("when allowed");
        deadline = gate_time_to_text(request->deadline);
        return g_strdup_printf("when allowed, until %s", deadline);
}

static void add_details(Request *request, const Image *image, bool rendezvous) {
        const Target *target = &request->target;
        g_autofree char *when = describe_when(request);

        request_add_detail(request, "guid", target->guid);
        request_add_detail(request, "name", image_display_name(image));
        request_add_detail(request, "from", version_or_none(target->from));
        request_add_detail(request, "to", version_or_none(target->to));
        request_add_detail(request, "rendezvous", rendezvous ? "yes" : "no");
        request_add_detail(request, "downgrade", find_downgrade(target->from, target->to));
        request_add_detail(request, "when", when);
        request_add_detail(request, "reason", request->reason);
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

void request_show_images(Request *request) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        g_autofree char *images = request->guids ? g_strjoinv(" ", request->guids) : g_strdup("");
        g_autofree char *text = NULL;

        for (char **guid = request->guids; guid && *guid; guid++)
                g_ptr_array_add(names, (char *) image_display_name(
                                                       images_remember(request->service->manager, *guid)));
        g_ptr_array_add(names, NULL);
        text = request->guids ? g_strjoinv(", ", (char **) names->pdata) : g_strdup("all images");
        request_add_detail(request, "images", images);
        request_add_detail(request, "names", text);
}
