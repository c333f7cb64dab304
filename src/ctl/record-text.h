/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The values of a history's record, as people read them. */

#include "ctl/managed-objects.h"

/* The name of a uid, or NULL when it has none. The caller frees it. */
char *record_user_name(const Client *client, json_object *uid);

/* The value of record's key as it is recorded and, where that is not what a person would say, what it means behind it: "0 (root)",
 * "1200000 (1 s)". The caller frees it. */
char *record_value_text(Client *client, const Inventory *inventory, json_object *record, const char *key);
