/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lfactl can do: a file per verb. Each function gets a connected client and the verb's arguments (not
 * the verb itself), reports its own failures and returns the exit code. */

#include "ctl/client.h"

#define VERB_ANY_NUMBER (-1)
#define VERBS_MAX 64

typedef ExitCode (*VerbFunction)(Client *client, int argc, char **argv);

/* One verb, for running it and for the help. */
typedef struct Verb {
        const char *name;
        const char *arguments; /* for the help; "" when there are none */
        const char *summary;   /* NULL: not for people, and not in the help */
        int min_arguments;
        int max_arguments; /* or VERB_ANY_NUMBER */
        VerbFunction run;
        const char *details; /* a paragraph for the verb's own help */
        bool local;          /* needs no lfad */
        bool connects;       /* by itself: that lfad does not answer is no failure */
        VerbFunction check; /* whether options and arguments go together, before lfad is asked; NULL: always */
} Verb;

/* NULL-named at the end; at most VERBS_MAX. */
extern const Verb verb_rows[];

/* NULL when there is none of this name. */
const Verb *verb_find(const char *name);

ExitCode verb_overview(Client *client, int argc, char **argv); /* lfactl without a verb */
ExitCode verb_status(Client *client, int argc, char **argv);
ExitCode verb_list(Client *client, int argc, char **argv);
ExitCode verb_show(Client *client, int argc, char **argv);
ExitCode verb_activate_check(Client *client, int argc, char **argv);
ExitCode verb_activate(Client *client, int argc, char **argv);
ExitCode verb_explain(Client *client, int argc, char **argv);
ExitCode verb_cancel(Client *client, int argc, char **argv);
ExitCode verb_hold_check(Client *client, int argc, char **argv);
ExitCode verb_hold(Client *client, int argc, char **argv);
ExitCode verb_unhold(Client *client, int argc, char **argv);
ExitCode verb_clear_quarantine(Client *client, int argc, char **argv);
ExitCode verb_plan(Client *client, int argc, char **argv);
ExitCode verb_monitor(Client *client, int argc, char **argv);
ExitCode verb_history(Client *client, int argc, char **argv);
ExitCode verb_inhibit_check(Client *client, int argc, char **argv);
ExitCode verb_inhibit(Client *client, int argc, char **argv);
ExitCode verb_watchdog(Client *client, int argc, char **argv);
ExitCode verb_metrics(Client *client, int argc, char **argv); /* connects */
ExitCode verb_refresh(Client *client, int argc, char **argv);
ExitCode verb_reload(Client *client, int argc, char **argv);
ExitCode verb_calendar(Client *client, int argc, char **argv); /* local */
ExitCode verb_config(Client *client, int argc, char **argv);   /* local */
ExitCode verb_complete(Client *client, int argc, char **argv); /* local */
ExitCode verb_help(Client *client, int argc, char **argv);     /* local */
