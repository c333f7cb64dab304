/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* On what terms an activation is asked for: what the gates judge it by, and what of it is put on disk. */

#include "core/version.h"
#include "util/json.h"

/* A version that must match: not given, or a version ("" = firmware gives none). */
typedef struct ExpectedVersion {
        bool given;
        char version[VERSION_SIZE];
} ExpectedVersion;

typedef struct ActivationTerms {
        ExpectedVersion expected_current, expected_pending;
        bool unattended;        /* a timer or an agent speaks for nobody: some gates are for it only */
        bool automatic;         /* lfad itself asks; then it is unattended, too */
        bool accepted;          /* a job was made of it: what automatic mode tried last is this very one */
        uint64_t accepted_usec; /* CLOCK_REALTIME of that; 0 = none was made */
        unsigned overrides;     /* mask of GateId: passed over, where gate_is_overridable */
} ActivationTerms;

/* The keys expected-current-version, expected-pending-version, unattended, automatic and override; only those that
 * something was given for. */
void terms_to_record(const ActivationTerms *terms, json_object *record);

/* Reads them back, strictly. Returns 0 or -EBADMSG. */
int terms_from_record(json_object *record, ActivationTerms *ret);

/* Gates by their names, in their order: as an array, which is absent when there are none, and for people ("hold,
 * inhibitor"; the caller frees it). */
void gate_mask_to_record(unsigned mask, const char *key, json_object *record);
char *gate_mask_to_text(unsigned mask);
