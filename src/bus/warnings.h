/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/service.h"

/* What there is to warn of, as a(ss): a code for programs and a text for people. Returns 0 or a negative errno of
 * sd-bus. */
int warnings_append(sd_bus_message *reply, const Manager *manager);
