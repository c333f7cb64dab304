/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The firmware components whose GUIDs are publicly known. */

#include <stddef.h>

typedef struct KnownGuid {
        const char *guid;  /* directory form */
        const char *alias; /* what a person types: "rmm" */
        const char *name;  /* what a person reads: "Realm Management Monitor (RMM)" */
} KnownGuid;

/* By number from 0; NULL behind the last one. */
const KnownGuid *known_guid_at(size_t index);

/* NULL when the GUID is not in the table. */
const KnownGuid *known_guid_find(const char *guid);

/* By alias, ignoring case; NULL when there is none. */
const KnownGuid *known_guid_find_alias(const char *alias);
