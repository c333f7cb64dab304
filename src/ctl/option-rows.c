/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of options. */

#include "ctl/option-values.h"
#include "ctl/policy-time.h"

#define FIELD(name) .field = offsetof(Options, name)
#define FLAG(name) .read = option_read_true, FIELD(name)
#define NO_FLAG(name) .read = option_read_false, FIELD(name)
#define TEXT(name) .read = option_read_text, FIELD(name)

const OptionRow option_rows[] = {
        /* of every verb */
        { "help", 'h', NULL, NULL, "Show this help; after a verb, that verb's", FLAG(help) },
        { "version", 0, NULL, NULL, "Show lfactl's version", FLAG(version) },
        { "json", 0, "[=MODE]", NULL, "JSON instead of text: pretty (as without MODE), short or off",
          .read = option_read_json, .words = "pretty short off" },
        { "host", 'H', "WHERE", NULL, "Ask lfad on [USER@]HOST[:PORT][/CONTAINER], over ssh",
          .read = option_read_filled, FIELD(host), .takes = "[USER@]HOST[:PORT][/CONTAINER]" },
        { "machine", 'M', "CONTAINER", NULL, "Ask lfad in a local container", .read = option_read_filled,
          FIELD(machine), .takes = "the name of a container" },
        { "no-legend", 0, NULL, NULL, "No headings over tables, no remarks under them", NO_FLAG(legend) },
        { "no-ask-password", 0, NULL, NULL, "Never ask for a password", NO_FLAG(ask_password) },

        /* the terms of an activation */
        { "expect-current", 0, "VERSION", "activate explain", "Refuse unless this version runs now",
          TEXT(expect_current) },
        { "expect-pending", 0, "VERSION", "activate explain", "Refuse unless this version is pending",
          TEXT(expect_pending) },
        { "reason", 0, "TEXT", "activate explain hold unhold clear-quarantine",
          "Why, for the history and whoever asks; hold: needed", TEXT(reason) },
        { "request-id", 0, "ID", "activate",
          "A name for this request: asked again under it, it is the same job", TEXT(request_id) },
        { "pending", 0, NULL, "activate", "All images that are pending, instead of names", FLAG(pending) },
        { "when-allowed", 0, "[=DEADLINE]", "activate", "Wait for gates that defer, at most until then",
          .read = option_read_when_allowed, FIELD(deadline), .takes = POLICY_MOMENT_FORMS },
        { "override", 0, "GATES", "activate explain",
          "Pass over these gates (with commas between); needs --reason", .read = option_read_texts,
          FIELD(overrides), .takes = "names of gates, a few: 'lfactl explain --long' shows them" },
        { "unattended", 0, NULL, "activate explain",
          "Nobody looks on: mind this host's slot, and whether its clock is right", FLAG(unattended) },
        { "dry-run", 0, NULL, "activate", "Explain what would be answered; do nothing", FLAG(dry_run) },
        { "at", 0, "TIME", "explain", "Judged as of then", .read = option_read_moment, FIELD(at),
          .takes = POLICY_MOMENT_FORMS },
        { "authorize", 0, NULL, "explain", "Ask polkit too, without a password", FLAG(authorize) },
        { "no-block", 0, NULL, "activate", "Do not wait; print the job's number", NO_FLAG(block) },

        /* history, and what others share with it */
        { "lines", 'n', "N", "history", "The newest N only (20), or 'all'", .read = option_read_lines,
          FIELD(lines), .max = UINT32_MAX, .takes = "a number from 1 on, or 'all'" },
        { "long", 0, NULL, "history explain", "Every record, with all that it holds; explain: every gate",
          FLAG(long_view) },
        { "image", 0, "IMAGE", "history inhibit", "Of this image only; inhibit: several times for several",
          .read = option_read_texts, FIELD(images), .takes = "an image; 65 of them are too many" },
        { "job", 0, "NUMBER", "history", "Of this job only", .read = option_read_number, FIELD(job),
          .max = UINT32_MAX, .takes = "the number of a job" },
        { "type", 0, "TYPE", "history", "Records of this type only; as --long shows them", TEXT(type),
          .words = "queued started finished settled external vanished setting-applied hold unhold quarantine-cleared" },
        { "since", 0, "TIME", "history", "Not older than this", .read = option_read_past, FIELD(since),
          .takes = POLICY_PAST_FORMS },
        { "until", 0, "TIME", "history hold plan",
          "Not newer than this; hold: so long; plan: look ahead so far", .read = option_read_until,
          FIELD(until), .takes = POLICY_MOMENT_FORMS },

        /* the verbs that need no lfad */
        { "root", 0, "DIR", "config calendar", "Read the files below DIR instead of /", TEXT(root) },
        { "iterations", 0, "N", "calendar", "So many elapses (5)", .read = option_read_number,
          FIELD(iterations), .max = ITERATIONS_MAX, .takes = "a number from 1 to 1000" },
        { "base-time", 0, "TIME", "calendar", "Those after this moment, instead of now", TEXT(base_time) },

        { "output", 0, "FILE", "metrics", "Replace this file as a whole, instead of printing",
          .read = option_read_filled, FIELD(output), .takes = "the path of a file" },

        /* inhibit */
        { "why", 0, "TEXT", "inhibit", "What activations would disturb; needed", TEXT(why) },
        { "who", 0, "TEXT", "inhibit", "Who holds them back (the command)", TEXT(who) },
        { "mode", 0, "MODE", "inhibit", "block (refuse them) or delay (be told before)",
          .read = option_read_word, FIELD(inhibit_mode), .words = "block delay" },
        { "list", 0, NULL, "inhibit", "Show who holds activations back", FLAG(list) },
        { NULL },
};
