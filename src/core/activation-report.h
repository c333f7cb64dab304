/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the worker saw and did in one activation: the only evidence from which a verdict is derived. */

#include "core/blackout.h"
#include "core/firmware-reason.h"
#include "core/image-values.h"
#include "lfa/enums.h"
#include "util/boot-id.h"

typedef enum ReportStage {
        STAGE_CHANGED, /* nothing was written: the worker's own read differed from what was authorised */
        STAGE_OPEN,    /* nothing was written: the image or its `activate` could not be read or opened */
        STAGE_WRITE,   /* write(2) was called */
        _STAGE_MAX,
        _STAGE_INVALID = -EINVAL,
} ReportStage;

const char *report_stage_to_string(ReportStage stage);
ReportStage report_stage_from_string(const char *text);

typedef struct ActivationReport {
        uint32_t job;
        char guid[GUID_STRING_SIZE];
        char boot_id[BOOT_ID_SIZE];
        DriverProfile profile;
        ReportStage stage;
        int error;           /* positive errno of the open or the last write, 0 = the driver accepted */
        unsigned attempts;   /* write(2) calls; above 1 only after EBUSY or EAGAIN, which reach nothing */
        uint64_t write_usec; /* time inside the last write(2) */
        uint64_t write_timestamp; /* CLOCK_REALTIME before the last write(2), 0 = none */
        ImageValues before;       /* right before the write */
        ImageValues after;        /* right after it; valid for STAGE_WRITE */
        bool gone;                /* afterwards the image's directory had vanished */
        bool stale;               /* afterwards it still looked stale after re-reading for a second */
        bool cancel_sent;      /* `cancel` was written once after the failure, to free the firmware's slot */
        int cancel_error;      /* its positive errno, 0 = accepted */
        FirmwareReason reason; /* from the kernel's log of the last write; for STAGE_WRITE */
        Blackout blackout;     /* of the last write(2) */
} ActivationReport;
