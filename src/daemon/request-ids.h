/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* request-id: a caller who lost the reply asks again, with the same name for the same request, and gets the
 * same job instead of a second activation. Remembered per uid for the last REQUEST_IDS_MAX jobs that had
 * one, and rebuilt from the history's end at start. */

#include "daemon/job.h"

#include <glib.h>

#define REQUEST_IDS_MAX 256

typedef struct RequestIds RequestIds;

/* What was asked under that name. */
typedef struct KnownRequest {
        uint32_t uid;
        char *request_id;
        char *arguments; /* request_arguments() */
        uint32_t job;
        char guid[GUID_STRING_SIZE], from[VERSION_SIZE], to[VERSION_SIZE];
} KnownRequest;

RequestIds *request_ids_new(void);
void *request_ids_free(RequestIds *ids);

/* One text for all that makes two requests the same. */
char *request_arguments(const JobRequest *request);

/* NULL when it is not known. Valid until the next request_ids_add. */
const KnownRequest *request_ids_find(const RequestIds *ids, uint32_t uid, const char *request_id);

/* Copies; an older request of the same name is replaced. */
void request_ids_add(RequestIds *ids, const KnownRequest *request);
