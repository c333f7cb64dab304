/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The attributes that need no firmware call: names, cached values, settings. */

#include "sim/driver-internal.h"

#include "sim/texts.h"

#include <string.h>

#define BL31_GUID "47d4086d-4cfe-9846-9b95-2950cbbd5a00"
#define BL33_GUID "d6d0eea7-fcea-d54b-9782-9934f234b6e4"
#define RMM_GUID "6c0762a6-12f2-4b56-92cb-ba8f633606d9"

/* What a dead stack buffer may hold: neither UTF-8 nor printable. */
#define GARBAGE "\xf0\x8e\x02\x10h\xff\xff"

const char *driver_image_name(const DriverTraits *traits, const char *guid) {
        if (strcmp(guid, RMM_GUID) == 0)
                return traits->rmm_name;
        if (traits->name_style == NAME_GARBAGE)
                return GARBAGE;
        if (strcmp(guid, BL31_GUID) == 0)
                return traits->bl31_name;
        if (strcmp(guid, BL33_GUID) == 0)
                return "BL33 non-secure payload";
        switch (traits->name_style) {
        case NAME_EMPTY:
                return "";
        case NAME_GUID:
                return guid;
        default:
                return "(unknown)";
        }
}

void driver_image_store_inventory(DriverImage *image, const FirmwareInventory *inventory) {
        image->capable = inventory->capable;
        image->pending = inventory->pending;
        image->may_reset = inventory->may_reset;
        image->rendezvous_optional = inventory->rendezvous_optional;
        image->current_version = inventory->current_version;
}

static void show_boolean(DriverCall *call, bool value) {
        call_print(call, value ? "1" : "0");
}

void driver_attribute_show(DriverCall *call) {
        const DriverImage *image = call->image;
        char version[VERSION_TEXT_SIZE];

        switch (call->attribute) {
        case ATTRIBUTE_NAME:
                call_print(call, driver_image_name(call->driver->traits, image->guid));
                break;
        case ATTRIBUTE_ACTIVATION_CAPABLE:
                show_boolean(call, image->capable);
                break;
        case ATTRIBUTE_MAY_RESET_CPU:
                show_boolean(call, image->may_reset);
                break;
        case ATTRIBUTE_CPU_RENDEZVOUS:
                show_boolean(call, !image->rendezvous_optional);
                break;
        case ATTRIBUTE_CURRENT_VERSION:
                version_format(image->current_version, version);
                call_print(call, version);
                break;
        case ATTRIBUTE_FORCE_CPU_RENDEZVOUS:
                show_boolean(call, image->force_rendezvous);
                break;
        case ATTRIBUTE_AUTO_ACTIVATE:
                show_boolean(call, image->auto_activate);
                break;
        default:
                g_assert_not_reached();
        }
}

/* Only the first one or two characters count, as the kernel's reading of booleans has it. */
ssize_t driver_attribute_store_boolean(bool *setting, const char *data, size_t size) {
        char first = size > 0 ? data[0] : '\0', second = size > 1 ? data[1] : '\0';

        if (first == 'o' || first == 'O') /* "on" and "off": the second one tells */
                first = second == 'n' || second == 'N' ? '1' : second == 'f' || second == 'F' ? '0' : '\0';
        if (first && strchr("yYtT1", first))
                *setting = true;
        else if (first && strchr("nNfF0", first))
                *setting = false;
        else
                return -EINVAL;
        return (ssize_t) size;
}
