/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* On what terms an activation is asked for, or explained: the options that the calls share. */

#include "ctl/client.h"

/* Appends those that were given to the a{sv} that is open. Returns 0 or a negative errno; a time that makes no sense in
 * the policy's zone is reported. */
int call_terms(Client *client, sd_bus_message *call);
