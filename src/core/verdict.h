/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an activation's evidence proves. The driver's own answer proves little: some versions report success
 * for a failure, all report one errno for every cause, and `current_version` is a cache that only a success
 * renews, so that an unchanged value proves nothing after an error. What cannot be known is called
 * unverified or unknown. */

#include "core/activation-report.h"
#include "core/errors.h"

typedef struct VerdictFacts {
        bool other_boot;                /* the activation was begun in another boot and never ended */
        const ActivationReport *report; /* NULL: the worker left none */
        const ImageValues *seen;        /* without a report: a reading made afterwards; NULL = none */
        const char *from, *to;          /* without a report: the versions that were authorised */
        bool log_names_prime;           /* this write's kernel log says that PRIME was refused */
        bool pending_fell_before;       /* this image's pending was once seen to fall after a success */
} VerdictFacts;

/* The rows of the table, top down; the first that fits wins. */
typedef enum VerdictRow {
        VERDICT_OTHER_BOOT = 1,
        VERDICT_NOTHING_WRITTEN,
        VERDICT_VERSION_MOVED,
        VERDICT_NO_REPORT,
        VERDICT_GONE,
        VERDICT_UNREADABLE,
        VERDICT_PENDING_FELL,
        VERDICT_NO_EFFECT,
        VERDICT_PENDING_STAYED,
        VERDICT_REFUSED,
        VERDICT_UNPROVEN,
        _VERDICT_ROW_MAX,
} VerdictRow;

typedef struct Verdict {
        VerdictRow row;
        JobResult result;
        ErrorId error;
        bool repeat; /* accepted, yet pending as before: another activation would loop for ever */
} Verdict;

/* Whether something may still be learned about an activation that ended so: pending may yet fall, or the version
 * move to the one that was pending, which a later refresh brings. pending_after: 0 or 1, -1 = not known; version_after:
 * as shown after the write; to: what was pending. */
bool verdict_is_open(JobResult result, int pending_after, const char *version_after, const char *to);

/* Pure; every combination of facts gives exactly one verdict. */
Verdict verdict_find(const VerdictFacts *facts);
