/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who holds activations back, as a table or in the document. */

#include "ctl/client.h"

/* A failure is reported. */
ExitCode inhibitor_list_show(Client *client);
