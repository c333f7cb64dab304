/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking ahead with what is known here: what is pending, in its order, and the gates as they would be. */

#include "daemon/plan.h"

GPtrArray *manager_list_pending(const Manager *manager) {
        GPtrArray *guids = g_ptr_array_new();
        GHashTableIter iterator;
        void *value;

        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value)) {
                Image *image = value;

                if (image->present && image->values.pending == 1)
                        g_ptr_array_add(guids, image->values.guid);
        }
        order_sort(manager->config->order, guids);
        return guids;
}

void manager_judge_automatic(const ForesightQuestion *question, GateVerdict verdicts[static _GATE_MAX],
                             void *userdata) {
        static const ActivationTerms terms = { .unattended = true, .automatic = true };
        Manager *manager = userdata;

        manager_foresee_gates(manager, manager_find_image(manager, question->guid), &terms, question,
                              verdicts);
}

typedef struct Asker {
        Manager *manager;
        const ActivationTerms *terms;
} Asker;

static void judge_on_terms(const ForesightQuestion *question, GateVerdict verdicts[static _GATE_MAX],
                           void *userdata) {
        const Asker *asker = userdata;

        manager_foresee_gates(asker->manager, manager_find_image(asker->manager, question->guid),
                              asker->terms, question, verdicts);
}

uint64_t manager_foresee_start(Manager *manager, const Image *image, const ActivationTerms *terms,
                               uint64_t at_usec) {
        Foresight foresight = { .guid = image->values.guid };
        Asker asker = { manager, terms };

        if (!image->present)
                return 0;
        foresight_run(&foresight, 1, at_usec, at_usec + PLAN_SPAN_MAX_USEC, judge_on_terms, &asker);
        return foresight.outcome == FORESEEN_START || foresight.outcome == FORESEEN_LATER ? foresight.at_usec
                                                                                          : 0;
}

GPtrArray *manager_plan(Manager *manager, uint64_t until_usec) {
        g_autoptr(GPtrArray) guids = manager_list_pending(manager);
        g_autofree PlanImage *images = g_new0(PlanImage, guids->len);
        PlanRequest request = {
                .config = manager->config,
                .state = manager->state,
                .config_failed = manager->config_error != NULL,
                .host_id = manager->schedule.has_host_id ? manager->schedule.host_id : NULL,
                .from_usec = clock_realtime(manager->clock),
                .until_usec = until_usec,
                .images = images,
                .n_images = guids->len,
                .judge = manager_judge_automatic,
                .userdata = manager,
        };

        for (unsigned i = 0; i < guids->len; i++) {
                const Image *image = manager_find_image(manager, guids->pdata[i]);
                const Job *job = manager_find_job_of_image(manager, guids->pdata[i]);

                memcpy(images[i].guid, image->values.guid, sizeof(images[i].guid));
                memcpy(images[i].from, image->values.current_version, sizeof(images[i].from));
                memcpy(images[i].to, image->values.pending_version, sizeof(images[i].to));
                /* where the mode is not known the gates say why */
                images[i].automatic = manager->config_error ||
                                      config_find_mode(manager->config, guids->pdata[i]) == POLICY_AUTOMATIC;
                images[i].job = job ? job->id : 0;
        }
        return plan_new(&request);
}
