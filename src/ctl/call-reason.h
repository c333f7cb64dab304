/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calling a method that takes nothing but options, and of these only --reason=. */

#include "ctl/client.h"

/* Waits for the answer, also while a person types a password. Returns 0 or a negative errno with error filled. */
int call_with_reason(Client *client, const char *path, const char *interface, const char *member,
                     sd_bus_error *error);
