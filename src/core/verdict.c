/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verdict table: evidence in, result out. Names as in the documentation: c0 and c1 are current_version
 * before and after, e is pending_version before, p1 and q1 are activation_pending and pending_version after.
 */

#include "core/verdict.h"
#include "core/profile.h"

#include <errno.h>
#include <string.h>

/* What the driver showed, with the values of a stale image counted as absent. */
typedef struct Evidence {
        bool accepted;
        DriverProfile profile;
        const char *c0, *c1, *e, *q1; /* "" = absent */
        int p1;                       /* -1 = absent */
} Evidence;

static bool both_known(const char *a, const char *b) {
        return version_known(a) && version_known(b);
}

static bool both_known_and_equal(const char *a, const char *b) {
        return both_known(a, b) && strcmp(a, b) == 0;
}

static bool both_known_and_different(const char *a, const char *b) {
        return both_known(a, b) && strcmp(a, b) != 0;
}

/* The very version that was pending is pending still, and it is not the one that ran before. */
static bool still_pending_as_before(const Evidence *evidence) {
        return both_known_and_equal(evidence->q1, evidence->e) &&
               both_known_and_different(evidence->e, evidence->c0);
}

static bool no_versions(const Evidence *evidence) {
        return !version_known(evidence->c0) && !version_known(evidence->c1) && !version_known(evidence->e) &&
               !version_known(evidence->q1);
}

/* open failed, the driver was busy to the end, or its answer is one that it gives before it calls firmware
 */
static bool nothing_reached_firmware(const ActivationReport *report) {
        if (report->stage == STAGE_OPEN)
                return true;
        if (report->error == EBUSY || report->error == EAGAIN || report->error == ENODEV)
                return true;
        return report->error == EINVAL && profile_einval_is_refusal(report->profile);
}

static Evidence collect_evidence(const ActivationReport *report) {
        bool absent = report->gone || report->stale;

        return (Evidence){
                .accepted = report->error == 0,
                .profile = report->profile,
                .c0 = report->before.current_version,
                .e = report->before.pending_version,
                .c1 = absent ? "" : report->after.current_version,
                .q1 = absent ? "" : report->after.pending_version,
                .p1 = absent ? -1 : report->after.pending,
        };
}

static Verdict judge_moved_version(const Evidence *evidence) {
        bool as_wanted = !version_known(evidence->e) || strcmp(evidence->c1, evidence->e) == 0;

        return as_wanted ? (Verdict){ VERDICT_VERSION_MOVED, RESULT_SUCCEEDED, LFA_ERROR_NONE, false }
                         : (Verdict){ VERDICT_VERSION_MOVED, RESULT_FAILED, LFA_ERROR_UNEXPECTED_VERSION,
                                      false };
}

static Verdict judge_accepted(const Evidence *evidence) {
        bool unreliable = profile_success_unreliable(evidence->profile);

        if (evidence->p1 == 0)
                return (Verdict){ VERDICT_PENDING_FELL, RESULT_UNVERIFIED, LFA_ERROR_NONE, false };
        if (version_known(evidence->c0) && (still_pending_as_before(evidence) || unreliable))
                return (Verdict){ VERDICT_NO_EFFECT, RESULT_FAILED, LFA_ERROR_NO_EFFECT, false };
        if (unreliable)
                return (Verdict){ VERDICT_PENDING_STAYED, RESULT_UNKNOWN, LFA_ERROR_UNPROVEN, true };
        return (Verdict){ VERDICT_PENDING_STAYED, RESULT_UNVERIFIED, LFA_ERROR_NONE, true };
}

static Verdict judge_error(const Evidence *evidence, const VerdictFacts *facts) {
        /* Whatever else was seen: where nothing is pending any more, somebody activated it. */
        bool refused = evidence->p1 == 1 && (facts->log_names_prime || still_pending_as_before(evidence) ||
                                             (no_versions(evidence) && facts->pending_fell_before));

        return refused ? (Verdict){ VERDICT_REFUSED, RESULT_FAILED, LFA_ERROR_ACTIVATION_FAILED, false }
                       : (Verdict){ VERDICT_UNPROVEN, RESULT_UNKNOWN, LFA_ERROR_UNPROVEN, false };
}

/* A worker that died, or whose report was lost, leaves only what is seen now: a version that moved is proof
 * enough. */
static Verdict judge_without_report(const VerdictFacts *facts) {
        Evidence evidence = { .c0 = facts->from, .e = facts->to };

        if (facts->seen && !image_values_look_stale(facts->seen)) {
                evidence.c1 = facts->seen->current_version;
                if (both_known_and_different(evidence.c0, evidence.c1))
                        return judge_moved_version(&evidence);
        }
        return (Verdict){ VERDICT_NO_REPORT, RESULT_UNKNOWN, LFA_ERROR_NO_REPORT, false };
}

/* gone, stale or unreadable afterwards: an accepted activation is unverified, a refused one unknown */
static Verdict judge_unseen(const Evidence *evidence, VerdictRow row, ErrorId error) {
        return (Verdict){ row, evidence->accepted ? RESULT_UNVERIFIED : RESULT_UNKNOWN, error, false };
}

bool verdict_is_open(JobResult result, int pending_after, const char *version_after, const char *to) {
        if (result != RESULT_UNVERIFIED)
                return result == RESULT_UNKNOWN;
        return pending_after != 0 || (version_known(version_after) && strcmp(version_after, to) != 0);
}

Verdict verdict_find(const VerdictFacts *facts) {
        const ActivationReport *report = facts->report;
        Evidence evidence;

        if (facts->other_boot)
                return (Verdict){ VERDICT_OTHER_BOOT, RESULT_UNKNOWN, LFA_ERROR_HOST_RESTARTED, false };
        if (!report)
                return judge_without_report(facts);
        if (report->stage == STAGE_CHANGED)
                return (Verdict){ VERDICT_NOTHING_WRITTEN, RESULT_REFUSED,
                                  report->before.auto_activate == 1 ? LFA_ERROR_KERNEL_AUTO_ACTIVATE
                                                                    : LFA_ERROR_VERSION_CHANGED,
                                  false };
        if (nothing_reached_firmware(report))
                return (Verdict){ VERDICT_NOTHING_WRITTEN, RESULT_FAILED,
                                  error_from_attr_errno(report->error), false };

        evidence = collect_evidence(report);
        if (both_known_and_different(evidence.c0, evidence.c1))
                return judge_moved_version(&evidence);
        if (report->gone || report->stale)
                return judge_unseen(&evidence, VERDICT_GONE, LFA_ERROR_IMAGE_GONE);
        if (evidence.p1 < 0 || (!version_known(evidence.c1) && version_known(evidence.c0)))
                return judge_unseen(&evidence, VERDICT_UNREADABLE, LFA_ERROR_UNREADABLE);
        return evidence.accepted ? judge_accepted(&evidence) : judge_error(&evidence, facts);
}
