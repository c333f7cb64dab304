/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gathering what the gates judge. */

#include "core/profile.h"
#include "daemon/manager.h"
#include "util/macros.h"

/* How long a job waits for a tree that does not settle. */
#define SETTLE_PATIENCE_USEC (10 * USEC_PER_SEC)

static bool repeats(const Image *image) {
        return image->repeat && strcmp(image->last_to, image->values.pending_version) == 0;
}

static void gather(const Manager *manager, const Image *image, const Job *job,
                   const Expectations *expectations, GateFacts *ret) {
        *ret = (GateFacts){
                .configuration_error = manager->config_error,
                .driver_state = manager->driver_state,
                .profile = manager->profile,
                .images_lost = manager->images_lost,
                .profile_allowed_by_configuration =
                                profile_is_allowed_by(manager->profile, manager->config->allowed_profiles),
                .image = image->present ? &image->values : NULL,
                .expected_current = expectations->current,
                .expected_pending = expectations->pending,
                .activation_running =
                                manager->foreign_activation || (manager->current && manager->current != job),
                .now_usec = clock_monotonic(manager->clock),
                .tree_stable_since_usec = manager->tree_stable_since_usec,
                .settle_usec = manager->tree_stable_since_usec > 0 ? manager->config->settle_usec : 0,
                .settle_deadline_usec = job && job->taken_up_usec > 0
                                                        ? job->taken_up_usec + SETTLE_PATIENCE_USEC
                                                        : UINT64_MAX,
                .activated_without_effect = repeats(image),
                .auto_activate_stuck = image->settings[SETTING_AUTO_ACTIVATE].stuck,
                .auto_activate_clearing = manager->set_worker && manager->set_id == SETTING_AUTO_ACTIVATE,
                .auto_activate_left = image->values.auto_activate == 1 &&
                                      !image_setting_differs(image, SETTING_AUTO_ACTIVATE),
                .rendezvous_differs = image_setting_differs(image, SETTING_FORCE_CPU_RENDEZVOUS),
                .rendezvous_stuck = image->settings[SETTING_FORCE_CPU_RENDEZVOUS].stuck,
        };
}

/* What would refuse anybody now; what a caller expects, and what passes within seconds, is none of it. */
void image_evaluate(Manager *manager, Image *image) {
        const Expectations none = { 0 };
        GateVerdict verdicts[_GATE_MAX];
        unsigned blockers = 0;
        GateFacts facts;

        gather(manager, image, NULL, &none, &facts);
        gates_run(&facts, verdicts);
        for (int i = 0; i < _GATE_MAX; i++)
                if (verdicts[i].answer == GATE_DENY)
                        blockers |= 1U << i;
        image->evaluated_usec = clock_realtime(manager->clock);
        if (image->blockers == blockers)
                return;
        image->blockers = blockers;
        image_changed(manager, image, IMAGE_PROPERTY_BLOCKERS);
}

void manager_explain_gates(Manager *manager, Image *image, const Expectations *expectations,
                           uint64_t at_usec, GateVerdict verdicts[static _GATE_MAX]) {
        GateFacts facts;

        gather(manager, image, NULL, expectations, &facts);
        /* What passes by itself within seconds will have passed. */
        if (at_usec > clock_realtime(manager->clock)) {
                facts.activation_running = false;
                facts.settle_usec = 0;
        }
        gates_run(&facts, verdicts);
}

void manager_run_gates(Manager *manager, Image *image, const Job *job, const Expectations *expectations,
                       GateVerdict verdicts[static _GATE_MAX]) {
        GateFacts facts;

        gather(manager, image, job, expectations, &facts);
        gates_run(&facts, verdicts);
}
