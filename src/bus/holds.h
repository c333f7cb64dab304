/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Holds as callers see them. */

#include "bus/request.h"

/* Those in force as aa{sv}: property Holds. Returns 0 or a negative errno of sd-bus. */
int holds_append(sd_bus_message *reply, const Manager *manager);

/* The same for Describe. */
json_object *holds_to_json(const Manager *manager);

/* Refuses a list of images that is empty: who means all leaves it out, and nobody shall mean them by a slip. */
int holds_check_images(const Request *request, sd_bus_error *error);

/* Whether this image has a hold of its own. */
bool holds_guid_is_held(const Manager *manager, const char *guid);

/* All holds of these scopes, guids NULL: of all images together, as one text for people; "" = none. own: also lfad's.
 * The caller frees it. */
char *holds_describe(const Manager *manager, char *const *guids, bool own);
