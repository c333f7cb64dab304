/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking ahead, one activation after the other: each may let another one go (After=) or keep it waiting
 * (MinimumIntervalSec=). */

#include "core/foresight.h"

typedef struct Search {
        ForesightJudge judge;
        void *userdata;
        uint64_t now_usec, until_usec;
        GPtrArray *done;
        uint64_t last_activation_usec;
        unsigned questions_left;
} Search;

static void judge(Search *search, const Foresight *image, GateVerdict verdicts[static _GATE_MAX]) {
        ForesightQuestion question = {
                .guid = image->guid,
                .at_usec = image->at_usec,
                .done = search->done,
                .last_activation_usec = search->last_activation_usec,
        };

        search->questions_left--;
        search->judge(&question, verdicts, search->userdata);
}

static void set_reason(Foresight *image, ForesightOutcome outcome, const GateVerdict *verdicts,
                       const GateVerdict *reason) {
        image->outcome = outcome;
        image->gate = (GateId) (reason - verdicts);
        image->verdict = *reason;
}

/* The gate that keeps it for longest, of those that tell; a gate that does not tell comes before all of them. NULL:
 * none defers. */
static const GateVerdict *find_longest(const GateVerdict verdicts[static _GATE_MAX], uint64_t at_usec) {
        const GateVerdict *longest = NULL;

        for (int i = 0; i < _GATE_MAX; i++) {
                if (verdicts[i].answer != GATE_DEFER)
                        continue;
                if (verdicts[i].not_before_usec <= at_usec) /* 0: not known; the past: as good as that */
                        return &verdicts[i];
                if (!longest || verdicts[i].not_before_usec > longest->not_before_usec)
                        longest = &verdicts[i];
        }
        return longest;
}

/* Moves on to the first moment at which no gate refuses, or says why there is none. What lfad waits for by itself, for
 * seconds, is over by then. */
static void find_moment(Search *search, Foresight *image) {
        GateVerdict verdicts[_GATE_MAX];
        const GateVerdict *reason;

        while (search->questions_left > 0) {
                judge(search, image, verdicts);
                reason = gates_first_denial(verdicts);
                if (reason) {
                        set_reason(image, FORESEEN_DENIED, verdicts, reason);
                        return;
                }
                reason = find_longest(verdicts, image->at_usec);
                if (!reason) {
                        image->outcome = FORESEEN_START;
                        return;
                }
                if (reason->not_before_usec <= image->at_usec) {
                        set_reason(image, FORESEEN_BLOCKED, verdicts, reason);
                        return;
                }
                image->at_usec = reason->not_before_usec;
                if (image->at_usec > search->until_usec) {
                        set_reason(image, FORESEEN_LATER, verdicts, reason);
                        return;
                }
        }
        image->outcome = FORESEEN_OPEN;
}

/* Others may have gone since it was looked at. What was denied, or comes later, stays so. */
static void look_again(Search *search, Foresight *image) {
        if (image->outcome == FORESEEN_DENIED || image->outcome == FORESEEN_LATER)
                return;
        image->at_usec = MAX(image->at_usec, search->now_usec);
        find_moment(search, image);
}

/* The one that may go first; the first of these. */
static Foresight *find_next(Search *search, GPtrArray *left) {
        Foresight *next = NULL;

        for (unsigned i = 0; i < left->len; i++) {
                Foresight *image = left->pdata[i];

                look_again(search, image);
                if (image->outcome == FORESEEN_START && (!next || image->at_usec < next->at_usec))
                        next = image;
        }
        return next;
}

void foresight_run(Foresight *images, unsigned n, uint64_t from_usec, uint64_t until_usec,
                   ForesightJudge judge_function, void *userdata) {
        g_autoptr(GPtrArray) done = g_ptr_array_new(), left = g_ptr_array_new();
        Search search = { .judge = judge_function,
                          .userdata = userdata,
                          .now_usec = from_usec,
                          .until_usec = until_usec,
                          .done = done,
                          .questions_left = FORESIGHT_QUESTIONS_MAX };
        Foresight *next;

        for (unsigned i = 0; i < n; i++) {
                images[i].outcome = FORESEEN_OPEN;
                images[i].at_usec = from_usec;
                g_ptr_array_add(left, &images[i]);
        }
        while ((next = find_next(&search, left))) {
                g_ptr_array_remove(left, next);
                g_ptr_array_add(done, (void *) next->guid);
                search.now_usec = search.last_activation_usec = next->at_usec;
        }
}
