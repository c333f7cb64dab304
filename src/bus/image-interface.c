/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.arm.LFA1.Image at /org/arm/LFA1/image/<guid>. */

#include "bus/service.h"
#include "core/enum-names.h"
#include "lfa/bus-names.h"

/* The object path's last part: the GUID with '_' for '-', since a path knows no '-'. */
char *image_path(const char *guid) {
        char *path = g_strdup_printf("%s/%s", LFA_IMAGE_PATH, guid);

        g_strdelimit(path, "-", '_');
        return path;
}

static Service *service_of(const Image *image) {
        return image->manager->userdata;
}

static int find_image(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                      sd_bus_error *error) {
        const Service *service = userdata;
        g_autofree char *guid = NULL;
        Image *image;

        if (!g_str_has_prefix(path, LFA_IMAGE_PATH "/"))
                return 0;
        guid = g_strdup(path + strlen(LFA_IMAGE_PATH "/"));
        g_strdelimit(guid, "_", '-');
        image = manager_find_image(service->manager, guid);
        if (!image)
                return 0;
        *ret_found = image;
        return 1;
}

static int list_images(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                       sd_bus_error *error) {
        const Service *service = userdata;
        GHashTableIter iterator;
        char **nodes = calloc(g_hash_table_size(service->manager->images) + 1, sizeof(*nodes));
        size_t n = 0;
        void *value;

        if (!nodes)
                return -ENOMEM;
        g_hash_table_iter_init(&iterator, service->manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value)) {
                const Image *image = value;

                if (image->present)
                        nodes[n++] = image_path(
                                        image->values.guid); /* sd-bus frees them: GLib's malloc is libc's */
        }
        *ret_nodes = nodes;
        return 0;
}

static int method_activate(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Image *image = userdata;

        return service_call_activate(service_of(image), message, image->values.guid, error);
}

static int method_explain(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Image *image = userdata;

        return service_call_explain(service_of(image), message, image->values.guid, error);
}

static int method_cancel(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Image *image = userdata;

        return service_call_cancel_image(service_of(image), message, image, error);
}

static int method_clear_quarantine(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Image *image = userdata;

        return service_call_clear_quarantine(service_of(image), message, image, error);
}

static int get_efi_guid(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Image *image = userdata;
        char guid[GUID_STRING_SIZE];

        guid_swap_form(image->values.guid, guid);
        return sd_bus_message_append(reply, "s", guid);
}

/* The strings of an image, by property. */
static const char *find_string(const Image *image, const char *property) {
        if (strcmp(property, "Guid") == 0)
                return image->values.guid;
        if (strcmp(property, "Name") == 0)
                return image_display_name(image);
        if (strcmp(property, "Alias") == 0)
                return image_alias(image);
        if (strcmp(property, "CurrentVersion") == 0)
                return image->values.current_version;
        if (strcmp(property, "PendingVersion") == 0)
                return image->values.pending_version;
        if (strcmp(property, "State") == 0)
                return image_state_to_string(image->state);
        if (strcmp(property, "LastResult") == 0)
                return job_result_to_string(image->last_result);
        if (strcmp(property, "LastError") == 0)
                return error_bus_name(image->last_error);
        return firmware_code_to_string(image->last_firmware_code); /* LastFirmwareCode */
}

static int get_string(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", find_string(userdata, property));
}

/* userdata is the flag itself; unknown (-1) is shown as the value that makes nobody hope */
static int get_flag(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const int8_t *flag = userdata;

        return sd_bus_message_append(reply, "b", *flag == 1);
}

static int get_cautious_flag(sd_bus *bus, const char *path, const char *interface, const char *property,
                             sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const int8_t *flag = userdata;

        return sd_bus_message_append(reply, "b", *flag != 0);
}

static int get_blockers(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Image *image = userdata;
        int r = sd_bus_message_open_container(reply, 'a', "s");

        for (int i = 0; r >= 0 && i < _GATE_MAX; i++)
                if (image->blockers & (1U << i))
                        r = sd_bus_message_append(reply, "s", gate_to_string((GateId) i));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

#define FLAG(name, getter, member)                                                                          \
        SD_BUS_PROPERTY(name, "b", getter, offsetof(Image, values.member),                                  \
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Activate", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("o", job),
                                method_activate, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Explain", SD_BUS_ARGS("a{sv}", options),
                                SD_BUS_RESULT("a{sv}", verdict, "aa{sv}", gates), method_explain,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_cancel,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ClearQuarantine", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT,
                                method_clear_quarantine, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Guid", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("EfiGuid", "s", get_efi_guid, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Name", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Alias", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("CurrentVersion", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("PendingVersion", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        FLAG("Capable", get_flag, capable),
        FLAG("Pending", get_flag, pending),
        FLAG("MayResetCpu", get_cautious_flag, may_reset_cpu),
        FLAG("CpuRendezvous", get_cautious_flag, cpu_rendezvous),
        FLAG("ForceCpuRendezvous", get_flag, force_cpu_rendezvous),
        FLAG("KernelAutoActivate", get_flag, auto_activate),
        SD_BUS_PROPERTY("State", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Blockers", "as", get_blockers, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("EvaluatedTimestamp", "t", NULL, offsetof(Image, evaluated_usec), 0),
        SD_BUS_PROPERTY("NotBeforeTimestamp", "t", NULL, offsetof(Image, not_before_usec), 0),
        SD_BUS_PROPERTY("LastResult", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("LastError", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("LastFirmwareCode", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("LastActivatedTimestamp", "t", NULL, offsetof(Image, last_activated_usec),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("BlackoutUSec", "t", NULL, offsetof(Image, blackout_usec),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END,
};

int image_interface_add(Service *service) {
        sd_bus_slot *slot;
        int r;

        r = sd_bus_add_fallback_vtable(service->bus, &slot, LFA_IMAGE_PATH, LFA_IMAGE_INTERFACE, vtable,
                                       find_image, service);
        if (r < 0)
                return r;
        g_ptr_array_add(service->slots, slot);
        r = sd_bus_add_node_enumerator(service->bus, &slot, LFA_IMAGE_PATH, list_images, service);
        if (r >= 0)
                g_ptr_array_add(service->slots, slot);
        return r;
}
