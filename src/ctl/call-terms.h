/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* On what terms an activation is asked for, or explained: the options that the calls share. */

#include "ctl/options.h"

#include <systemd/sd-bus.h>

/* Appends those that were given to the a{sv} that is open. Returns 0 or a negative errno. */
int call_terms(sd_bus_message *call, const Options *options);
