/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A property's value as a person reads it. */

#include <glib.h>
#include <json-c/json.h>

/* Truth values as yes and no, lists with commas between, times with their age, spans with a unit; whatever else as JSON
 * has it, and NULL for null. The caller frees it. */
char *property_text(GTimeZone *zone, const char *name, json_object *value);
