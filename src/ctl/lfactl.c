/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl, the command line of lfad: which verb is meant, and running it. */

#include "config.h"
#include "ctl/help.h"
#include "ctl/output.h"
#include "ctl/policy-time.h"
#include "ctl/time-text.h"
#include "ctl/verbs.h"
#include "ctl/warnings.h"
#include "util/nearest.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus-protocol.h>

#define ANY_NUMBER (-1)

static const Verb verbs[] = {
        { "status", "", "Show lfad, the driver, the images and what needs attention", 0, 0, verb_status,
          NULL },
        { "list", "", "List the images", 0, 0, verb_list, NULL },
        { "show", "IMAGE...", "Show all that is known about images", 1, ANY_NUMBER, verb_show, NULL },
        { "activate", "IMAGE...", "Make staged firmware run now, and wait for the outcome", 0, ANY_NUMBER,
          verb_activate,
          "Several images are activated one after the other. The rest is left alone after a result other\n"
          "than succeeded, unverified or refused. Ctrl-C ends the waiting, not the activation. If lfad\n"
          "leaves the bus meanwhile, it is given 60 seconds to come back (LFACTL_RETURN_SEC in the\n"
          "environment changes that).\n"
          "--expect-current= and --expect-pending= with an empty version mean that firmware gives none.\n"
          "--pending asks for all images that are pending at once: lfad puts them in order, and cancels the\n"
          "rest after a bad result. --dry-run does what 'lfactl explain' does.\n"
          "--when-allowed has lfad wait where a gate defers (a window is closed, ...): until a time, or as long\n"
          "as its configuration says. The job goes on without lfactl. All images are asked for at once then." },
        { "explain", "IMAGE", "Tell whether it would be activated now, and why not", 1, 1, verb_explain,
          "Shows the verdict, then each gate with its own. The exit code is that of 'lfactl activate' as\n"
          "far as it can be foreseen. OVERRIDE tells whether a caller could have a gate passed over.\n"
          "--at= takes " POLICY_MOMENT_FORMS ",\n"
          "in the time zone of the policy. What cannot be foreseen is judged as it is now." },
        { "plan", "", "Show windows, freezes, holds and what will be activated when", 0, 0, verb_plan,
          "What lfad foresees for the next seven days, or until --until=, at most 366 days: openings of windows\n"
          "with this host's moment in each, freezes, holds, days on which a window does not open because clocks\n"
          "leave its start out, and each image that is pending: when automatic mode activates it, or why it\n"
          "does not. Nothing but the time is assumed to change." },
        { "cancel", "IMAGE|JOB", "Cancel an image's job, or the job with this number", 1, 1, verb_cancel,
          "Before the write the job ends cancelled. During it firmware is asked once, and the job's result\n"
          "stays whatever the activation turns out to be. A text of digits alone is always a job." },
        { "hold", "[IMAGE...]", "Pause activations of these images, or of all", 0, ANY_NUMBER, verb_hold,
          "It lasts over reboots, until the time of --until= or until 'lfactl unhold'. What the same image had, or\n"
          "all together, it replaces. --until= takes " TIME_TEXT_FORMS "." },
        { "unhold", "[IMAGE...]", "Let activations go on that were paused", 0, ANY_NUMBER, verb_unhold,
          "With names what holds these images alone ends, without any what holds all together; 'lfactl status'\n"
          "shows both. lfad itself pauses all activations when the host restarted during one: look into that first." },
        { "clear-quarantine", "IMAGE", "Allow a version again that went wrong too often", 1, 1,
          verb_clear_quarantine,
          "What went wrong with the version that is pending does not count any more. Find out first why it\n"
          "went wrong: 'lfactl history --image=' and lfad's journal." },
        { "monitor", "", "Print what happens, a line each, until interrupted", 0, 0, verb_monitor, NULL },
        { "history", "", "Show what was activated, when and how it ended", 0, 0, verb_history,
          "One line a job; --long shows every record with all its keys. --json gives the records as they\n"
          "are, all of them unless --lines= says how many. --since= and --until= take\n" TIME_TEXT_FORMS
          "." },
        { "inhibit", "[COMMAND...]", "Hold activations back while a command runs", 0, ANY_NUMBER,
          verb_inhibit,
          "Write COMMAND and its arguments behind two dashes. Exits as it does: 128 and the signal's number when\n"
          "a signal ended it, 127 when there is no such command, 126 when it cannot be run. Signals are left to\n"
          "COMMAND: lfactl waits for its end in any case. Without COMMAND, or with --list, shows who holds\n"
          "activations back." },
        { "watchdog", "", "Show whether the hardware watchdogs outlast an activation", 0, 0, verb_watchdog,
          "USABLE is the stall that a watchdog outlasts for sure, NEED the longest that an activation may\n"
          "take with this version of the driver." },
        { "refresh", "", "Have lfad read the driver's tree again", 0, 0, verb_refresh, NULL },
        { "reload", "", "Have lfad read its configuration again", 0, 0, verb_reload,
          "When the files have an error, lfad keeps what it had; 'lfactl config check' lists all errors." },
        { "calendar", "EXPRESSION", "Show when a calendar expression elapses", 1, 1, verb_calendar,
          "The next moments in UTC and in the expression's time zone; where it names none, in that of TimeZone= in\n"
          "the configuration files. --base-time= takes now, +2h, @SECONDS, \"2026-12-31 23:59[:59]\", or another\n"
          "expression, whose next elapse is meant. Needs no lfad.",
          .local = true },
        { "config", "check|show", "Check the configuration files, or show what they come to", 1, 1,
          verb_config,
          "Both read the files themselves, as lfad would at its start, and need no lfad.\n"
          "check: prints each error and warning with file and line; exit code 1 when there is an error.\n"
          "show: prints every value, and the file and line that it comes from.",
          .local = true },
        { NULL, NULL, NULL, 0, 0, NULL, NULL },
};

static const Verb *find_verb(const char *name) {
        for (const Verb *verb = verbs; verb->name; verb++)
                if (strcmp(verb->name, name) == 0)
                        return verb;
        return NULL;
}

static ExitCode fail_usage(Client *client, const char *message, const char *hint) {
        return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS, hint, "%s", message);
}

static ExitCode fail_unknown_verb(Client *client, const char *name) {
        const char *names[G_N_ELEMENTS(verbs)] = { NULL };
        const char *nearest;
        g_autofree char *message = g_strdup_printf("There is no verb '%s'.", name);
        g_autofree char *hint = NULL;

        for (size_t i = 0; verbs[i].name; i++)
                names[i] = verbs[i].name;
        nearest = nearest_word(name, names);
        hint = nearest ? g_strdup_printf("Did you mean '%s'?", nearest)
                       : g_strdup("'lfactl --help' lists the verbs.");
        return fail_usage(client, message, hint);
}

static ExitCode check_arguments(Client *client, const Verb *verb, int argc) {
        g_autofree char *message = NULL, *hint = NULL;

        if (argc >= verb->min_arguments &&
            (verb->max_arguments == ANY_NUMBER || argc <= verb->max_arguments))
                return EXIT_DONE;
        message = g_strdup_printf(argc < verb->min_arguments ? "'%s' needs to know which: %s."
                                  : *verb->arguments         ? "'%s' takes one argument: %s."
                                                             : "'%s' takes no arguments%s.",
                                  verb->name, verb->arguments);
        hint = *verb->arguments && !verb->local
                               ? g_strdup("'lfactl list' shows the images.")
                               : g_strdup_printf("'lfactl %s --help' tells more.", verb->name);
        return fail_usage(client, message, hint);
}

static ExitCode run_verb(Client *client, const Verb *verb, int argc, char **argv) {
        ExitCode code = check_arguments(client, verb, argc);

        if (code == EXIT_DONE && !verb->local)
                code = client_connect(client);
        if (code == EXIT_DONE && !verb->local)
                warnings_show(client);
        if (code == EXIT_DONE)
                code = verb->run(client, argc, argv);
        return code;
}

/* argv: the verb, if any, and its arguments. */
static ExitCode run(Client *client, int argc, char **argv) {
        static const Verb overview = { "status", "", "", 0, 0, verb_overview, NULL };
        const Verb *verb = argc > 0 ? find_verb(argv[0]) : NULL;

        if (client->options->version) {
                puts("lfactl " LFAD_VERSION);
                return EXIT_DONE;
        }
        if (argc > 0 && !verb)
                return fail_unknown_verb(client, argv[0]);
        if (client->options->help) {
                if (verb)
                        help_print_verb(verb);
                else
                        help_print(verbs);
                return EXIT_DONE;
        }
        if (!verb)
                return run_verb(client, &overview, 0, NULL);
        return run_verb(client, verb, argc - 1, argv + 1);
}

/* With --json there is a document for every verb but monitor, whatever happened. */
static void print_document(Client *client, ExitCode code) {
        if (!client->document || !client_json(client) || client->options->help || client->options->version)
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
        sd_bus_flush_close_unref(client.bus);
        g_free(error.message);
        g_free(error.hint);
        return (int) code;
}
