/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lfad keeps in mind beyond a restart: who paused it, which versions failed how often, how long activations
 * stopped the CPUs. Pure: it is nothing but the history's records taken in one after the other, so that what was saved and
 * what is made anew from the records are the same. It knows no clock. */

#include "core/activation-report.h"
#include "core/statistics.h"
#include "core/terms.h"
#include "util/json.h"

#include <glib.h>

#define STATE_VERSION 1
/* More records than any host writes, and as many as jobs can be told apart by (a job has its first record's number): a
 * higher one is rubbish, and nothing goes on behind it. */
#define STATE_SEQ_MAX ((uint64_t) INT32_MAX)
#define STATE_FAILURES_MAX 1000
#define STATE_REASON_MAX 256 /* bytes, as of all text from clients */
/* More than any host has; beyond them what was changed longest ago is forgotten. */
#define STATE_HOLDS_OF_PEOPLE_MAX 64
#define STATE_HOLDS_MAX 128 /* theirs push none of lfad's own out */
#define STATE_QUARANTINES_MAX 256
#define STATE_LEARNED_MAX 1024
#define STATE_ATTEMPTS_MAX 256
#define STATE_JOBS_MAX 128
#define STATE_REQUEST_ID_MAX 64

/* Nothing is activated while it lasts. */
typedef struct Hold {
        char guid[GUID_STRING_SIZE];  /* the image it is about, "" = all of them */
        bool by_lfad;                 /* lfad holds itself: the host restarted during an activation ... */
        char image[GUID_STRING_SIZE]; /* ... of this image ... */
        char to[VERSION_SIZE];        /* ... to this version, "" = firmware gives none ... */
        uint32_t job;                 /* ... by this job */
        uint32_t uid;                 /* else: who asked for it */
        char reason[STATE_REASON_MAX + 1];
        uint64_t since_usec, until_usec; /* CLOCK_REALTIME; until 0 = until it is released */
} Hold;

/* The activations of one image to one version that went wrong, without a success since. */
typedef struct Quarantine {
        char guid[GUID_STRING_SIZE];
        char to[VERSION_SIZE]; /* "" = firmware gives none: all that was staged in one boot, until pending falls */
        unsigned failures;
        bool host_restarted;        /* during one of them: that is enough */
        bool automatic_unknown;     /* one that lfad began by itself ended unknown: so is that */
        uint32_t job;               /* the last of them */
        char boot_id[BOOT_ID_SIZE]; /* in which lfad learned of it */
        uint64_t since_usec;        /* CLOCK_REALTIME of the last one's end */
} Quarantine;

/* How long activations of one image by one version of the driver stopped the CPUs. */
typedef struct LearnedBlackout {
        char guid[GUID_STRING_SIZE];
        DriverProfile profile;
        uint32_t samples;          /* activations that took place, and were measured */
        uint64_t worst_usec;       /* also of those that failed */
        uint64_t worst_write_usec; /* how long the write took; likewise */
} LearnedBlackout;

/* The last activation that reached firmware, or may have, of whatever image: when it ended. */
typedef struct LastActivation {
        char boot_id[BOOT_ID_SIZE];                /* "" = there was none */
        uint64_t ended_usec, ended_monotonic_usec; /* CLOCK_REALTIME, and CLOCK_MONOTONIC of that boot */
} LastActivation;

/* When automatic mode last asked for an activation of an image: each occurrence of a window is used once. */
typedef struct AutomaticAttempt {
        char guid[GUID_STRING_SIZE];
        uint64_t at_usec; /* CLOCK_REALTIME */
} AutomaticAttempt;

/* A job that waits for gates, until its end. Its record may have gone from the history before. */
typedef struct KeptJob {
        uint32_t id;
        char guid[GUID_STRING_SIZE];
        char from[VERSION_SIZE], to[VERSION_SIZE];
        ActivationTerms terms;
        uint64_t deadline_usec; /* CLOCK_REALTIME */
        bool deadline_is_default;
        uint32_t batch;
        uint32_t uid, pid; /* pid 0 = not known */
        bool logged_in;
        uint32_t login_uid;
        char unit[STATE_REASON_MAX + 1];
        char reason[STATE_REASON_MAX + 1];
        char request_id[STATE_REQUEST_ID_MAX + 1];
        char boot_id[BOOT_ID_SIZE];
        uint64_t queued_usec;
} KeptJob;

typedef struct State {
        uint64_t seq;        /* of the last record that was taken in; 0 = none */
        GArray *holds;       /* Hold; each array: what was changed last is last */
        GArray *quarantines; /* Quarantine */
        GArray *learned;     /* LearnedBlackout */
        GArray *attempts;    /* AutomaticAttempt */
        GArray *jobs;        /* KeptJob */
        LastActivation last;
        Statistics statistics;
        bool counted; /* false: read from the file of an lfad that kept no statistics */
} State;

State *state_new(void);
void *state_free(State *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(State, state_free)

typedef enum StateChange {
        STATE_CHANGE_HOLDS = 1 << 0,
        STATE_CHANGE_QUARANTINES = 1 << 1,
        STATE_CHANGE_LEARNED = 1 << 2,
        STATE_CHANGE_ATTEMPTS = 1 << 3,
        STATE_CHANGE_JOBS = 1 << 5,
        STATE_CHANGE_LAST = 1 << 4,
        STATE_CHANGE_STATISTICS = 1 << 6,
} StateChange;

/* Takes in one record of the history, in the order of their numbers; one that was taken in before does nothing.
 * Returns a mask of StateChange: what differs now. */
unsigned state_apply(State *state, json_object *record);

/* The file's content, one line without its end. The caller frees it. */
char *state_to_text(const State *state);

/* Reads it, strictly: all that version 1 has must be there and in bounds, keys it does not have are passed over.
 * Returns 0; -EPROTO when a newer version of lfad wrote it; -EBADMSG. */
int state_from_text(const char *text, size_t size, State **ret);

/* What either of them takes: a reason of bounded length without control characters, the id of a boot. */
bool state_reason_is_clean(const char *text);
bool state_boot_id_is_valid(const char *text);

/* A hold whose time is over holds no more, without anybody doing anything; and holds again when the clock is set back. */
bool hold_is_in_force(const Hold *hold, uint64_t now_usec);

/* The hold that keeps this image from being activated, or NULL: of those about this image and about all the one that
 * lasts longest. guid "": about all of them. now_usec: CLOCK_REALTIME. */
const Hold *state_find_hold(const State *state, const char *guid, uint64_t now_usec);

/* A person's hold of this very scope that is in force, or NULL. */
const Hold *state_find_hold_of_person(const State *state, const char *guid, uint64_t now_usec);

/* When the first of those that are in force is over; UINT64_MAX = none of them ends by itself. */
uint64_t state_next_hold_end(const State *state, uint64_t now_usec);

/* One of those that began after since_usec, or NULL. */
const Hold *state_find_hold_since(const State *state, const char *guid, uint64_t now_usec,
                                  uint64_t since_usec);

/* to: "" = firmware gives none. NULL: nothing went wrong. */
const Quarantine *state_find_quarantine(const State *state, const char *guid, const char *to);

/* after: so many failures are too many. */
bool quarantine_is_in_force(const Quarantine *quarantine, unsigned after);

/* Why something ends; also as the key `cause` of records. */
typedef enum ReleaseCause {
        RELEASE_NONE,
        RELEASE_OPERATOR,      /* somebody asked for it */
        RELEASE_OTHER_VERSION, /* another version is pending for the image */
        RELEASE_NOT_PENDING,   /* nothing is pending for the image: what is staged next is something else */
        RELEASE_NEW_BOOT,      /* likewise */
        _RELEASE_CAUSE_MAX,
        _RELEASE_CAUSE_INVALID = -EINVAL,
} ReleaseCause;

const char *release_cause_to_string(ReleaseCause cause);
ReleaseCause release_cause_from_string(const char *text);

/* Whether what the driver shows of its image ends it. Values of a stale image say nothing. */
ReleaseCause quarantine_find_release(const Quarantine *quarantine, const ImageValues *values,
                                     const char *boot_id);
ReleaseCause hold_find_release(const Hold *hold, const ImageValues *values);

/* The longest that an activation of this image is expected to stop the CPUs, in µs: three times the longest that was
 * measured with this version of the driver. 0 = not known: fewer than three were measured. */
uint64_t state_learned_need_usec(const State *state, const char *guid, DriverProfile profile);
#define STATE_SAMPLES_NEEDED 3

/* The same of an activation as a whole: how long it is expected to take at most. */
uint64_t state_learned_duration_usec(const State *state, const char *guid, DriverProfile profile);

/* How long ago the last activation ended, in µs; UINT64_MAX = there was none. boot_id: the present one; realtime_usec,
 * monotonic_usec: now. In one boot clocks that were set do not matter. What ended before this boot ended at least as long
 * ago as the host runs, even if its clock was set back since. */
uint64_t state_since_last_activation_usec(const State *state, const char *boot_id, uint64_t realtime_usec,
                                          uint64_t monotonic_usec);

/* When automatic mode last asked for an activation of this image, CLOCK_REALTIME in µs; 0 = never. */
uint64_t state_last_automatic_attempt(const State *state, const char *guid);

/* The longest that was measured of this image with any version of the driver, in µs. */
uint64_t state_worst_blackout_usec(const State *state, const char *guid);
