/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The built-in table of component GUIDs. Sources: TF-A's firmware_image_package.h (BL31, BL32, BL33,
 * SCP_BL2U), TF-A's LFA platform code for the FVP (RMM, secure partitions). NVIDIA's two private GUIDs have
 * no public name and are therefore not here. The kernel's own `name` attribute is no identity: several
 * driver versions print nothing, or garbage, in it. */

#include "util/known-guids.h"

#include <string.h>
#include <strings.h>

static const KnownGuid known_guids[] = {
        { "47d4086d-4cfe-9846-9b95-2950cbbd5a00", "bl31", "TF-A BL31 (EL3 runtime firmware)" },
        { "05d0e189-53dc-1347-8d2b-500a4b7a3e38", "bl32", "TF-A BL32 (secure payload)" },
        { "d6d0eea7-fcea-d54b-9782-9934f234b6e4", "bl33", "TF-A BL33 (non-secure payload)" },
        { "6c0762a6-12f2-4b56-92cb-ba8f633606d9", "rmm", "Realm Management Monitor (RMM)" },
        { "f07b2a96-1d47-4d17-9ec8-86a64e253e5c", "sp1", "Secure partition 1" },
        { "c3ff2127-7e41-a9f8-05af-24a1afa33474", "sp2", "Secure partition 2" },
        { "65922703-2f74-e644-8dff-579ac1ff0610", "scp", "System control processor firmware (SCP)" },
};

const KnownGuid *known_guid_at(size_t index) {
        return index < sizeof(known_guids) / sizeof(known_guids[0]) ? &known_guids[index] : NULL;
}

const KnownGuid *known_guid_find(const char *guid) {
        for (size_t i = 0; i < sizeof(known_guids) / sizeof(known_guids[0]); i++)
                if (strcmp(known_guids[i].guid, guid) == 0)
                        return &known_guids[i];
        return NULL;
}

const KnownGuid *known_guid_find_alias(const char *alias) {
        for (size_t i = 0; i < sizeof(known_guids) / sizeof(known_guids[0]); i++)
                if (strcasecmp(known_guids[i].alias, alias) == 0)
                        return &known_guids[i];
        return NULL;
}
