/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Asking polkit, asynchronously, over sd-bus. polkit's own library would start a thread of its own. */

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef enum PolkitAnswer {
        POLKIT_YES,
        POLKIT_NO,
        POLKIT_CHALLENGE, /* an authentication would be needed, and the caller did not allow asking for it */
        POLKIT_FAILED,    /* no polkit, it died while asked, or it answered an error: means no */
} PolkitAnswer;

typedef struct PolkitCheck PolkitCheck;

/* Called once; reason is set for POLKIT_FAILED. The check may be freed in it. */
typedef void (*PolkitCallback)(PolkitAnswer answer, const char *reason, void *userdata);

/* Asks whether the sender of message may do action. interactive: a person may be asked for a password.
 * details: alternating keys and values, shown to rules and people. It may take as long as a person needs to
 * type a password. Returns 0 or a negative errno. */
int polkit_check_start(sd_bus_message *message, const char *action, bool interactive,
                       const GPtrArray *details, PolkitCallback callback, void *userdata, PolkitCheck **ret);

/* Takes the question back when it was not answered: a dialog on a screen closes. */
void *polkit_check_free(PolkitCheck *check);
