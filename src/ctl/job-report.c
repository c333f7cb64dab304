/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a job stands and its outcome as one line, and as JSON. */

#include "ctl/job-report.h"

#include "ctl/advice.h"
#include "ctl/bus-value.h"
#include "ctl/output.h"
#include "ctl/policy-time.h"

#include <string.h>

void job_report_to_document(Client *client, const Job *job) {
        json_object_object_add(job->properties, "Path", json_object_new_string(job->path));
        json_document_append(client->document, "jobs", json_object_get(job->properties));
}

char *job_report_state(GTimeZone *zone, const Job *job) {
        uint64_t now = (uint64_t) g_get_real_time();
        g_autofree char *age = output_span(job->queued > 0 && job->queued < now ? now - job->queued : 0);
        bool waits = strcmp(job->state, "waiting") == 0;
        g_autofree char *deadline = policy_time_in_both(
                        zone, waits ? bus_value_uint(job->properties, "DeadlineTimestamp") : 0);

        return g_strdup_printf("%s%s%s, asked for %s ago%s%s", job->state, *deadline ? " until " : "",
                               deadline, age, *job->message ? ": " : "", job->message);
}

/* What is worth knowing beyond the message, or NULL. */
static const char *choose_hint(const Job *job) {
        const char *hint = advice_for_error(job->error);

        if (hint && !strstr(job->message, hint))
                return hint;
        return advice_for_result(job->result);
}

static void print_hint(const Job *job) {
        bool went_wrong = strcmp(job->result, "failed") == 0 || strcmp(job->result, "unknown") == 0;
        const char *hint = choose_hint(job), *guide = went_wrong ? "See lfad-operations(7)." : NULL;

        if (hint || guide)
                output_note("Hint: %s%s%s", hint ? hint : "", hint && guide ? " " : "", guide ? guide : "");
}

/* How long the CPUs stood still for it; nothing when they did not, or nobody measured. */
static void print_blackout(const Job *job) {
        uint64_t count = bus_value_uint(job->properties, "BlackoutCount");
        g_autofree char *longest = output_span(bus_value_uint(job->properties, "BlackoutUSec"));
        g_autofree char *sum = output_span(bus_value_uint(job->properties, "BlackoutSumUSec"));

        if (count == 1)
                output_print(COLOUR_NONE, " (blackout: %s)", longest);
        else if (count > 1)
                output_print(COLOUR_NONE, " (%" G_GUINT64_FORMAT " blackouts: at most %s, together %s)",
                             count, longest, sum);
}

static void print_outcome(const Job *job, const char *label) {
        const char *result = *job->result ? job->result : "unknown";
        g_autofree char *why = advice_error_and_code(job->error, job->firmware_code);

        output_print(COLOUR_NONE, "%s: %s %s %s: ", label, output_or_dash(job->from_version), output_arrow(),
                     output_or_dash(job->to_version));
        output_print(output_state_colour(result), "%s", result);
        if (*why)
                output_print(COLOUR_NONE, ", %s", why);
        if (*job->message)
                output_print(COLOUR_NONE, ": %s", job->message);
        print_blackout(job);
        putchar('\n');
}

ExitCode job_report_outcome(Client *client, const Job *job, const char *label) {
        const char *reason = advice_for_firmware_code(job->firmware_code);

        if (client_json(client))
                job_report_to_document(client, job);
        else
                print_outcome(job, label);
        if (reason && !strstr(job->message, reason))
                output_note("%s: %s", job->firmware_code, reason);
        print_hint(job);
        return exit_code_from_result(job->result, job->error);
}
