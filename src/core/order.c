/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The relation "goes before" between images, and what follows from it. */

#include "core/order.h"

#include <string.h>

typedef struct Node {
        char guid[GUID_STRING_SIZE]; /* as it was first given */
        GPtrArray *first;            /* Node, weak: those that this one was said to go after */
} Node;

struct Order {
        GHashTable *by_key; /* key (see make_key) -> Node, weak */
        GPtrArray *nodes;   /* owned, in the order in which they were added */
};

/* Both forms of a GUID have one key: the form that sorts first. */
static char *make_key(const char *guid) {
        char other[GUID_STRING_SIZE];

        guid_swap_form(guid, other);
        return g_strdup(strcmp(guid, other) <= 0 ? guid : other);
}

static Node *find_node(const Order *order, const char *guid) {
        g_autofree char *key = make_key(guid);

        return g_hash_table_lookup(order->by_key, key);
}

static void node_free(void *pointer) {
        Node *node = pointer;

        g_ptr_array_unref(node->first);
        g_free(node);
}

Order *order_new(void) {
        Order *order = g_new0(Order, 1);

        order->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        order->nodes = g_ptr_array_new_with_free_func(node_free);
        return order;
}

void *order_free(Order *order) {
        if (order) {
                g_hash_table_unref(order->by_key);
                g_ptr_array_unref(order->nodes);
                g_free(order);
        }
        return NULL;
}

static Node *ensure_node(Order *order, const char *guid) {
        Node *node = find_node(order, guid);

        if (!node) {
                node = g_new0(Node, 1);
                node->first = g_ptr_array_new();
                g_strlcpy(node->guid, guid, sizeof(node->guid));
                g_ptr_array_add(order->nodes, node);
                g_hash_table_insert(order->by_key, make_key(guid), node);
        }
        return node;
}

void order_add(Order *order, const char *guid, const char *first) {
        Node *node = ensure_node(order, guid), *other = ensure_node(order, first);

        if (!g_ptr_array_find(node->first, other, NULL))
                g_ptr_array_add(node->first, other);
}

bool order_is_empty(const Order *order) {
        return order->nodes->len == 0;
}

bool order_has_first(const Order *order, const char *guid) {
        const Node *node = find_node(order, guid);

        return node && node->first->len > 0;
}

typedef struct Search {
        OrderCircle found;
        void *userdata;
        GHashTable *seen; /* Node: looked at, or being looked at */
        GPtrArray *path;  /* Node: being looked at; each was said to go after the next */
} Search;

/* From where the path meets itself: told in the order in which they would go. */
static void tell_circle(const Search *search, unsigned meets) {
        unsigned n = 0;
        g_autofree const char **guids = g_new(const char *, search->path->len - meets + 1);

        for (unsigned i = search->path->len; i > meets; i--)
                guids[n++] = ((const Node *) search->path->pdata[i - 1])->guid;
        guids[n] = guids[0];
        search->found(guids, n + 1, search->userdata);
}

static void search_from(Search *search, Node *node) {
        g_hash_table_add(search->seen, node);
        g_ptr_array_add(search->path, node);
        for (unsigned i = 0; i < node->first->len; i++) {
                Node *next = node->first->pdata[i];
                unsigned meets;

                if (g_ptr_array_find(search->path, next, &meets))
                        tell_circle(search, meets);
                else if (!g_hash_table_contains(search->seen, next))
                        search_from(search, next);
        }
        g_ptr_array_remove_index(search->path, search->path->len - 1);
}

void order_find_circles(const Order *order, OrderCircle found, void *userdata) {
        g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
        g_autoptr(GPtrArray) path = g_ptr_array_new();
        Search search = { .found = found, .userdata = userdata, .seen = seen, .path = path };

        for (unsigned i = 0; i < order->nodes->len; i++)
                if (!g_hash_table_contains(seen, order->nodes->pdata[i]))
                        search_from(&search, order->nodes->pdata[i]);
}

/* All that go before this node, by way of whatever lies between. */
static void collect_first(const Node *node, GHashTable *found) {
        for (unsigned i = 0; i < node->first->len; i++)
                if (g_hash_table_add(found, node->first->pdata[i]))
                        collect_first(node->first->pdata[i], found);
}

static GPtrArray *filter_first(const Order *order, const char *guid, const GPtrArray *candidates) {
        g_autoptr(GHashTable) found = g_hash_table_new(NULL, NULL);
        const Node *node = find_node(order, guid);
        GPtrArray *first = g_ptr_array_new();

        if (!order_has_first(order, guid))
                return first;
        collect_first(node, found);
        for (unsigned i = 0; i < candidates->len; i++) {
                Node *candidate = find_node(order, candidates->pdata[i]);

                if (candidate && candidate != node && g_hash_table_contains(found, candidate))
                        g_ptr_array_add(first, candidates->pdata[i]);
        }
        return first;
}

GPtrArray *order_find_first(const Order *order, const char *guid, const GPtrArray *candidates) {
        GPtrArray *first = filter_first(order, guid, candidates);

        order_sort(order, first);
        return first;
}

static int compare_guids(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The smallest GUID that none of the others must precede. In a circle, which no configuration has that is in
 * force, there is none: then the smallest. */
static unsigned find_next(const Order *order, const GPtrArray *sorted) {
        for (unsigned i = 0; i < sorted->len; i++) {
                g_autoptr(GPtrArray) first = filter_first(order, sorted->pdata[i], sorted);

                if (first->len == 0)
                        return i;
        }
        return 0;
}

void order_sort(const Order *order, GPtrArray *guids) {
        g_autoptr(GPtrArray) left = g_ptr_array_copy(guids, NULL, NULL);

        g_ptr_array_sort(left, compare_guids);
        for (unsigned i = 0; i < guids->len; i++)
                guids->pdata[i] = g_ptr_array_remove_index(left, find_next(order, left));
}

bool order_waits_for(const ImageValues *image, bool activated_without_effect) {
        if (image->pending == 0 || image->capable == 0 || image->may_reset_cpu == 1)
                return false;
        if (version_known(image->pending_version) &&
            strcmp(image->pending_version, image->current_version) == 0)
                return false;
        return !activated_without_effect;
}
