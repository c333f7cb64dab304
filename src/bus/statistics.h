/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lfad has done so far: property Statistics, and the same in Describe. What there was not stays out. */

#include "bus/service.h"

/* As a{sv}. Returns 0 or a negative errno of sd-bus. */
int statistics_append(sd_bus_message *reply, const Manager *manager);

/* The caller owns it. */
json_object *statistics_describe(const Manager *manager);
