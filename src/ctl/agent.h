/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* polkit's agent for terminals, so that a user without a desktop can be asked for a password. */

#include "ctl/client.h"

#include <sys/types.h>

typedef struct PasswordAgent {
        pid_t pid; /* 0: none runs */
} PasswordAgent;

/* Starts pkttyagent when standard input is a terminal that lfactl is in the foreground of, the caller is not root, lfad
 * runs on this host and passwords may be asked for, and waits until it is registered (10 s at most). One that the session
 * has already, as on a desktop, goes first. Not having one is no error: polkit then says that it needs interaction. From
 * then until agent_stop() a signal that ends lfactl puts the terminal back first, which may be without echo. One at a
 * time. */
void agent_start(Client *client, PasswordAgent *agent);

/* Ends it, and puts the terminal back as it was, unless lfactl was sent to the background. */
void agent_stop(PasswordAgent *agent);
