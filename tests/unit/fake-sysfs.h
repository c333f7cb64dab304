/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A driver's tree made of plain files, as each version of the driver would lay it out, below a temporary
 * folder that stands for /sys. Values do not depend on each other as the driver's do. */

#include "unit.h"

#define GUID_BL31 "47d4086d-4cfe-9846-9b95-2950cbbd5a00"
#define GUID_BL33 "d6d0eea7-fcea-d54b-9782-9934f234b6e4"
#define GUID_RMM "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define GUID_NAMELESS "0509b633-5734-422f-a681-6096e932d93a"

/* What a version of the driver shows beyond the seven attributes that all have. */
typedef enum FakeLayout {
        FAKE_RFC1,
        FAKE_RFC2, /* + force_cpu_rendezvous */
        FAKE_V1,   /* + current_version, pending_version */
        FAKE_V2,   /* + auto_activate */
} FakeLayout;

/* An image that is capable and pending, 1.0 -> 1.1, with nothing that the given layout does not have. */
void fake_image(const TempFolder *sysfs, const char *guid, FakeLayout layout);

/* Sets, or with content NULL removes, one attribute. size for content with NULs in it. */
void fake_attribute(const TempFolder *sysfs, const char *guid, const char *attribute, const char *content);
void fake_attribute_bytes(const TempFolder *sysfs, const char *guid, const char *attribute, const void *data,
                          size_t size);

/* Values as the driver shows them for an image that it has dropped. */
void fake_image_stale(const TempFolder *sysfs, const char *guid);

/* A folder below the root, such as devices/faux/arm-lfa. */
void fake_folder(const TempFolder *sysfs, const char *path);

/* The tree's folder, opened. */
int fake_tree_fd(const TempFolder *sysfs);
