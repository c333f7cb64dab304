/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between the files of the state only. */

#include "core/state.h"

/* Each reader returns 0 or -EBADMSG. An empty string is written as none. */
int state_read_text(json_object *object, const char *key, const char **ret);
int state_read_number(json_object *object, const char *key, uint64_t maximum, uint64_t *ret);
int state_read_u32(json_object *object, const char *key, uint32_t *ret);
int state_read_flag(json_object *object, const char *key, bool *ret);
/* optional: "" will do. */
int state_read_guid(json_object *object, const char *key, bool optional, char ret[static GUID_STRING_SIZE]);
int state_read_version(json_object *object, const char *key, char ret[static VERSION_SIZE]);
int state_read_boot_id(json_object *object, const char *key, char ret[static BOOT_ID_SIZE]);
/* state_reason_is_clean */
int state_read_clean(json_object *object, const char *key, char ret[static STATE_REASON_MAX + 1]);

/* A job as its "queued" record has it, and as it is kept: the same keys but for its id. Strict: 0 or -EBADMSG. */
int kept_job_from_json(json_object *object, const char *id_key, KeptJob *ret);
json_object *kept_job_to_json(const KeptJob *job);
