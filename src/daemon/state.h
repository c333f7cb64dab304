/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* state.json: what lfad keeps in mind beyond a restart (core/state.h), so that the history need not be read from its
 * beginning each time. The record comes first, then what is kept in mind, then the file: whatever a crash leaves, the
 * records that are newer than the file bring it up to date. This file and history.c are the only ones of the daemon that
 * may block on a disk. */

#include "daemon/manager.h"

/* Reads the file, then the records of the history that are newer. No file: all records. A file that cannot be understood
 * is left alone, and gate "state" denies for as long as it is there. After history_open, before anything is recorded. */
void manager_load_state(Manager *manager);

/* Writes a record that changes what is kept in mind, takes it in and saves. Takes the reference, also on failure; then
 * nothing has changed. Returns 0; -EIO without a history; -ENOSPC and other negative errnos of history_append. */
int manager_record(Manager *manager, RecordType type, json_object *record);

/* The same; ret_seq: the record's number. */
int manager_record_numbered(Manager *manager, RecordType type, json_object *record, uint64_t *ret_seq);

/* Whether the file that could not be written or understood can be by now. */
void manager_retry_state(Manager *manager);

/* Why nothing may be activated, for gate "state": LFA_ERROR_NONE when all is well. ret_text: borrowed. */
ErrorId manager_state_error(const Manager *manager, const char **ret_text);

/* The same, and also while the end of a job is not on disk: an end that is not is not kept in mind either. */
ErrorId manager_records_error(const Manager *manager, const char **ret_text);
