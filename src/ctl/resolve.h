/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which image a person means. */

#include "ctl/managed-objects.h"

/* text may be the GUID as the directory has it or in its EFI form (either case, braces allowed), the alias,
 * the name, or at least four characters from the start of a GUID in either form; it must fit one image only.
 * *ret belongs to inventory. What fits none or several is reported, with the images there are. */
ExitCode resolve_image(Client *client, const Inventory *inventory, const char *text, Image **ret);
