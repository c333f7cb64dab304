/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The control socket: a line is a command, its words quoted as in a shell; the reply is "ok" or "error:
 * REASON", then lines of text if the command gives any, then an empty line. A wrong use is "error: usage:
 * ...". */

#include "sim/machine.h"

#define CONTROL_DEFAULT_PATH "/run/lfa-sim.sock"
/* A longer line ends the connection. */
#define CONTROL_LINE_MAX 65536

typedef struct ControlServer ControlServer;

/* Listens at path, which is replaced if it is a left-over socket nobody answers at; only root can connect.
 * Each connection has a thread of its own. machine must outlive it. Returns 0 or a negative errno. */
int control_server_new(Machine *machine, const char *path, ControlServer **ret_server);
/* The machine must have been stopped. Removes the socket. Returns NULL. */
ControlServer *control_server_free(ControlServer *server);

/* Runs one command line and appends the whole reply. */
void control_execute(Machine *machine, const char *line, GString *reply);

/* All commands, one line each, for --help. */
char *control_usage(void);
