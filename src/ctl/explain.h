/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lfad would answer to an activation, and why. */

#include "ctl/managed-objects.h"

/* Asks lfad with the options of the command line and prints the verdict, a table of the gates of which there is something to
 * tell (--long: of all), and what automatic mode is going to do about the image; or adds all of it to the document's
 * "explanations". Returns what `lfactl activate` would return: EXIT_DONE when it may run. Nothing is changed, and nobody is
 * asked for a password. */
ExitCode explain_image(Client *client, const Image *image);

/* The same for several images, the worst exit code. */
ExitCode explain_images(Client *client, const GPtrArray *images);
