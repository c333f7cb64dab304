/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for a job with everything that may end the waiting. */

#include "ctl/job-follow.h"

#include "ctl/job-report.h"
#include "ctl/output.h"
#include "lfa/bus-names.h"

#include <string.h>

/* People are told its number in words. */
static void add_to_document(Client *client, const char *path, const char *guid) {
        json_object *job = json_object_new_object();

        json_object_object_add(job, "Path", json_object_new_string(path));
        json_object_object_add(job, "Guid", json_object_new_string(guid));
        json_document_append(client->document, "jobs", job);
}

void job_follow_tell_other(const Inventory *before, const char *path, const char *guid, const char *label) {
        const Job *other = inventory_find_active_job(before, guid);

        /* the same one: it was asked for under the same request id */
        if (!other || strcmp(other->state, "waiting") != 0 || strcmp(other->path, path) == 0)
                return;
        output_note("%s: job %u for it waits already, and this is another one. 'lfactl cancel %u' ends the older one.",
                    label, other->id, other->id);
}

void job_follow_not(Client *client, const char *path, const char *guid, const char *label) {
        const char *id = strrchr(path, '/') + 1;

        if (client_json(client))
                add_to_document(client, path, guid);
        else
                output_line("%s: job %s was accepted; 'lfactl monitor' follows it, 'lfactl cancel %s' asks it to stop, "
                            "'lfactl history --job=%s' tells how it ended.",
                            label, id, id, id);
}

static ExitCode report_interrupted(Client *client, const char *path, const char *guid, const char *label) {
        const char *id = strrchr(path, '/') + 1;
        g_autofree char *hint =
                        g_strdup_printf("'lfactl status' and 'lfactl monitor' follow it, 'lfactl history' "
                                        "tells how it ended, 'lfactl cancel %s' asks it to stop.",
                                        id);

        add_to_document(client, path, guid);
        return client_fail(client, EXIT_UNKNOWN, "interrupted", hint,
                           "Stopped waiting for %s: job %s goes on.", label, id);
}

static ExitCode report_lost(Client *client, const char *path, const char *guid, const char *label) {
        const char *id = strrchr(path, '/') + 1;

        add_to_document(client, path, guid);
        return client_fail(client, EXIT_UNKNOWN, LFA_ERROR_PREFIX "Unknown",
                           "'systemctl status lfad' tells about lfad; once it runs, 'lfactl history' tells "
                           "how the job ended. Do not activate again before that.",
                           "lfad has not told how job %s ended: what became "
                           "of %s is not known.",
                           id, label);
}

ExitCode job_follow(Client *client, JobWait *wait, const char *path, const char *guid, const char *label) {
        _cleanup_(job_freep) Job *job = NULL;
        int r = job_wait_run(wait, path, label, &job);

        if (r < 0) {
                add_to_document(client, path, guid);
                client_fail_call(client, NULL, r, "Cannot wait for job %s of %s", strrchr(path, '/') + 1,
                                 label);
                return EXIT_UNKNOWN;
        }
        switch ((WaitEnd) r) {
        case WAIT_INTERRUPTED:
                return report_interrupted(client, path, guid, label);
        case WAIT_ENDED:
                return job_report_outcome(client, job, label);
        default:
                return report_lost(client, path, guid, label);
        }
}
