/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl, the command line of lfad: which verb is meant, and running it. */

#include "config.h"
#include "ctl/output.h"
#include "ctl/slips.h"
#include "ctl/verbs.h"
#include "ctl/warnings.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus-protocol.h>

static ExitCode fail_usage(Client *client, const char *message, const char *hint) {
        return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS, hint, "%s", message);
}

static ExitCode check_arguments(Client *client, const Verb *verb, int argc, char **argv) {
        g_autofree char *message = NULL, *hint = NULL;
        bool too_few = argc < verb->min_arguments;

        if (!too_few && (verb->max_arguments == VERB_ANY_NUMBER || argc <= verb->max_arguments))
                return EXIT_DONE;
        if (too_few)
                message = g_strdup_printf("'%s' needs to know which: %s%s", verb->name, verb->arguments,
                                          g_str_has_suffix(verb->arguments, ".") ? "" : ".");
        else
                message = g_strdup_printf(*verb->arguments ? "'%s' takes one argument: %s."
                                                           : "'%s' takes no arguments%s.",
                                          verb->name, verb->arguments);
        hint = too_few ? slip_missing_hint(verb->name) : slip_argument_hint(verb->name, argv[0]);
        if (!hint)
                hint = too_few ? g_strdup("'lfactl list' shows the images.")
                               : g_strdup_printf("'lfactl %s --help' tells more.", verb->name);
        return fail_usage(client, message, hint);
}

/* Where it is to be asked: what needs no lfad looks at this host alone. */
static ExitCode check_place(Client *client, const Verb *verb) {
        const Options *options = client->options;
        g_autofree char *message = NULL;

        if (options->host && options->machine)
                return fail_usage(client, "Either --host or --machine, not both.",
                                  "Write --host=HOST/CONTAINER for a container on another host.");
        if (!client_is_remote(client) || !verb->local)
                return EXIT_DONE;
        message = g_strdup_printf("'%s' asks no lfad, and looks at this host alone.", verb->name);
        return fail_usage(client, message,
                          options->host ? "Run lfactl there, with ssh." : "Run lfactl in the container.");
}

static ExitCode run_verb(Client *client, const Verb *verb, int argc, char **argv) {
        ExitCode code = check_arguments(client, verb, argc, argv);

        if (code == EXIT_DONE)
                code = check_place(client, verb);
        if (code == EXIT_DONE && verb->check)
                code = verb->check(client, argc, argv);
        if (code == EXIT_DONE && !verb->local && !verb->connects)
                code = client_connect(client);
        if (code == EXIT_DONE && !verb->local && !verb->connects)
                warnings_show(client);
        if (code == EXIT_DONE)
                code = verb->run(client, argc, argv);
        return code;
}

/* argv: the verb, if any, and its arguments. */
static ExitCode run(Client *client, int argc, char **argv) {
        static const Verb overview = { "status", "", "", 0, 0, verb_overview, NULL };
        const Verb *verb = argc > 0 ? verb_find(argv[0]) : NULL;

        if (client->options->version) {
                puts("lfactl " LFAD_VERSION);
                return EXIT_DONE;
        }
        if (argc > 0 && !verb)
                return verb_help(client, argc, argv); /* which says so */
        if (client->options->help)
                return verb_help(client, MIN(argc, 1), argv);
        if (!verb)
                return run_verb(client, &overview, 0, NULL);
        return run_verb(client, verb, argc - 1, argv + 1);
}

/* With --json there is a document for every verb but monitor, whatever happened. */
static void print_document(Client *client, ExitCode code) {
        if (!client->document || !client_json(client) || client->options->version)
                return;
        json_object_object_add(client->document, "exit-code", json_object_new_int(code));
        json_document_print(client->document, client->options->json);
}

int main(int argc, char **argv) {
        Options options;
        UsageError error = { NULL };
        Client client = { .options = &options, .document = json_document_new() };
        ExitCode code;
        int first = 0;

        output_init();
        if (options_parse(argc, argv, &options, &first, &error) < 0)
                code = fail_usage(&client, error.message, error.hint);
        else
                code = run(&client, argc - first, argv + first);
        print_document(&client, code);
        json_object_put(client.document);
        client_release(&client);
        if (!output_finish() && code == EXIT_DONE) {
                output_note("lfactl: Not all of the output could be written.");
                code = EXIT_NOT_PRINTED;
        }
        g_free(error.message);
        g_free(error.hint);
        return (int) code;
}
