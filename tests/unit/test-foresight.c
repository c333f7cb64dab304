/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking ahead: when each image may go, in which order, and why one may not. The gates are stand-ins here: a table
 * says what is in whose way at which moment; that the real ones are asked is for other tests. */

#include "core/foresight.h"
#include "unit.h"

#define FROM 1000
#define UNTIL 9000

typedef struct Rule {
        const char *guid; /* NULL: all */
        GateId gate;
        GateAnswer answer;
        uint64_t until, not_before; /* it stands in the way before that moment, and says this one */
        const char *unless_done;    /* it does not when that image was activated */
        uint64_t interval;          /* it does so long after an activation */
} Rule;

typedef struct World {
        const Rule *rules;
        unsigned n_rules, questions;
} World;

static bool is_done(const ForesightQuestion *question, const char *guid) {
        return guid && g_ptr_array_find_with_equal_func(question->done, guid, g_str_equal, NULL);
}

static void judge(const ForesightQuestion *question, GateVerdict verdicts[static _GATE_MAX],
                  void *userdata) {
        World *world = userdata;

        world->questions++;
        assert_true(question->at_usec >= FROM);
        assert_true(question->last_activation_usec <= question->at_usec);
        assert_false(is_done(question, question->guid));
        memset(verdicts, 0, sizeof(GateVerdict) * _GATE_MAX);
        for (unsigned i = 0; i < world->n_rules; i++) {
                const Rule *rule = &world->rules[i];
                uint64_t last = question->last_activation_usec;
                uint64_t until = rule->interval > 0 ? (last > 0 ? last + rule->interval : 0) : rule->until;

                if ((rule->guid && strcmp(rule->guid, question->guid) != 0) ||
                    is_done(question, rule->unless_done) || question->at_usec >= until)
                        continue;
                verdicts[rule->gate] = (GateVerdict){
                        .answer = rule->answer,
                        .error = LFA_ERROR_HELD,
                        .not_before_usec = rule->interval > 0 ? until : rule->not_before,
                };
        }
}

#define look(images, rules) look_with(images, G_N_ELEMENTS(images), rules, G_N_ELEMENTS(rules))

static unsigned look_with(Foresight *images, unsigned n, const Rule *rules, unsigned n_rules) {
        World world = { rules, n_rules, 0 };

        foresight_run(images, n, FROM, UNTIL, judge, &world);
        return world.questions;
}

static void assert_starts(const Foresight *image, uint64_t at_usec) {
        assert_int_equal(image->outcome, FORESEEN_START);
        assert_int_equal(image->at_usec, at_usec);
}

static void assert_outcome(const Foresight *image, ForesightOutcome outcome, GateId gate) {
        assert_int_equal(image->outcome, outcome);
        assert_int_equal(image->gate, gate);
        assert_int_equal(image->verdict.error, LFA_ERROR_HELD);
}

static void what_nothing_is_in_the_way_of_goes_at_once(void **unused) {
        Foresight images[] = { { .guid = "a" }, { .guid = "b" } };
        static const Rule rules[] = { { NULL, GATE_SETTLE, GATE_WAIT, UINT64_MAX, 0, NULL, 0 } };

        look(images, rules);
        assert_starts(&images[0], FROM);
        assert_starts(&images[1], FROM);
}

static void all_gates_that_defer_must_have_passed(void **unused) {
        Foresight images[] = { { .guid = "a" } };
        static const Rule rules[] = {
                { NULL, GATE_HOLD, GATE_DEFER, 2000, 2000, NULL, 0 },
                { NULL, GATE_ORDER, GATE_DEFER, 3000, 3000, NULL, 0 },
                { NULL, GATE_INHIBITOR, GATE_DEFER, 5000, 2500, NULL, 0 }, /* tells a little at a time */
        };
        static const Rule more[] = {
                { NULL, GATE_HOLD, GATE_DEFER, 2000, 2000, NULL, 0 },
                { NULL, GATE_ORDER, GATE_DEFER, 3000, 3000, NULL, 0 },
        };

        look(images, more);
        assert_starts(&images[0], 3000);
        look(images, rules);
        assert_outcome(&images[0], FORESEEN_BLOCKED, GATE_INHIBITOR); /* at 3000 it says 2500 still */
}

static void why_one_cannot_go_is_said(void **unused) {
        Foresight images[] = { { .guid = "a" }, { .guid = "b" }, { .guid = "c" }, { .guid = "d" } };
        static const Rule rules[] = {
                { "a", GATE_IMAGE, GATE_DENY, UINT64_MAX, 0, NULL, 0 },
                { "a", GATE_HOLD, GATE_DEFER, 2000, 2000, NULL, 0 },
                { "b", GATE_INHIBITOR, GATE_DEFER, UINT64_MAX, 0, NULL, 0 },
                { "b", GATE_HOLD, GATE_DEFER, 2000, 2000, NULL, 0 },
                { "c", GATE_HOLD, GATE_DEFER, UNTIL + 1, UNTIL + 1, NULL, 0 },
        };

        look(images, rules);
        assert_outcome(&images[0], FORESEEN_DENIED, GATE_IMAGE);
        assert_outcome(&images[1], FORESEEN_BLOCKED, GATE_INHIBITOR);
        assert_outcome(&images[2], FORESEEN_LATER, GATE_HOLD);
        assert_int_equal(images[2].at_usec, UNTIL + 1);
        assert_starts(&images[3], FROM);
}

static void one_that_goes_after_another_follows_it(void **unused) {
        Foresight images[] = { { .guid = "a" }, { .guid = "b" }, { .guid = "c" } };
        static const Rule rules[] = {
                { "a", GATE_ORDER, GATE_DEFER, UINT64_MAX, 0, "c", 0 },
                { "b", GATE_ORDER, GATE_DEFER, UINT64_MAX, 0, "x", 0 },
                { "c", GATE_HOLD, GATE_DEFER, 4000, 4000, NULL, 0 },
        };

        look(images, rules);
        assert_starts(&images[0], 4000);
        assert_outcome(&images[1], FORESEEN_BLOCKED, GATE_ORDER);
        assert_starts(&images[2], 4000);
}

static void an_activation_keeps_the_next_one_waiting(void **unused) {
        Foresight images[] = { { .guid = "a" }, { .guid = "b" }, { .guid = "c" } };
        static const Rule rules[] = {
                { "a", GATE_HOLD, GATE_DEFER, 3000, 3000, NULL, 0 },
                { NULL, GATE_SYSTEM, GATE_DEFER, 0, 0, NULL, 1500 },
        };

        look(images, rules);
        assert_starts(&images[1], FROM); /* the earliest one first, whatever the order */
        assert_starts(&images[2], FROM + 1500);
        assert_starts(&images[0], FROM + 3000);
}

static void it_comes_to_an_end(void **unused) {
        g_autofree Foresight *images = g_new0(Foresight, 1000);
        static const Rule rules[] = { { NULL, GATE_HOLD, GATE_DEFER, 2000, 2000, NULL, 0 } };

        for (unsigned i = 0; i < 1000; i++)
                images[i].guid = "a";
        images[0].guid = "b";
        assert_int_equal(look_with(images, 1000, rules, 1), FORESIGHT_QUESTIONS_MAX);
        assert_int_equal(images[999].outcome, FORESEEN_OPEN);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_nothing_is_in_the_way_of_goes_at_once),
                cmocka_unit_test(all_gates_that_defer_must_have_passed),
                cmocka_unit_test(why_one_cannot_go_is_said),
                cmocka_unit_test(one_that_goes_after_another_follows_it),
                cmocka_unit_test(an_activation_keeps_the_next_one_waiting),
                cmocka_unit_test(it_comes_to_an_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
