/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* request-id: the same request, asked twice, is one job. */

#include "daemon/request-ids.h"

#include <string.h>

struct RequestIds {
        GHashTable *by_key; /* key -> KnownRequest, owned */
        GQueue order;       /* keys, weak, oldest first */
};

static void known_request_free(void *pointer) {
        KnownRequest *request = pointer;

        g_free(request->request_id);
        g_free(request->arguments);
        g_free(request);
}

static char *make_key(uint32_t uid, const char *request_id) {
        return g_strdup_printf("%u:%s", uid, request_id);
}

RequestIds *request_ids_new(void) {
        RequestIds *ids = g_new0(RequestIds, 1);

        ids->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, known_request_free);
        return ids;
}

void *request_ids_free(RequestIds *ids) {
        if (ids) {
                g_queue_clear(&ids->order);
                g_hash_table_unref(ids->by_key);
                g_free(ids);
        }
        return NULL;
}

static const char *expectation_text(const ExpectedVersion *expected) {
        return expected->given ? expected->version : "*";
}

char *request_arguments(const JobRequest *request) {
        const ActivationTerms *terms = &request->terms;

        /* reason comes last: nothing else of it can be taken for another field */
        return g_strdup_printf("%s %s %s %d %d %" G_GUINT64_FORMAT " %x %s", request->guid,
                               expectation_text(&terms->expected_current),
                               expectation_text(&terms->expected_pending), terms->unattended,
                               request->when_allowed, request->deadline_given ? request->deadline_usec : 0,
                               terms->overrides, request->reason);
}

const KnownRequest *request_ids_find(const RequestIds *ids, uint32_t uid, const char *request_id) {
        g_autofree char *key = make_key(uid, request_id);

        return g_hash_table_lookup(ids->by_key, key);
}

static void forget_key(RequestIds *ids, const char *key) {
        GList *link = g_queue_find_custom(&ids->order, key, (GCompareFunc) strcmp);

        if (link)
                g_queue_delete_link(&ids->order, link);
        g_hash_table_remove(ids->by_key, key);
}

void request_ids_add(RequestIds *ids, const KnownRequest *request) {
        KnownRequest *copy = g_new(KnownRequest, 1);
        char *key = make_key(request->uid, request->request_id);

        *copy = *request;
        copy->request_id = g_strdup(request->request_id);
        copy->arguments = g_strdup(request->arguments);
        forget_key(ids, key);
        while (ids->order.length >= REQUEST_IDS_MAX)
                forget_key(ids, ids->order.head->data);
        g_hash_table_insert(ids->by_key, key, copy);
        g_queue_push_tail(&ids->order, key);
}
