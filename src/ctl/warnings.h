/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/client.h"

/* Shows what lfad warns of, whatever was asked: on standard error, or as "warnings" in the document. An lfad that
 * cannot be asked is left to the verb to report. */
void warnings_show(Client *client);
