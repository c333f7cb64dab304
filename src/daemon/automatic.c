/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Automatic mode: who is asked about, asking the gates, asking for activations. */

#include "daemon/automatic.h"
#include "daemon/log-fields.h"
#include "daemon/plan.h"

static const ActivationTerms automatic_terms = { .unattended = true, .automatic = true };
static const char switched_off[] = "Automatic mode was switched off.";

static bool is_candidate(const Manager *manager, const char *guid) {
        return config_find_mode(manager->config, guid) == POLICY_AUTOMATIC &&
               !manager_find_job_of_image(manager, guid);
}

/* What was foreseen is not what decides. */
static bool may_go(Manager *manager, Image *image, const ActivationTerms *terms) {
        GateVerdict verdicts[_GATE_MAX];

        manager_run_gates(manager, image, NULL, terms, verdicts);
        return gates_find_refusal(verdicts) == NULL;
}

/* It waits for what comes in its way until the window closes. */
static void ask_for(Manager *manager, Image *image, uint32_t batch) {
        uint64_t now = clock_realtime(manager->clock), start, end;
        const char *window = plan_find_window(manager->config, manager->state, manager->schedule.host_id,
                                              image->values.guid, now);
        g_autofree char *reason = g_strdup_printf("Automatic mode, window %s", window);
        const Requester self = { .uid = 0, .unit = "lfad.service" };
        JobRequest request = {
                .guid = image->values.guid,
                .from = image->values.current_version,
                .to = image->values.pending_version,
                .requester = &self,
                .reason = reason,
                .request_id = "",
                .terms = automatic_terms,
                .batch = batch,
                .when_allowed = true,
                .deadline_given = true,
        };
        Job *job;
        int r;

        if (!may_go(manager, image, &request.terms) ||
            !schedule_find_opening(manager->config, image->values.guid, now, 0, &start, &end))
                return;
        request.deadline_usec = end;
        r = manager_submit(manager, &request, &job);
        if (r < 0)
                log_detail(LOG_WARNING, image_fields(image),
                           "Automatic mode cannot ask for the activation of %s: %s", image->values.guid,
                           g_strerror(-r));
}

static bool is_unwanted(const Manager *manager, const Job *job) {
        return job->terms.automatic && !job_is_done(job) &&
               config_find_mode(manager->config, job->guid) != POLICY_AUTOMATIC;
}

/* Nobody wants them any more. One whose write has begun is past that. */
static void cancel_unwanted(Manager *manager) {
        g_autoptr(GPtrArray) jobs = manager_list_unstarted_jobs(manager);
        Job *current = manager->current;

        for (unsigned i = 0; i < jobs->len; i++)
                if (is_unwanted(manager, jobs->pdata[i]))
                        job_finish(jobs->pdata[i], RESULT_CANCELLED, LFA_ERROR_CANCELLED, switched_off,
                                   NULL);
        if (current && current->state == JOB_GUARDING && is_unwanted(manager, current))
                activation_abandon(current, RESULT_CANCELLED, LFA_ERROR_CANCELLED, switched_off);
}

/* Those that may ask when nobody else has: in their order. */
static GArray *foresee(Manager *manager, uint64_t now) {
        g_autoptr(GPtrArray) guids = manager_list_pending(manager);
        GArray *foresights = g_array_new(FALSE, TRUE, sizeof(Foresight));

        for (unsigned i = 0; i < guids->len; i++) {
                Foresight foresight = { .guid = guids->pdata[i] };

                if (is_candidate(manager, foresight.guid))
                        g_array_append_val(foresights, foresight);
        }
        foresight_run((Foresight *) (void *) foresights->data, foresights->len, now,
                      now + PLAN_SPAN_MAX_USEC, manager_judge_automatic, manager);
        return foresights;
}

static void set_next_planned(Manager *manager, uint64_t usec) {
        if (manager->next_planned_usec == usec)
                return;
        manager->next_planned_usec = usec;
        manager->observer->manager_changed(MANAGER_PROPERTY_NEXT_PLANNED, manager->userdata);
}

void automatic_run(Manager *manager) {
        uint64_t now = clock_realtime(manager->clock), planned = UINT64_MAX;
        g_autoptr(GArray) foresights = NULL;
        uint32_t batch = 0;

        cancel_unwanted(manager);
        foresights = foresee(manager, now);
        manager->automatic_next_usec = UINT64_MAX;
        for (unsigned i = 0; i < foresights->len; i++) {
                const Foresight *foresight = &g_array_index(foresights, Foresight, i);

                if (foresight->outcome == FORESEEN_START && foresight->at_usec <= now) {
                        if (batch == 0)
                                batch = ++manager->last_batch;
                        ask_for(manager, manager_find_image(manager, foresight->guid), batch);
                        continue;
                }
                if (foresight->outcome == FORESEEN_START)
                        planned = MIN(planned, foresight->at_usec);
                if (foresight->outcome == FORESEEN_START || foresight->outcome == FORESEEN_LATER)
                        manager->automatic_next_usec = MIN(manager->automatic_next_usec, foresight->at_usec);
        }
        set_next_planned(manager, planned == UINT64_MAX ? 0 : planned);
}

uint64_t automatic_next_moment(const Manager *manager, uint64_t now_usec) {
        return manager->automatic_next_usec > now_usec ? manager->automatic_next_usec : UINT64_MAX;
}
