/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of verbs. */

#include "ctl/policy-time.h"
#include "ctl/verbs.h"

#include <string.h>

const Verb verb_rows[] = {
        { "status", "[IMAGE...]", "Show lfad, the driver, the images and what needs attention", 0,
          VERB_ANY_NUMBER, verb_status,
          "Of the images alone that are named it shows what 'lfactl show' does." },
        { "list", "", "List the images", 0, 0, verb_list, NULL },
        { "show", "IMAGE...", "Show all that is known about images", 1, VERB_ANY_NUMBER, verb_show, NULL },
        { "activate", "IMAGE...", "Make staged firmware run now, and wait for the outcome", 0,
          VERB_ANY_NUMBER, verb_activate,
          "Several images are activated one after the other. The rest is left alone after a result other\n"
          "than succeeded, unverified or refused. Ctrl-C ends the waiting, not the activation. If lfad\n"
          "leaves the bus meanwhile, it is given 60 seconds to come back (LFACTL_RETURN_SEC in the\n"
          "environment changes that).\n"
          "--expect-current= and --expect-pending= with an empty version mean that firmware gives none.\n"
          "--pending asks for all images that are pending at once: lfad puts them in order, and cancels the\n"
          "rest after a bad result. --dry-run does what 'lfactl explain' does.\n"
          "--when-allowed has lfad wait where a gate defers (a window is closed, ...): until a time, or as long\n"
          "as its configuration says. The job goes on without lfactl. All images are asked for at once then.",
          .check = verb_activate_check },
        { "explain", "IMAGE", "Tell whether it would be activated now, and why not", 1, 1, verb_explain,
          "Shows the verdict, then each gate that does not simply allow it, with its own; --long shows every gate.\n"
          "The exit code is that of 'lfactl activate' as far as it can be foreseen. OVERRIDE tells whether a\n"
          "caller could have a gate passed over.\n"
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
        { "hold", "[IMAGE...]", "Pause activations of these images, or of all", 0, VERB_ANY_NUMBER,
          verb_hold,
          "It lasts over reboots, until the time of --until= or until 'lfactl unhold'. What the same image had, or\n"
          "all together, it replaces. --until= takes " POLICY_MOMENT_FORMS ".",
          .check = verb_hold_check },
        { "unhold", "[IMAGE...]", "Let activations go on that were paused", 0, VERB_ANY_NUMBER, verb_unhold,
          "With names what holds these images alone ends, without any what holds all together; 'lfactl status'\n"
          "shows both. lfad itself pauses all activations when the host restarted during one: look into that first." },
        { "clear-quarantine", "IMAGE", "Allow a version again that went wrong too often", 1, 1,
          verb_clear_quarantine,
          "What went wrong with the version that is pending does not count any more. Find out first why it\n"
          "went wrong: 'lfactl history --image=' and lfad's journal." },
        { "monitor", "", "Print what happens, a line each, until interrupted", 0, 0, verb_monitor, NULL },
        { "history", "", "Show what was activated, when and how it ended", 0, 0, verb_history,
          "One line a job; --long shows every record with all its keys. --json gives the records as they\n"
          "are, all of them unless --lines= says how many. --since= and --until= take\n" POLICY_PAST_FORMS
          ",\nin the time zone of the policy." },
        { "inhibit", "[COMMAND...]", "Hold activations back while a command runs", 0, VERB_ANY_NUMBER,
          verb_inhibit,
          "Write COMMAND and its arguments behind two dashes. Exits as it does: 128 and the signal's number when\n"
          "a signal ended it, 127 when there is no such command, 126 when it cannot be run. Signals are left to\n"
          "COMMAND: lfactl waits for its end in any case. Without COMMAND, or with --list, shows who holds\n"
          "activations back.",
          .check = verb_inhibit_check },
        { "watchdog", "", "Show whether the hardware watchdogs outlast an activation", 0, 0, verb_watchdog,
          "USABLE is the stall that a watchdog outlasts for sure, NEED the longest that an activation may\n"
          "take with this version of the driver." },
        { "metrics", "", "Print numbers about lfad for a monitoring system", 0, 0, verb_metrics,
          "OpenMetrics text, for the textfile collector of Prometheus' node_exporter; lfad-metrics.timer writes it\n"
          "regularly with --output=. Does not start lfad: while it does not run, or does not answer, lfad_up is 0\n"
          "and what is not known is left out.",
          .connects = true },
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
        { "help", "[VERB]", "Show a help", 0, 1, verb_help, NULL, .local = true },
        { "complete", "WORD...", NULL, 1, VERB_ANY_NUMBER, verb_complete, NULL, .local = true },
        { NULL, NULL, NULL, 0, 0, NULL, NULL },
};

const Verb *verb_find(const char *name) {
        for (const Verb *verb = verb_rows; verb->name; verb++)
                if (strcmp(verb->name, name) == 0)
                        return verb;
        return NULL;
}
