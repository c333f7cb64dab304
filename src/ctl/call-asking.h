/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calling a method for which polkit may want a password. */

#include "ctl/client.h"

/* Sends it and waits for the answer, also while a person types. ret_reply may be NULL. Returns 0 or a negative errno with
 * error filled. */
int call_asking(Client *client, sd_bus_message *call, sd_bus_error *error, sd_bus_message **ret_reply);

/* The same for a method that takes nothing but options, and of these only --reason=. */
int call_asking_with_reason(Client *client, const char *path, const char *interface, const char *member,
                            sd_bus_error *error);
