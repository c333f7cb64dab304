/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stages of an activation report as strings. */

#include "core/activation-report.h"
#include "util/string-table.h"

static const char *const report_stages[_STAGE_MAX] = {
        [STAGE_CHANGED] = "changed",
        [STAGE_OPEN] = "open",
        [STAGE_WRITE] = "write",
};
DEFINE_STRING_TABLE(report_stage, ReportStage, report_stages)
