/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gathering what the gates judge. */

#include "core/enum-names.h"
#include "core/profile.h"
#include "daemon/quarantine.h"
#include "util/macros.h"

/* How long a job waits for a tree that does not settle. */
#define SETTLE_PATIENCE_USEC (10 * USEC_PER_SEC)
/* How many of the images that must go first are named; the rest is counted. */
#define FIRST_NAMED_MAX 3

static bool repeats(const Image *image) {
        return image->repeat && strcmp(image->last_to, image->values.pending_version) == 0;
}

uint64_t manager_learned_need_usec(const Manager *manager, const Image *image) {
        return state_learned_need_usec(manager->state, image->values.guid, manager->profile);
}

bool image_is_waited_for(const Image *image) {
        return image->present && order_waits_for(&image->values, repeats(image));
}

/* done: GUIDs of those that will have gone, NULL = none. */
static GPtrArray *list_waited_for(const Manager *manager, GPtrArray *done) {
        GPtrArray *guids = g_ptr_array_new();
        GHashTableIter iterator;
        void *value;

        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value)) {
                Image *image = value;

                if (image_is_waited_for(image) &&
                    !(done && g_ptr_array_find_with_equal_func(done, image->values.guid, g_str_equal, NULL)))
                        g_ptr_array_add(guids, image->values.guid);
        }
        return guids;
}

/* Whether it is worth a word why this one has not gone; "" when it is only pending. */
static const char *describe_waited_for(const Image *image) {
        if (image->values.pending < 0 || image->values.capable < 0 || image->values.may_reset_cpu < 0)
                return "unreadable";
        return image_has_failed(image) ? job_result_to_string(image->last_result) : "";
}

static void describe_first(const Manager *manager, const GPtrArray *first, GateFacts *facts) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (unsigned i = 0; i < first->len && i < FIRST_NAMED_MAX; i++) {
                const Image *image = manager_find_image(manager, first->pdata[i]);
                const char *alias = image_alias(image), *why = describe_waited_for(image);

                g_string_append_printf(text, "%s%s%s%s%s", i > 0 ? ", " : "",
                                       *alias ? alias : image->values.guid, *why ? " (" : "", why,
                                       *why ? ")" : "");
        }
        if (first->len > FIRST_NAMED_MAX)
                g_string_append_printf(text, " and %u more", first->len - FIRST_NAMED_MAX);
        g_strlcpy(facts->must_go_first, text->str, sizeof(facts->must_go_first));
}

static bool all_have_jobs(const Manager *manager, const GPtrArray *guids) {
        for (unsigned i = 0; i < guids->len; i++)
                if (!manager_find_queued_job_of_image(manager, guids->pdata[i]))
                        return false;
        return true;
}

/* A call may queue behind the jobs of those that must go first; a job whose turn has come has nobody before
 * it any more. */
static void gather_order(const Manager *manager, const Image *image, const Job *job, GPtrArray *done,
                         GateFacts *facts) {
        g_autoptr(GPtrArray) waited_for = NULL, first = NULL;

        if (order_is_empty(manager->config->order))
                return;
        waited_for = list_waited_for(manager, done);
        first = order_find_first(manager->config->order, image->values.guid, waited_for);
        facts->first_are_under_way = !job && all_have_jobs(manager, first);
        describe_first(manager, first, facts);
}

/* A pause that is younger than the job comes first: an override does not reach it. */
static void gather_hold(const Manager *manager, const Image *image, GateFacts *facts) {
        uint64_t accepted_usec = facts->terms.accepted_usec;

        if (accepted_usec > 0)
                facts->hold = state_find_hold_since(manager->state, image->values.guid,
                                                    clock_realtime(manager->clock), accepted_usec);
        facts->hold_is_newer = facts->hold != NULL;
        if (!facts->hold)
                facts->hold = manager_find_hold(manager, image->values.guid);
}

/* A call tries to write an end that is not on disk, a job does not begin before it is. */
static void gather_state(const Manager *manager, const Job *job, GateFacts *facts) {
        facts->state_error = job ? manager_records_error(manager, &facts->state_text)
                                 : manager_state_error(manager, &facts->state_text);
}

static void gather_inhibitors(const Manager *manager, const Image *image, GateFacts *facts) {
        unsigned more;
        const Inhibitor *first =
                        inhibitors_find_first(manager->inhibitors, INHIBIT_BLOCK, image->values.guid, &more);

        if (!first)
                return;
        facts->inhibitor_who = first->who;
        facts->inhibitor_why = first->why;
        facts->inhibitors_more = more;
}

/* A raise that is possible counts as allowed: whether it helps shows when the guard is taken. */
static void gather_watchdogs(const Manager *manager, const Image *image, const Job *job, GateFacts *facts) {
        const WatchdogReading *reading = watchdogs_last(manager->watchdogs, 0);
        const char *refusal = job ? guard_watchdog_refusal(manager->guard) : NULL;
        int error = watchdogs_error(manager->watchdogs);
        g_autoptr(WatchdogPlan) plan = NULL;

        if (refusal) {
                g_strlcpy(facts->watchdog_refusal, refusal, sizeof(facts->watchdog_refusal));
                return;
        }
        if (envelope_is_held(manager->envelope))
                return;
        if (error < 0) {
                g_snprintf(facts->watchdog_refusal, sizeof(facts->watchdog_refusal),
                           "The watchdogs cannot be read: %s.", g_strerror(-error));
                return;
        }
        if (!reading)
                return;
        plan = watchdog_plan_new(reading, watchdog_need_usec(manager->profile),
                                 manager_learned_need_usec(manager, image), false, config_watchdog_settings,
                                 manager->config);
        if (plan->action == WATCHDOG_ACTION_REFUSE)
                g_strlcpy(facts->watchdog_refusal, plan->refusal, sizeof(facts->watchdog_refusal));
}

static void gather(const Manager *manager, const Image *image, const Job *job, const ActivationTerms *terms,
                   const GateMoment *moment, GateFacts *ret) {
        *ret = (GateFacts){
                .configuration_error = manager->config_error,
                .driver_state = manager->driver_state,
                .profile = manager->profile,
                .images_lost = manager->images_lost,
                .profile_allowed_by_configuration =
                                profile_is_allowed_by(manager->profile, manager->config->allowed_profiles),
                .image = image->present ? &image->values : NULL,
                .terms = *terms,
                .activation_running =
                                manager->foreign_activation || (manager->current && manager->current != job),
                .now_usec = clock_monotonic(manager->clock),
                .tree_stable_since_usec = manager->tree_stable_since_usec,
                .settle_usec = manager->tree_stable_since_usec > 0 ? manager->config->settle_usec : 0,
                .settle_deadline_usec = job && job->taken_up_usec > 0
                                                        ? job->taken_up_usec + SETTLE_PATIENCE_USEC
                                                        : UINT64_MAX,
                .quarantine = image_find_quarantine(image),
                .quarantine_after = manager->config->quarantine_after,
                .activated_without_effect = repeats(image),
                .auto_activate_stuck = image->settings[SETTING_AUTO_ACTIVATE].stuck,
                .auto_activate_clearing = manager->set_worker && manager->set_id == SETTING_AUTO_ACTIVATE &&
                                          strcmp(manager->set_guid, image->values.guid) == 0,
                .auto_activate_left = image->values.auto_activate == 1 &&
                                      !image_setting_differs(image, SETTING_AUTO_ACTIVATE),
                .rendezvous_differs = image_setting_differs(image, SETTING_FORCE_CPU_RENDEZVOUS),
                .system = *host_facts(manager->host),
                .rendezvous_stuck = image->settings[SETTING_FORCE_CPU_RENDEZVOUS].stuck,
        };
        gather_state(manager, job, ret);
        gather_hold(manager, image, ret);
        ret->system.lock_refused = job && guard_lock_refused(manager->guard);
        gather_inhibitors(manager, image, ret);
        gather_order(manager, image, job, NULL, ret);
        gather_watchdogs(manager, image, job, ret);
        gather_schedule(manager, image, job, moment, ret);
}

static const GateMoment right_now = { 0 };

/* The latest of those that defer: before it none of them all lets it pass. 0 = not known. */
static uint64_t find_not_before(const GateVerdict verdicts[static _GATE_MAX]) {
        uint64_t latest = 0;

        for (int i = 0; i < _GATE_MAX; i++) {
                if (verdicts[i].answer == GATE_DENY ||
                    (verdicts[i].answer == GATE_DEFER && verdicts[i].not_before_usec == 0))
                        return 0;
                if (verdicts[i].answer == GATE_DEFER)
                        latest = MAX(latest, verdicts[i].not_before_usec);
        }
        return latest;
}

/* What would refuse anybody now; what a caller expects, and what passes within seconds, is none of it. */
void image_evaluate(Manager *manager, Image *image) {
        const ActivationTerms none = { 0 };
        GateVerdict verdicts[_GATE_MAX];
        unsigned blockers = 0;
        GateFacts facts;

        gather(manager, image, NULL, &none, &right_now, &facts);
        gates_run(&facts, verdicts);
        for (int i = 0; i < _GATE_MAX; i++)
                if (verdicts[i].answer == GATE_DENY || verdicts[i].answer == GATE_DEFER)
                        blockers |= 1U << i;
        image->evaluated_usec = clock_realtime(manager->clock);
        image->not_before_usec = find_not_before(verdicts);
        image->next_change_usec = image_next_schedule_change(manager, image, &facts);
        scheduler_look_again(manager->scheduler);
        if (image->blockers == blockers)
                return;
        image->blockers = blockers;
        image_changed(manager, image, IMAGE_PROPERTY_BLOCKERS);
}

void images_evaluate_order(Manager *manager) {
        if (!order_is_empty(manager->config->order))
                images_evaluate(manager);
}

void images_evaluate(Manager *manager) {
        GHashTableIter iterator;
        void *value;

        manager_update_windows(manager);
        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value)) {
                Image *image = value;

                if (image->present)
                        image_evaluate(manager, image);
        }
        scheduler_look_again(manager->scheduler);
}

/* What passes by itself within seconds will have passed, and holds with an end may have ended. */
void manager_foresee_gates(Manager *manager, const Image *image, const ActivationTerms *terms,
                           const ForesightQuestion *question, GateVerdict verdicts[static _GATE_MAX]) {
        const GateMoment moment = { .at_usec = question->at_usec,
                                    .last_activation_usec = question->last_activation_usec };
        GateFacts facts;

        gather(manager, image, NULL, terms, &moment, &facts);
        facts.activation_running = false;
        facts.settle_usec = 0;
        facts.hold = state_find_hold(manager->state, image->values.guid, question->at_usec);
        gather_order(manager, image, NULL, question->done, &facts);
        gates_run(&facts, verdicts);
}

void manager_explain_gates(Manager *manager, Image *image, const ActivationTerms *terms, uint64_t at_usec,
                           GateVerdict verdicts[static _GATE_MAX]) {
        ForesightQuestion question = { .guid = image->values.guid, .at_usec = at_usec };

        if (at_usec > clock_realtime(manager->clock))
                manager_foresee_gates(manager, image, terms, &question, verdicts);
        else
                manager_run_gates(manager, image, NULL, terms, verdicts);
}

void manager_run_gates(Manager *manager, Image *image, const Job *job, const ActivationTerms *terms,
                       GateVerdict verdicts[static _GATE_MAX]) {
        GateFacts facts;

        gather(manager, image, job, terms, &right_now, &facts);
        gates_run(&facts, verdicts);
}
