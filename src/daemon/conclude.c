/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From evidence to the record: the verdict of an activation, and what is remembered of it. */

#include "daemon/conclude.h"
#include "core/enum-names.h"
#include "core/profile.h"
#include "core/verdict.h"
#include "daemon/driver.h"
#include "daemon/log-fields.h"

/* What the worker saw right before the write, and would not write to. */
static char *describe_change(const Job *job, const ImageValues *before) {
        if (image_values_look_stale(before))
                return g_strdup("Right before the write the driver was dropping the image.");
        if (before->pending != 1)
                return g_strdup("Right before the write nothing was pending any more.");
        if (before->capable != 1)
                return g_strdup("Right before the write the image was not capable of activation any more.");
        if (before->may_reset_cpu != 0)
                return g_strdup("Right before the write the image showed that it may reset CPUs.");
        if (before->auto_activate == 1)
                return g_strdup("Right before the write the kernel's auto_activate was on.");
        return g_strdup_printf(
                        "Right before the write the image showed current %s, pending %s; authorised was %s to %s.",
                        version_known(before->current_version) ? before->current_version : "none",
                        version_known(before->pending_version) ? before->pending_version : "none",
                        version_known(job->from) ? job->from : "none",
                        version_known(job->to) ? job->to : "none");
}

/* The driver has one errno for whatever firmware says: ECANCELED, though nobody has cancelled anything. Where
 * firmware's own code is known that would only mislead. */
static char *describe_errno(const Verdict *verdict, const ActivationReport *report) {
        if (report->reason.code != FIRMWARE_CODE_NONE)
                return g_strdup(error_text(verdict->error));
        return g_strdup_printf("%s The driver said: %s.", error_text(verdict->error),
                               g_strerror(report->error));
}

static char *describe(const Job *job, const Verdict *verdict, const ActivationReport *report) {
        const char *from = version_known(job->from) ? job->from : "none";
        const Image *image = images_remember(job->manager, job->guid);
        const char *after = report ? report->after.current_version : image->values.current_version;
        const char *pending = report ? report->before.pending_version : job->to;

        switch (verdict->row) {
        case VERDICT_NOTHING_WRITTEN:
                if (!report)
                        break;
                if (verdict->result == RESULT_REFUSED)
                        return describe_change(job, &report->before);
                return describe_errno(verdict, report);
        case VERDICT_VERSION_MOVED:
                if (verdict->result == RESULT_SUCCEEDED)
                        return g_strdup_printf("Version %s runs, was %s.", after, from);
                return g_strdup_printf("Version %s runs, was %s; pending had been %s.", after, from,
                                       pending);
        case VERDICT_PENDING_FELL:
                if (version_known(after) && strcmp(after, pending) != 0)
                        return g_strdup_printf(
                                        "The driver accepted and nothing is pending any more, but it shows "
                                        "version %s still: it may have failed to read its inventory, which a "
                                        "later success or binding it again makes good.",
                                        after);
                return g_strdup("The driver accepted and nothing is pending any more; no version proves it.");
        case VERDICT_PENDING_STAYED:
                if (verdict->result == RESULT_UNVERIFIED)
                        return g_strdup("The driver accepted; firmware still reports the image as pending.");
                return g_strdup("The driver reported success, which proves nothing on this version of it; the image is "
                                "still pending.");
        case VERDICT_REFUSED:
        case VERDICT_UNPROVEN:
                if (report && report->error > 0)
                        return describe_errno(verdict, report);
                break;
        default:
                break;
        }
        return g_strdup(error_text(verdict->error));
}

/* The message with what firmware said, when that explains the result. */
static char *describe_with_reason(const Job *job, const Verdict *verdict, const ActivationReport *report) {
        char *message = describe(job, verdict, report), *longer;
        FirmwareCode code = report ? report->reason.code : FIRMWARE_CODE_NONE;

        if (code == FIRMWARE_CODE_NONE || verdict->result == RESULT_SUCCEEDED)
                return message;
        longer = g_strdup_printf("%s %s gave %s: %s %s", message,
                                 report->reason.call == FIRMWARE_CALL_PRIME ? "PRIME" : "ACTIVATE",
                                 firmware_code_to_string(code), firmware_code_meaning(code),
                                 firmware_code_advice(code));
        g_free(message);
        return longer;
}

static json_object *finished_record(const Job *job, const Verdict *verdict, const ActivationReport *report) {
        json_object *record = job_record(job);

        json_add_u64(record, "verdict-row", (uint64_t) verdict->row);
        if (verdict->repeat)
                json_object_object_add(record, "repeat", json_object_new_boolean(true));
        if (verdict->row != VERDICT_NOTHING_WRITTEN && job_outlasted_window(job)) {
                log_event(LFA_MESSAGE_WINDOW_OUTLASTED, job_fields(job),
                          "Job %u: its window closed during the activation, which was not cut off.",
                          job->id);
                json_object_object_add(record, "window-closed", json_object_new_boolean(true));
        }
        if (!report)
                return record;
        json_add_u64(record, "errno", (uint64_t) report->error);
        json_add_u64(record, "attempts", report->attempts);
        if (report->stage == STAGE_WRITE) {
                json_add_string(record, "profile", driver_profile_to_string(report->profile));
                json_add_string(record, "version-after", report->after.current_version);
                if (report->after.pending >= 0)
                        json_add_u64(record, "pending-after", (uint64_t) report->after.pending);
        }
        json_add_string(record, "firmware-call", firmware_call_to_string(report->reason.call));
        if (report->cancel_sent)
                json_add_u64(record, "cancel-errno", (uint64_t) report->cancel_error);
        return record;
}

static void remember_for_gates(Image *image, const Job *job, const Verdict *verdict,
                               const ActivationReport *report) {
        image->repeat = verdict->repeat;
        if (verdict->row != VERDICT_NOTHING_WRITTEN)
                image->unsettled_job = verdict_is_open(verdict->result, report ? report->after.pending : -1,
                                                       report ? report->after.current_version : "", job->to)
                                                       ? job->id
                                                       : 0;
        if (report && report->stage == STAGE_WRITE && report->error == 0 && report->after.pending == 0)
                image->pending_fell_before = true;
}

/* The worker's own reading is the freshest there is: who is told of the job's end finds the new version. */
static void publish_values(Manager *manager, const ActivationReport *report) {
        if (!report || report->stage != STAGE_WRITE || report->gone || report->stale)
                return;
        images_update_one(manager, &report->after);
}

/* Only some versions of the driver refuse a second activation. */
static void note_evidence(Manager *manager, const ActivationReport *report) {
        if (report->attempts > 1 || report->error == EBUSY || report->error == EAGAIN)
                driver_note_evidence(manager, EVIDENCE_BUSY);
}

static void conclude(Job *job, const ActivationReport *report, const ImageValues *seen, bool other_boot) {
        Manager *manager = job->manager;
        Image *image = images_remember(manager, job->guid);
        bool another_runs = manager->current && manager->current != job; /* both found at start */
        VerdictFacts facts = {
                .other_boot = other_boot,
                .report = report,
                .seen = seen,
                .from = job->from,
                .to = job->to,
                .log_names_prime = report && report->reason.call == FIRMWARE_CALL_PRIME,
                .pending_fell_before = image->pending_fell_before,
        };
        Verdict verdict = verdict_find(&facts);
        g_autofree char *message = describe_with_reason(job, &verdict, report);

        if (!other_boot)
                manager->tree_stable_since_usec = clock_monotonic(manager->clock);
        if (report && !other_boot)
                note_evidence(manager, report);
        publish_values(manager, report);
        remember_for_gates(image, job, &verdict, report);
        if (report && report->reason.lost)
                log_detail(LOG_NOTICE, job_fields(job),
                           "Job %u: the kernel's log was overwritten during the write; firmware's reason may be "
                           "missing.",
                           job->id);
        job_finish(job, verdict.result, verdict.error, message, finished_record(job, &verdict, report));
        guard_release(manager->guard, job);
        if (another_runs) /* it reads the tree when its own write is over */
                return;
        scanner_hold(manager->scanner, false);
        if (!manager->stopping) /* nobody would read it, and the next lfad would find its worker's copy of the lock */
                scanner_scan(manager->scanner);
}

static void on_read_again(int error, void *userdata) {
        Job *job = userdata;
        const Image *image = manager_find_image(job->manager, job->guid);

        if (error != -ECANCELED) /* lfad ends: the next one finds the job without an end, and asks again */
                conclude(job, NULL, error >= 0 && image ? &image->values : NULL, false);
}

void job_conclude(Job *job, const ActivationReport *report, bool other_boot) {
        Manager *manager = job->manager;

        job->worker = worker_process_free(job->worker);
        if (!manager->current || manager->current == job)
                manager->long_write_timer = sd_event_source_disable_unref(manager->long_write_timer);
        job_set_state(job, JOB_VERIFYING);
        if (report) {
                job->write_usec = report->write_usec;
                job->blackout = report->blackout;
                job->firmware_code = report->reason.code;
        }
        if (report || other_boot || (manager->current && manager->current != job)) {
                conclude(job, report, NULL, other_boot);
                return;
        }
        if (!manager->current) { /* found at start: nothing else may begin before it is judged */
                g_queue_remove(&manager->queue, job);
                manager->current = job;
        }
        scanner_hold(manager->scanner, false);
        (void) scanner_wait(manager->scanner, clock_monotonic(manager->clock), on_read_again, job);
}
