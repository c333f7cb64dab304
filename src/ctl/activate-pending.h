/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* lfactl activate --pending. */

#include "ctl/managed-objects.h"

/* Asks lfad for all that is pending and follows the jobs one after the other. Returns the worst exit code;
 * EXIT_DONE when nothing was pending. */
ExitCode activate_pending(Client *client, const Inventory *inventory);
