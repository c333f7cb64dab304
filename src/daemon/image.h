/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lfad knows of one image: the last reading that counts, and what was remembered of its activations. */

#include "core/errors.h"
#include "core/firmware-codes.h"
#include "core/image-values.h"
#include "lfa/enums.h"

typedef enum ImageProperty {
        IMAGE_PROPERTY_NAME = 1 << 0,
        IMAGE_PROPERTY_CURRENT_VERSION = 1 << 1,
        IMAGE_PROPERTY_PENDING_VERSION = 1 << 2,
        IMAGE_PROPERTY_CAPABLE = 1 << 3,
        IMAGE_PROPERTY_PENDING = 1 << 4,
        IMAGE_PROPERTY_MAY_RESET_CPU = 1 << 5,
        IMAGE_PROPERTY_CPU_RENDEZVOUS = 1 << 6,
        IMAGE_PROPERTY_FORCE_CPU_RENDEZVOUS = 1 << 7,
        IMAGE_PROPERTY_KERNEL_AUTO_ACTIVATE = 1 << 8,
        IMAGE_PROPERTY_STATE = 1 << 9,
        IMAGE_PROPERTY_BLOCKERS = 1 << 10,
        IMAGE_PROPERTY_LAST_RESULT = 1 << 11,
        IMAGE_PROPERTY_LAST_ERROR = 1 << 12,
        IMAGE_PROPERTY_LAST_ACTIVATED = 1 << 13,
        IMAGE_PROPERTY_ALIAS = 1 << 14,
        IMAGE_PROPERTY_LAST_FIRMWARE_CODE = 1 << 15,
        IMAGE_PROPERTY_BLACKOUT = 1 << 16,
} ImageProperty;

/* The driver's own settings of an image (settings.c). */
typedef enum SettingId {
        SETTING_AUTO_ACTIVATE,
        SETTING_FORCE_CPU_RENDEZVOUS,
        _SETTING_MAX,
        _SETTING_INVALID = -EINVAL,
} SettingId;

typedef struct ImageSetting {
        unsigned attempts; /* to set it, in so many readings in a row */
        bool stuck;        /* it could not be set, or did not stay */
        bool told;         /* the journal has it */
} ImageSetting;

typedef struct Manager Manager;

typedef struct Image {
        Manager *manager; /* the owner; weak */
        ImageValues values;
        const char *configured_alias; /* borrowed from the manager's configuration; NULL = none */
        bool present;                 /* the driver shows it; else only what is remembered is kept */
        ImageState state;             /* as published */

        JobResult last_result; /* of the last job */
        ErrorId last_error;
        FirmwareCode last_firmware_code;
        uint64_t last_activated_usec; /* CLOCK_REALTIME of the last success or unverified end */
        uint64_t blackout_usec;       /* the longest that is kept in mind */
        uint32_t unsettled_job; /* ended unknown or unverified, and nothing was learned since; 0 = none */

        bool repeat; /* the last job was accepted, yet last_to is still pending and no version moved */
        char last_to[VERSION_SIZE]; /* the version that the last job was about */
        bool pending_fell_before;   /* pending was once seen to fall after an accepted activation */
        ImageSetting settings[_SETTING_MAX];
        uint64_t seen_tree; /* Tree.id of the tree in which it was seen last, also by an earlier lfad; 0 = none */
        uint64_t lost_tree; /* Tree.id of the tree in which the driver lost it, 0 = none */

        unsigned blockers; /* bit mask of GateId */
        uint64_t evaluated_usec;
        uint64_t not_before_usec;  /* CLOCK_REALTIME: from when they may be gone, 0 = not known */
        uint64_t next_change_usec; /* when the calendar's answer is another one, UINT64_MAX = never */
} Image;

/* The properties in which the two readings differ. */
unsigned image_values_diff(const ImageValues *a, const ImageValues *b);

/* A name to show, never empty: the known name of the GUID, else the kernel's, else the configured alias,
 * else the GUID. Borrowed. */
const char *image_display_name(const Image *image);

/* A short name to type: the configured one, else the known one of the GUID, else "". Borrowed. */
const char *image_alias(const Image *image);
