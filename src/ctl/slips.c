/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables of slips. */

#include "ctl/slips.h"

#include "ctl/verbs.h"
#include "util/guid.h"
#include "util/known-guids.h"
#include "util/nearest.h"

#include <glib.h>
#include <string.h>

typedef struct SlipRow {
        const char *words; /* with blanks between */
        const char *hint;  /* %s, if any: what was written */
} SlipRow;

#define DID_YOU_MEAN(what) "Did you mean '" what "'?"

/* Words of systemctl, fwupdmgr and others. */
static const SlipRow verb_rows_of_others[] = {
        { "start run update upgrade apply install switch live-activate enable restart try-restart reactivate",
          DID_YOU_MEAN("lfactl activate") },
        { "stop abort kill", DID_YOU_MEAN("lfactl cancel") },
        { "info describe details cat get-details property", DID_YOU_MEAN("lfactl show") },
        { "ls images devices get-devices get-updates list-units list-images", DID_YOU_MEAN("lfactl list") },
        { "log logs journal get-history get-results results", DID_YOU_MEAN("lfactl history") },
        { "pause suspend mask disable freeze", DID_YOU_MEAN("lfactl hold") },
        { "resume continue unpause unmask thaw release", DID_YOU_MEAN("lfactl unhold") },
        { "why check can-activate dry-run simulate test", DID_YOU_MEAN("lfactl explain") },
        { "schedule timers list-timers next windows window when upcoming", DID_YOU_MEAN("lfactl plan") },
        { "watch follow events tail", DID_YOU_MEAN("lfactl monitor") },
        { "scan rescan probe poll reread", DID_YOU_MEAN("lfactl refresh") },
        { "daemon-reload reexec daemon-reexec", DID_YOU_MEAN("lfactl reload") },
        { "reset-failed reset clear unquarantine unblock", DID_YOU_MEAN("lfactl clear-quarantine") },
        { "block delay lock inhibitors list-inhibitors", DID_YOU_MEAN("lfactl inhibit") },
        { "watchdogs wd", DID_YOU_MEAN("lfactl watchdog") },
        { "validate verify configtest", DID_YOU_MEAN("lfactl config check") },
        { "settings options conf", DID_YOU_MEAN("lfactl config show") },
        { "force override", "'lfactl activate --override=GATES' passes over what can be passed over." },
        { "list-jobs jobs", DID_YOU_MEAN("lfactl status") },
        { "version", DID_YOU_MEAN("lfactl --version") },
        { "stage download rollback downgrade",
          "lfactl does not stage firmware: fwupd or a vendor's tool does that; see 'lfactl list' afterwards." },
        { NULL, NULL },
};

static const SlipRow option_rows_of_others[] = {
        { "--force -f", "'lfactl explain' tells which gates --override can pass over." },
        { "--all -a", "--pending activates all that is pending; 'lfactl list' shows all in any case." },
        { "--yes -y --assume-yes", "lfactl does not ask back: leave it out." },
        { "--now", "It is done now in any case: leave it out." },
        { "--wait --block", "It is waited for in any case; --no-block does not wait." },
        { "--no-pager --full -l", "Nothing is cut and no pager is run: leave it out." },
        { "--follow", DID_YOU_MEAN("lfactl monitor") },
        { "--verbose -v", "'lfactl show' and 'lfactl history --long' tell everything." },
        { "--output --format -o -j", "--json shows JSON." },
        { "--dry --simulate --what-if --check", "Did you mean --dry-run?" },
        { "--unit -u --device --guid", "Did you mean --image?" },
        { "--message -m --comment", "Did you mean --reason?" },
        { "--user --system", "There is one lfad, on the system bus: leave it out." },
        { "--remote --ssh", "Did you mean --host?" },
        { "--container", "Did you mean --machine?" },
        { NULL, NULL },
};

/* What a verb cannot take may be what another one is for. */
static const SlipRow argument_rows[] = {
        { "history", "Write --image=%s for one image." },
        { "list refresh", "'lfactl show %s' shows one image." },
        { "plan", "'lfactl explain %s' tells about one image." },
        { "calendar", "Put the expression in quotes: lfactl calendar \"Sat 03:30\"." },
        { "explain cancel clear-quarantine", "One at a time, please." },
        { NULL, NULL },
};

static const SlipRow missing_rows[] = {
        { "cancel", "'lfactl status' shows jobs that run or wait." },
        { "calendar", "Write for example: lfactl calendar \"Sat,Sun 03:30\"." },
        { "config", "'lfactl config check' looks for errors, 'lfactl config show' shows every value." },
        { NULL, NULL },
};

static char *look_up(const SlipRow *rows, const char *word, const char *written) {
        for (; rows->words; rows++) {
                g_auto(GStrv) words = g_strsplit(rows->words, " ", -1);
                const char *place = strstr(rows->hint, "%s");

                if (!g_strv_contains((const char *const *) words, word))
                        continue;
                if (!place)
                        return g_strdup(rows->hint);
                return g_strdup_printf("%.*s%s%s", (int) (place - rows->hint), rows->hint, written,
                                       place + 2);
        }
        return NULL;
}

static bool is_image(const char *word) {
        return guid_is_valid(word) || known_guid_find_alias(word);
}

static char *nearest_verb(const char *word) {
        const char *names[VERBS_MAX + 1] = { NULL };
        const char *nearest;

        for (size_t i = 0, n = 0; verb_rows[i].name; i++)
                if (verb_rows[i].summary)
                        names[n++] = verb_rows[i].name;
        nearest = nearest_word(word, names);
        return nearest ? g_strdup_printf("Did you mean '%s'?", nearest) : NULL;
}

char *slip_verb_hint(const char *word, const Options *options) {
        char *hint = look_up(verb_rows_of_others, word, word);

        if (!hint && options->json != JSON_OFF && json_mode_from_string(word) >= 0)
                hint = g_strdup_printf("Write --json=%s.", word);
        if (!hint && is_image(word))
                hint = g_strdup_printf("Say what is to be done with it: 'lfactl show %s'.", word);
        return hint ? hint : nearest_verb(word);
}

char *slip_option_hint(const char *option) {
        return look_up(option_rows_of_others, option, option);
}

char *slip_argument_hint(const char *verb, const char *argument) {
        return look_up(argument_rows, verb, argument);
}

char *slip_missing_hint(const char *verb) {
        return look_up(missing_rows, verb, "");
}
