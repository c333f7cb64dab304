/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* history.jsonl: what lfad did and saw, one JSON object a line, never rewritten. Every record is on disk
 * (fdatasync) when history_append returns. When the file is large enough it becomes history.jsonl.1, and so on;
 * sequence numbers go on over all of them. */

#include "daemon/history-files.h"
#include "util/clock.h"
#include "util/json.h"

#include <glib.h>

typedef enum RecordType {
        RECORD_QUEUED,   /* a job was accepted; its sequence number is the job's id, also as the key job */
        RECORD_STARTED,  /* on disk before the kernel driver is written to */
        RECORD_FINISHED, /* exactly one for each queued */
        RECORD_SETTLED,  /* what was found out later about a job that ended unknown or unverified */
        RECORD_EXTERNAL, /* a version moved, or pending fell, without a job of lfad's */
        RECORD_VANISHED, /* an image is not in the driver's tree any more */
        RECORD_SETTING_APPLIED,    /* a setting of the driver was otherwise than lfad wants it */
        RECORD_HOLD,               /* somebody paused activations */
        RECORD_UNHOLD,             /* a pause ended, also one of lfad's own */
        RECORD_QUARANTINE_CLEARED, /* failures of a version do not count any more */
        _RECORD_MAX,
        _RECORD_INVALID = -EINVAL,
} RecordType;

const char *record_type_to_string(RecordType type);
RecordType record_type_from_string(const char *text);

typedef struct History History;

/* Opens or creates the file in folder (created when missing, mode 0755). A last line without its end gets
 * it: when a crash tore it, it is passed over from then on. Returns 0; -EBUSY when another lfad has it open;
 * another negative errno. */
int history_open(const char *folder, const Clock *clock, History **ret);
void *history_free(History *history);
static inline void history_freep(History **history) {
        *history = history_free(*history);
}

/* Adds seq, type, timestamp (µs of CLOCK_REALTIME), monotonic (µs) and boot-id to the object and writes it.
 * Takes the reference, also on failure. On failure nothing of the record stays in the file. Returns 0 and
 * the record's sequence number; -ENOSPC and other negative errnos. */
int history_append(History *history, RecordType type, json_object *record, uint64_t *ret_seq);

/* The records to come have higher numbers than this one, which another file knows of: the history may have been removed. */
void history_continue_behind(History *history, uint64_t seq);

/* Makes sure that the next records (about RECORDS_RESERVED of them) fit on the disk. Returns 0 or -ENOSPC.
 */
int history_reserve(History *history);
#define RECORDS_RESERVED 5

/* The sequence numbers, which are job ids too, are used up: nothing may be queued any more. */
bool history_is_full(const History *history);

/* Begins a new file when the newest has grown to its part of max_bytes, which is what all of them together may take.
 * To be called while no activation runs: its records belong together. Returns 1 when there is a new one, 0, or a
 * negative errno; everything goes on with the file that was then, and it may be tried again. */
int history_rotate(History *history, uint64_t max_bytes);

/* Opens the newest file (age 0) or an older one, up to HISTORY_FILES - 1, for pread. Returns a descriptor that the
 * caller closes, or a negative errno: -ENOENT when there is no such file. */
int history_open_file(const History *history, unsigned age);

/* No line of ours is longer, its end included. */
#define RECORD_SIZE_MAX 4096

const char *history_boot_id(const History *history);
