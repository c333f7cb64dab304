/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* polkit's agent for terminals, so that a user without a desktop can be asked for a password. */

#include <sys/types.h>

typedef struct PasswordAgent {
        pid_t pid; /* 0: none runs */
} PasswordAgent;

/* Starts pkttyagent when standard input is a terminal and the caller is not root, and waits until it is
 * registered (10 s at most). Not having one is no error: polkit then says that it needs interaction. */
void agent_start(PasswordAgent *agent);

/* Ends it; it puts the terminal back as it was. */
void agent_stop(PasswordAgent *agent);
