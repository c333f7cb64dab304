/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who holds activations back, as a table or in the document. */

#include "ctl/client.h"

/* What ListInhibitors gives. Returns 0 or a negative errno with error filled; the caller owns *ret. */
int inhibitors_load(Client *client, sd_bus_error *error, json_object **ret);

/* A failure is reported. */
ExitCode inhibitor_list_show(Client *client);
