/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl help: what --help shows. */

#include "ctl/help.h"
#include "ctl/slips.h"

#include <stdio.h>
#include <systemd/sd-bus-protocol.h>

ExitCode verb_help(Client *client, int argc, char **argv) {
        const Verb *verb = argc > 0 ? verb_find(argv[0]) : NULL;

        if (argc > 0 && !verb) {
                g_autofree char *hint = slip_verb_hint(argv[0], client->options);

                return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS,
                                   hint ? hint : "'lfactl help' lists the verbs.", "There is no verb '%s'.",
                                   argv[0]);
        }
        if (verb)
                help_print_verb(verb);
        else
                help_print(verb_rows);
        g_clear_pointer(&client->document, json_object_put); /* a help is for people */
        return EXIT_DONE;
}
