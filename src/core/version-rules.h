/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which versions an image may be activated to, as the configuration says. Pure. */

#include "core/version.h"

#include <glib.h>

typedef struct VersionRules {
        GPtrArray *allowed;         /* char *, owned: no other version; NULL = any */
        GPtrArray *forbidden;       /* char *, owned; NULL = none */
        char minimum[VERSION_SIZE]; /* "" = none */
        bool no_downgrade;
} VersionRules;

/* Frees what the rules own. */
void version_rules_clear(VersionRules *rules);

typedef enum VersionRuling {
        VERSION_PERMITTED,
        VERSION_NOT_LISTED,   /* AllowVersion= has others */
        VERSION_LISTED,       /* ForbidVersion= has it */
        VERSION_TOO_LOW,      /* for MinimumVersion= */
        VERSION_IS_DOWNGRADE, /* and AllowDowngrade=no */
        VERSION_UNKNOWN,      /* firmware gives none, and some rule would have to know it */
} VersionRuling;

/* from, to: the versions that run and that are pending, "" = firmware gives none. What cannot be known is not permitted
 * where a rule asks for it. */
VersionRuling version_rules_judge(const VersionRules *rules, const char *from, const char *to);
