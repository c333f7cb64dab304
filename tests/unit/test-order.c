/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which image goes before which: the plan against an oracle that tries all permutations, circles against the
 * transitive closure, and which images others wait for. */

#include "core/order.h"
#include "unit.h"

#define BL31 "47d4086d-4cfe-9846-9b95-2950cbbd5a00"
#define BL31_EFI "6d08d447-fe4c-4698-9b95-2950cbbd5a00"
#define RMM "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define SCP "65922703-2f74-e644-8dff-579ac1ff0610"
#define NODES 6
#define ROUNDS 1500

/* after[i][j]: i was said to go after j; reach: also by way of others. */
typedef struct Graph {
        char guids[NODES][GUID_STRING_SIZE];
        bool after[NODES][NODES], reach[NODES][NODES];
        Order *order;
} Graph;

static void close_over(Graph *graph) {
        memcpy(graph->reach, graph->after, sizeof(graph->reach));
        for (unsigned k = 0; k < NODES; k++)
                for (unsigned i = 0; i < NODES; i++)
                        for (unsigned j = 0; j < NODES; j++)
                                graph->reach[i][j] |= graph->reach[i][k] && graph->reach[k][j];
}

/* Of both forms of a GUID the one or the other is given. */
static void add_in_any_form(GRand *random, Order *order, const char *guid, const char *first) {
        char forms[4][GUID_STRING_SIZE];

        memcpy(forms[0], guid, GUID_STRING_SIZE);
        memcpy(forms[2], first, GUID_STRING_SIZE);
        guid_swap_form(forms[0], forms[1]);
        guid_swap_form(forms[2], forms[3]);
        order_add(order, forms[g_rand_boolean(random)], forms[2 + g_rand_boolean(random)]);
}

/* acyclic: i goes after j only where j comes before it in a permutation. */
static Graph *graph_new(GRand *random, bool acyclic) {
        Graph *graph = g_new0(Graph, 1);
        int density = g_rand_int_range(random, 0, 60);

        graph->order = order_new();
        for (unsigned i = 0; i < NODES; i++) /* numbered at random, so that their order by GUID is no hint */
                g_snprintf(graph->guids[i], GUID_STRING_SIZE, "%08x-0000-4000-8000-00000000000%u",
                           g_rand_int(random), i);
        for (unsigned i = 0; i < NODES; i++)
                for (unsigned j = 0; j < NODES; j++)
                        if ((acyclic ? j < i : j != i) && g_rand_int_range(random, 0, 100) < density) {
                                graph->after[i][j] = true;
                                add_in_any_form(random, graph->order, graph->guids[i], graph->guids[j]);
                        }
        close_over(graph);
        return graph;
}

static void graph_free(Graph *graph) {
        order_free(graph->order);
        g_free(graph);
}

static unsigned find_index(const Graph *graph, const char *guid) {
        char other[GUID_STRING_SIZE];

        guid_swap_form(guid, other);
        for (unsigned i = 0; i < NODES; i++)
                if (strcmp(graph->guids[i], guid) == 0 || strcmp(graph->guids[i], other) == 0)
                        return i;
        fail_msg("%s is none of the images", guid);
        return 0;
}

static bool is_allowed(const Graph *graph, const unsigned *sequence, unsigned n) {
        for (unsigned i = 0; i < n; i++)
                for (unsigned j = i + 1; j < n; j++)
                        if (graph->reach[sequence[i]][sequence[j]])
                                return false;
        return true;
}

static bool is_smaller(const Graph *graph, const unsigned *a, const unsigned *b, unsigned n) {
        for (unsigned i = 0; i < n; i++) {
                int difference = strcmp(graph->guids[a[i]], graph->guids[b[i]]);

                if (difference != 0)
                        return difference < 0;
        }
        return false;
}

/* Tries every permutation of what is left; best: the smallest that is allowed. */
static void try_all(const Graph *graph, unsigned *sequence, unsigned fixed, unsigned n, unsigned *best,
                    bool *any) {
        if (fixed == n) {
                if (is_allowed(graph, sequence, n) && (!*any || is_smaller(graph, sequence, best, n))) {
                        memcpy(best, sequence, n * sizeof(*best));
                        *any = true;
                }
                return;
        }
        for (unsigned i = fixed; i < n; i++) {
                unsigned chosen = sequence[i], held = sequence[fixed];

                sequence[fixed] = chosen;
                sequence[i] = held;
                try_all(graph, sequence, fixed + 1, n, best, any);
                sequence[fixed] = held;
                sequence[i] = chosen;
        }
}

static void assert_is_the_plan(const Graph *graph, const GPtrArray *sorted, unsigned *members, unsigned n) {
        unsigned best[NODES];
        bool any = false;

        assert_int_equal(sorted->len, n);
        try_all(graph, members, 0, n, best, &any);
        assert_true(any);
        for (unsigned i = 0; i < n; i++)
                assert_string_equal(sorted->pdata[i], graph->guids[best[i]]);
}

/* A set of images that are pending; ret: their indices. */
static GPtrArray *choose(GRand *random, const Graph *graph, unsigned *ret, unsigned *ret_n) {
        GPtrArray *chosen = g_ptr_array_new();
        unsigned n = 0;

        for (unsigned i = 0; i < NODES; i++)
                if (g_rand_boolean(random)) {
                        ret[n++] = i;
                        g_ptr_array_insert(chosen, g_rand_int_range(random, -1, (int) chosen->len),
                                           (char *) graph->guids[i]);
                }
        *ret_n = n;
        return chosen;
}

static void the_plan_is_the_smallest_by_guid_of_all_that_are_allowed(void **state) {
        g_autoptr(GRand) random = g_rand_new_with_seed(1);

        for (unsigned round = 0; round < ROUNDS; round++) {
                Graph *graph = graph_new(random, true);
                unsigned members[NODES], n;
                g_autoptr(GPtrArray) chosen = choose(random, graph, members, &n);

                order_sort(graph->order, chosen);
                assert_is_the_plan(graph, chosen, members, n);
                graph_free(graph);
        }
}

static void what_must_go_first_is_all_of_the_closure_that_is_pending_in_the_plans_order(void **state) {
        g_autoptr(GRand) random = g_rand_new_with_seed(2);

        for (unsigned round = 0; round < ROUNDS; round++) {
                Graph *graph = graph_new(random, true);
                unsigned members[NODES], first[NODES], n, n_first = 0;
                unsigned self = (unsigned) g_rand_int_range(random, 0, NODES);
                g_autoptr(GPtrArray) chosen = choose(random, graph, members, &n), found = NULL;

                for (unsigned i = 0; i < n; i++)
                        if (graph->reach[self][members[i]])
                                first[n_first++] = members[i];
                found = order_find_first(graph->order, graph->guids[self], chosen);
                assert_is_the_plan(graph, found, first, n_first);
                graph_free(graph);
        }
}

typedef struct Told {
        Graph *graph;
        unsigned circles;
} Told;

static void on_circle(const char *const *guids, unsigned n, void *userdata) {
        Told *told = userdata;
        Graph *graph = told->graph;

        told->circles++;
        assert_true(n >= 3);
        assert_string_equal(guids[0], guids[n - 1]);
        for (unsigned i = 1; i < n; i++) /* each step was said */
                assert_true(graph->after[find_index(graph, guids[i])][find_index(graph, guids[i - 1])]);
        for (unsigned i = 1; i < n - 1; i++) /* and nothing is in it twice */
                assert_string_not_equal(guids[i], guids[0]);
}

static void forget_last_step(const char *const *guids, unsigned n, void *userdata) {
        Told *told = userdata;

        told->graph->after[find_index(told->graph, guids[n - 1])][find_index(told->graph, guids[n - 2])] =
                        false;
}

static bool has_circle(Graph *graph) {
        close_over(graph);
        for (unsigned i = 0; i < NODES; i++)
                if (graph->reach[i][i])
                        return true;
        return false;
}

static void circles_are_found_where_there_are_any_and_none_is_missed(void **state) {
        g_autoptr(GRand) random = g_rand_new_with_seed(3);
        unsigned with = 0, without = 0;

        for (unsigned round = 0; round < ROUNDS; round++) {
                Graph *graph = graph_new(random, false);
                Told told = { .graph = graph };
                bool any = has_circle(graph);

                order_find_circles(graph->order, on_circle, &told);
                assert_int_equal(told.circles > 0, any);
                order_find_circles(graph->order, forget_last_step, &told);
                assert_false(has_circle(graph));
                with += any;
                without += !any;
                graph_free(graph);
        }
        assert_true(with > ROUNDS / 10 && without > ROUNDS / 10);
}

static void a_circle_is_told_as_it_would_go(void **state) {
        g_autoptr(Order) order = order_new();
        Graph graph = { 0 };
        Told told = { .graph = &graph };

        memcpy(graph.guids[0], BL31, sizeof(graph.guids[0]));
        memcpy(graph.guids[1], RMM, sizeof(graph.guids[1]));
        memcpy(graph.guids[2], SCP, sizeof(graph.guids[2]));
        for (unsigned i = 3; i < NODES; i++)
                memcpy(graph.guids[i], "00000000-0000-0000-0000-000000000000", GUID_STRING_SIZE);
        graph.after[0][1] = graph.after[1][2] = graph.after[2][0] = true;
        order_add(order, BL31, RMM);
        order_add(order, RMM, SCP);
        order_add(order, SCP, BL31_EFI);
        order_find_circles(order, on_circle, &told);
        assert_int_equal(told.circles, 1);
}

static void both_forms_of_a_guid_are_one_image(void **state) {
        g_autoptr(GPtrArray) candidates = g_ptr_array_new(), first = NULL, none = NULL;
        g_autoptr(Order) order = order_new();

        order_add(order, RMM, BL31_EFI);
        g_ptr_array_add(candidates, (char *) BL31);
        g_ptr_array_add(candidates, (char *) RMM);
        first = order_find_first(order, RMM, candidates);
        assert_int_equal(first->len, 1);
        assert_string_equal(first->pdata[0], BL31);
        none = order_find_first(order, SCP, candidates);
        assert_int_equal(none->len, 0);
        assert_true(order_has_first(order, RMM) && !order_has_first(order, BL31));
}

static ImageValues pending_image(void) {
        ImageValues image;

        image_values_init(&image, BL31);
        image.pending = image.capable = 1;
        image.may_reset_cpu = 0;
        strcpy(image.current_version, "1.0");
        strcpy(image.pending_version, "2.0");
        return image;
}

static void only_what_an_activation_could_change_is_waited_for(void **state) {
        ImageValues image = pending_image();

        assert_true(order_waits_for(&image, false));
        assert_false(order_waits_for(&image, true)); /* firmware shows it for ever */
        image.pending = 0;
        assert_false(order_waits_for(&image, false));
        image = pending_image();
        image.capable = 0;
        assert_false(order_waits_for(&image, false));
        image = pending_image();
        image.may_reset_cpu = 1;
        assert_false(order_waits_for(&image, false));
        image = pending_image();
        strcpy(image.current_version, image.pending_version); /* it runs already */
        assert_false(order_waits_for(&image, false));
        image.current_version[0] = image.pending_version[0] = 0; /* TF-A: nothing is known of versions */
        assert_true(order_waits_for(&image, false));
}

static void what_could_not_be_read_is_waited_for(void **state) {
        int8_t *flags[3];
        ImageValues image;

        flags[0] = &image.pending;
        flags[1] = &image.capable;
        flags[2] = &image.may_reset_cpu;
        for (unsigned i = 0; i < G_N_ELEMENTS(flags); i++) {
                image = pending_image();
                *flags[i] = -1;
                assert_true(order_waits_for(&image, false));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_plan_is_the_smallest_by_guid_of_all_that_are_allowed),
                cmocka_unit_test(
                                what_must_go_first_is_all_of_the_closure_that_is_pending_in_the_plans_order),
                cmocka_unit_test(circles_are_found_where_there_are_any_and_none_is_missed),
                cmocka_unit_test(a_circle_is_told_as_it_would_go),
                cmocka_unit_test(both_forms_of_a_guid_are_one_image),
                cmocka_unit_test(only_what_an_activation_could_change_is_waited_for),
                cmocka_unit_test(what_could_not_be_read_is_waited_for),
        };

        return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
