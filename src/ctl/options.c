/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the command line with getopt_long, and saying what is wrong with it. */

#include "ctl/options.h"

#include "ctl/policy-time.h"
#include "ctl/time-text.h"
#include "util/nearest.h"

#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <string.h>

/* getopt_long's values for long options, past every character. */
#define OPTION_BASE 256

typedef enum OptionId {
        OPTION_HELP,
        OPTION_VERSION,
        OPTION_JSON,
        OPTION_NO_LEGEND,
        OPTION_NO_ASK_PASSWORD,
        OPTION_EXPECT_CURRENT,
        OPTION_EXPECT_PENDING,
        OPTION_REASON,
        OPTION_REQUEST_ID,
        OPTION_PENDING,
        OPTION_WHEN_ALLOWED,
        OPTION_OVERRIDE,
        OPTION_UNATTENDED,
        OPTION_DRY_RUN,
        OPTION_AT,
        OPTION_AUTHORIZE,
        OPTION_NO_BLOCK,
        OPTION_LINES,
        OPTION_LONG,
        OPTION_IMAGE,
        OPTION_JOB,
        OPTION_TYPE,
        OPTION_SINCE,
        OPTION_UNTIL,
        OPTION_ROOT,
        OPTION_ITERATIONS,
        OPTION_BASE_TIME,
        OPTION_WHY,
        OPTION_WHO,
        OPTION_MODE,
        OPTION_LIST,
        _OPTION_MAX,
} OptionId;

G_STATIC_ASSERT(_OPTION_MAX <= 64); /* masks of them */

const OptionRow option_rows[] = {
        [OPTION_HELP] = { "help", NULL, NULL, "Show this help (-h); after a verb, that verb's" },
        [OPTION_VERSION] = { "version", NULL, NULL, "Show lfactl's version" },
        [OPTION_JSON] = { "json", "MODE", NULL, "JSON instead of text: pretty, short or off" },
        [OPTION_NO_LEGEND] = { "no-legend", NULL, NULL, "No headings over tables, no remarks under them" },
        [OPTION_NO_ASK_PASSWORD] = { "no-ask-password", NULL, NULL, "Never ask for a password" },
        [OPTION_EXPECT_CURRENT] = { "expect-current", "VERSION", "activate explain",
                                    "Refuse unless this version runs now" },
        [OPTION_EXPECT_PENDING] = { "expect-pending", "VERSION", "activate explain",
                                    "Refuse unless this version is pending" },
        [OPTION_REASON] = { "reason", "TEXT", "activate explain hold unhold clear-quarantine",
                            "Why, for the history and whoever asks; hold: needed" },
        [OPTION_REQUEST_ID] = { "request-id", "ID", "activate",
                                "A name for this request: asked again under it, it is the same job" },
        [OPTION_PENDING] = { "pending", NULL, "activate", "All images that are pending, instead of names" },
        [OPTION_WHEN_ALLOWED] = { "when-allowed", "[=DEADLINE]", "activate",
                                  "Wait for gates that defer, at most until then" },
        [OPTION_OVERRIDE] = { "override", "GATES", "activate explain",
                              "Pass over these gates (with commas between); needs --reason" },
        [OPTION_UNATTENDED] = { "unattended", NULL, "activate explain",
                                "Nobody looks on: mind this host's slot, and whether its clock is right" },
        [OPTION_DRY_RUN] = { "dry-run", NULL, "activate", "Explain what would be answered; do nothing" },
        [OPTION_AT] = { "at", "TIME", "explain", "Judged as of then" },
        [OPTION_AUTHORIZE] = { "authorize", NULL, "explain", "Ask polkit too, without a password" },
        [OPTION_NO_BLOCK] = { "no-block", NULL, "activate", "Do not wait; print the job's object path" },
        [OPTION_LINES] = { "lines", "N", "history", "The newest N only (20), or 'all'" },
        [OPTION_LONG] = { "long", NULL, "history", "Every record, with all that it holds" },
        [OPTION_IMAGE] = { "image", "IMAGE", "history inhibit",
                           "Of this image only; inhibit: several times for several" },
        [OPTION_JOB] = { "job", "NUMBER", "history", "Of this job only" },
        [OPTION_TYPE] = { "type", "TYPE", "history", "Records of this type only; as --long shows them" },
        [OPTION_SINCE] = { "since", "TIME", "history", "Not older than this" },
        [OPTION_UNTIL] = { "until", "TIME", "history hold plan",
                           "Not newer than this; hold: so long; plan: look ahead so far" },
        [OPTION_ROOT] = { "root", "DIR", "config calendar", "Read the files below DIR instead of /" },
        [OPTION_ITERATIONS] = { "iterations", "N", "calendar", "So many elapses (5)" },
        [OPTION_BASE_TIME] = { "base-time", "TIME", "calendar", "Those after this moment, instead of now" },
        [OPTION_WHY] = { "why", "TEXT", "inhibit", "What activations would disturb; needed" },
        [OPTION_WHO] = { "who", "TEXT", "inhibit", "Who holds them back (the command)" },
        [OPTION_MODE] = { "mode", "MODE", "inhibit", "block (refuse them) or delay (be told before)" },
        [OPTION_LIST] = { "list", NULL, "inhibit", "Show who holds activations back" },
        [_OPTION_MAX] = { NULL },
};

static int read_lines(const char *text, Options *options) {
        guint64 lines;

        if (strcmp(text, "all") == 0)
                options->lines = LINES_ALL;
        else if (g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT, &lines, NULL))
                options->lines = (unsigned) lines;
        else
                return -EINVAL;
        options->lines_given = true;
        return 0;
}

static int read_iterations(const char *text, unsigned *ret) {
        guint64 number;

        if (!g_ascii_string_to_unsigned(text, 10, 1, ITERATIONS_MAX, &number, NULL))
                return -EINVAL;
        *ret = (unsigned) number;
        return 0;
}

static int read_job(const char *text, uint32_t *ret) {
        guint64 number;

        if (!g_ascii_string_to_unsigned(text, 10, 1, UINT32_MAX, &number, NULL))
                return -EINVAL;
        *ret = (uint32_t) number;
        return 0;
}

static int read_time(const char *text, uint64_t *ret) {
        return time_text_parse(text, (uint64_t) g_get_real_time(), ret);
}

/* The options about an activation's terms. */
static int apply_terms(OptionId id, const char *value, Options *options) {
        switch (id) {
        case OPTION_WHEN_ALLOWED:
                options->when_allowed = true;
                options->deadline = value;
                return value ? policy_moment_guess(value, NULL) : 0;
        case OPTION_UNATTENDED:
                options->unattended = true;
                return 0;
        case OPTION_OVERRIDE:
                if (options->n_overrides >= G_N_ELEMENTS(options->overrides))
                        return -EINVAL;
                options->overrides[options->n_overrides++] = value;
                return *value ? 0 : -EINVAL;
        default:
                return -EINVAL;
        }
}

/* The options of history alone. */
static int apply_history(OptionId id, const char *value, Options *options) {
        switch (id) {
        case OPTION_LINES:
                return read_lines(value, options);
        case OPTION_LONG:
                options->long_view = true;
                return 0;
        case OPTION_IMAGE:
                if (options->n_images >= G_N_ELEMENTS(options->images))
                        return -EINVAL;
                options->images[options->n_images++] = options->image = value;
                return 0;
        case OPTION_JOB:
                return read_job(value, &options->job);
        case OPTION_TYPE:
                options->type = value;
                return 0;
        case OPTION_SINCE:
                return read_time(value, &options->since);
        case OPTION_UNTIL:
                options->until_text = value;
                return read_time(value, &options->until) >= 0 ? 0
                                                              : policy_moment_guess(value, &options->until);
        default:
                return apply_terms(id, value, options);
        }
}

/* The options of the verbs that need no lfad. */
static int apply_local(OptionId id, const char *value, Options *options) {
        switch (id) {
        case OPTION_ROOT:
                options->root = value;
                return 0;
        case OPTION_ITERATIONS:
                return read_iterations(value, &options->iterations);
        case OPTION_BASE_TIME:
                options->base_time = value;
                return 0;
        default:
                return apply_history(id, value, options);
        }
}

/* The options of inhibit. */
static int apply_inhibit(OptionId id, const char *value, Options *options) {
        switch (id) {
        case OPTION_WHY:
                options->why = value;
                return 0;
        case OPTION_WHO:
                options->who = value;
                return 0;
        case OPTION_MODE:
                options->mode = value;
                return strcmp(value, "block") == 0 || strcmp(value, "delay") == 0 ? 0 : -EINVAL;
        case OPTION_LIST:
                options->list = true;
                return 0;
        default:
                return apply_local(id, value, options);
        }
}

/* Returns -EINVAL when the option's value makes no sense. */
static int apply(OptionId id, const char *value, Options *options) {
        switch (id) {
        case OPTION_HELP:
                options->help = true;
                return 0;
        case OPTION_VERSION:
                options->version = true;
                return 0;
        case OPTION_JSON: {
                JsonMode mode = json_mode_from_string(value);

                if (mode < 0)
                        return -EINVAL;
                options->json = mode;
                return 0;
        }
        case OPTION_NO_LEGEND:
                options->legend = false;
                return 0;
        case OPTION_NO_ASK_PASSWORD:
                options->ask_password = false;
                return 0;
        case OPTION_EXPECT_CURRENT:
                options->expect_current = value;
                return 0;
        case OPTION_EXPECT_PENDING:
                options->expect_pending = value;
                return 0;
        case OPTION_REASON:
                options->reason = value;
                return 0;
        case OPTION_NO_BLOCK:
                options->block = false;
                return 0;
        case OPTION_REQUEST_ID:
                options->request_id = value;
                return 0;
        case OPTION_PENDING:
                options->pending = true;
                return 0;
        case OPTION_DRY_RUN:
                options->dry_run = true;
                return 0;
        case OPTION_AT:
                options->at = value;
                return policy_moment_guess(value, NULL);
        case OPTION_AUTHORIZE:
                options->authorize = true;
                return 0;
        default:
                return apply_inhibit(id, value, options);
        }
}

static const char *describe_values(OptionId id) {
        switch (id) {
        case OPTION_JSON:
                return "It takes pretty, short or off.";
        case OPTION_LINES:
                return "It takes a number from 1 on, or 'all'.";
        case OPTION_ITERATIONS:
                return "It takes a number from 1 to 1000.";
        case OPTION_JOB:
                return "It takes the number of a job.";
        case OPTION_MODE:
                return "It takes block or delay.";
        case OPTION_IMAGE:
                return "There are too many of them.";
        case OPTION_OVERRIDE:
                return "It takes names of gates, a few: 'lfactl explain' shows them.";
        case OPTION_AT:
        case OPTION_UNTIL:
        case OPTION_WHEN_ALLOWED:
                return "It takes " POLICY_MOMENT_FORMS ".";
        default:
                return "It takes " TIME_TEXT_FORMS ".";
        }
}

static void explain_bad_value(OptionId id, const char *value, UsageError *ret_error) {
        ret_error->message =
                        g_strdup_printf("--%s=%s makes no sense.", option_rows[id].name, value ? value : "");
        ret_error->hint = g_strdup(describe_values(id));
}

bool option_belongs_to(const OptionRow *row, const char *verb) {
        g_auto(GStrv) verbs = g_strsplit(row->verbs ? row->verbs : "", " ", -1);

        return g_strv_contains((const char *const *) verbs, verb);
}

static const OptionRow *find_option(const char *name) {
        for (const OptionRow *row = option_rows; row->name; row++)
                if (strcmp(row->name, name) == 0)
                        return row;
        return NULL;
}

/* For what getopt_long answered with '?': a value too many, or no such option. */
static void explain_unknown(const char *argument, UsageError *ret_error) {
        const char *names[_OPTION_MAX + 1] = { NULL };
        g_autofree char *name = g_strndup(argument, strcspn(argument, "="));
        const char *bare = name + strspn(name, "-"), *nearest;

        if (find_option(bare)) {
                ret_error->message = g_strdup_printf("--%s takes no value.", bare);
                ret_error->hint = g_strdup_printf("Write --%s alone.", bare);
                return;
        }
        for (size_t i = 0; i < _OPTION_MAX; i++)
                names[i] = option_rows[i].name;
        nearest = nearest_word(bare, names);
        ret_error->message = g_strdup_printf("There is no option '%s'.", name);
        ret_error->hint = nearest ? g_strdup_printf("Did you mean --%s?", nearest)
                                  : g_strdup("'lfactl --help' lists the options.");
}

static void explain_missing_value(const char *argument, UsageError *ret_error) {
        const OptionRow *row = find_option(argument + strspn(argument, "-"));

        ret_error->message = g_strdup_printf("%s needs a value.", argument);
        ret_error->hint = row ? g_strdup_printf("Write --%s=%s.", row->name, row->value) : NULL;
}

/* Each option must be one that the verb takes; the verb itself is checked elsewhere. */
static int check_verb(const char *verb, uint64_t given, UsageError *ret_error) {
        for (size_t i = 0; i < _OPTION_MAX; i++) {
                const OptionRow *row = &option_rows[i];

                if (!(given & UINT64_C(1) << i) || !row->verbs || (verb && option_belongs_to(row, verb)))
                        continue;
                ret_error->message = verb ? g_strdup_printf("'%s' does not take --%s.", verb, row->name)
                                          : g_strdup_printf("--%s needs a verb.", row->name);
                ret_error->hint = g_strdup_printf("It belongs to 'lfactl %.*s'.",
                                                  (int) strcspn(row->verbs, " "), row->verbs);
                return -EINVAL;
        }
        return 0;
}

static int check_encoding(int argc, char **argv, UsageError *ret_error) {
        bool runs_command = false;

        for (int i = 1; i < argc; i++) {
                /* what is behind goes to no bus, and names of files may be anything */
                if (runs_command && strcmp(argv[i], "--") == 0)
                        break;
                runs_command |= strcmp(argv[i], "inhibit") == 0;
                if (!g_utf8_validate(argv[i], -1, NULL)) {
                        ret_error->message = g_strdup_printf("'%s' is not valid UTF-8.", argv[i]);
                        return -EINVAL;
                }
        }
        return 0;
}

/* What getopt_long stumbled over. Within "-xyz" optind does not point behind it yet, but optopt tells. */
static char *unknown_option(char **argv) {
        if (optopt > 0 && optopt < OPTION_BASE)
                return g_strdup_printf("-%c", optopt);
        return g_strdup(argv[optind - 1]);
}

static int argument_of(const OptionRow *row) {
        return !row->value ? no_argument : *row->value == '[' ? optional_argument : required_argument;
}

static int parse_all(int argc, char **argv, Options *options, uint64_t *given, UsageError *ret_error) {
        struct option long_options[_OPTION_MAX + 1] = { 0 };
        int c;

        for (int i = 0; i < _OPTION_MAX; i++)
                long_options[i] = (struct option){
                        .name = option_rows[i].name,
                        .has_arg = argument_of(&option_rows[i]),
                        .val = OPTION_BASE + i,
                };
        opterr = 0;
        while ((c = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
                if (c == '?') {
                        g_autofree char *culprit = unknown_option(argv);

                        explain_unknown(culprit, ret_error);
                        return -EINVAL;
                }
                if (c == ':') {
                        explain_missing_value(argv[optind - 1], ret_error);
                        return -EINVAL;
                }
                c = c == 'h' ? OPTION_HELP : c - OPTION_BASE;
                if (apply((OptionId) c, optarg, options) < 0) {
                        explain_bad_value((OptionId) c, optarg, ret_error);
                        return -EINVAL;
                }
                *given |= UINT64_C(1) << c;
        }
        return 0;
}

int options_parse(int argc, char **argv, Options *ret_options, int *ret_first, UsageError *ret_error) {
        uint64_t given = 0;
        int r;

        *ret_options = (Options){ .legend = true,
                                  .ask_password = true,
                                  .block = true,
                                  .lines = LINES_DEFAULT,
                                  .iterations = ITERATIONS_DEFAULT,
                                  .mode = "block" };
        r = check_encoding(argc, argv, ret_error);
        if (r < 0)
                return r;
        r = parse_all(argc, argv, ret_options, &given, ret_error);
        if (r < 0)
                return r;
        *ret_first = optind;
        if (ret_options->help || ret_options->version)
                return 0;
        return check_verb(optind < argc ? argv[optind] : NULL, given, ret_error);
}
