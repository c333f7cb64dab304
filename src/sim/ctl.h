/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The client of the control socket: sends one command, prints what comes back. */

/* words: the command and its arguments, ended by NULL. Prints text to stdout, errors to stderr. Returns the
 * exit status: 0 done, 1 refused or no simulator there, 2 wrong use. */
int ctl_run(const char *path, char **words);
