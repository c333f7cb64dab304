/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is ahead: when windows open and this host's moment in each, freezes, holds, days on which a window does not open
 * because clocks leave its start out, and what automatic mode will activate, or why it will not. Pure: the configuration,
 * the state and the gates in, a list of events out. */

#include "core/foresight.h"
#include "core/schedule.h"

#define PLAN_SPAN_DEFAULT_USEC (7 * 86400 * UINT64_C(1000000))
#define PLAN_SPAN_MAX_USEC (366 * 86400 * UINT64_C(1000000))
/* So many openings of windows are told; what comes behind them is not. */
#define PLAN_OPENINGS_MAX 1000

typedef enum PlanEventType {
        PLAN_REMARK, /* concerns all of it */
        PLAN_HOLD,
        PLAN_FREEZE,
        PLAN_WINDOW,        /* it opens */
        PLAN_MISSING_START, /* it would, but for clocks that are set forward over its start */
        PLAN_ACTIVATION,
        PLAN_NO_ACTIVATION, /* of an image that is pending */
        _PLAN_EVENT_MAX,
        _PLAN_EVENT_INVALID = -EINVAL,
} PlanEventType;

const char *plan_event_type_to_string(PlanEventType type);
PlanEventType plan_event_type_from_string(const char *text);

typedef struct PlanEvent {
        PlanEventType type;
        uint64_t start_usec,
                        end_usec; /* CLOCK_REALTIME; start 0 = no time, end 0 = none, UINT64_MAX = open */
        const char *name; /* of the window or freeze; of a remark, for programs; borrowed, "" = none */
        char guid[GUID_STRING_SIZE]; /* which image, "" = all of them */
        char from[VERSION_SIZE], to[VERSION_SIZE];
        uint64_t slot_usec; /* PLAN_WINDOW: this host's moment, 0 = none */
        const char *gate;   /* PLAN_NO_ACTIVATION: its name, "" = none */
        ErrorId error;
        char *text; /* a sentence for people, "" = none */
} PlanEvent;

/* One image that is pending. */
typedef struct PlanImage {
        char guid[GUID_STRING_SIZE];
        char from[VERSION_SIZE], to[VERSION_SIZE];
        bool automatic; /* it is lfad's to activate it */
        uint32_t job;   /* there is one already, which is not foreseen; 0 = none */
} PlanImage;

typedef struct PlanRequest {
        const Config *config;
        const State *state;
        bool config_failed;             /* the files have errors: defaults hold, and nothing is activated */
        const uint8_t *host_id;         /* as of occurrence_slot, NULL = none */
        uint64_t from_usec, until_usec; /* CLOCK_REALTIME */
        const PlanImage *images;        /* in the order in which they go */
        unsigned n_images;
        ForesightJudge judge; /* as automatic mode asks */
        void *userdata;
} PlanRequest;

/* The window of this image whose moment has come at that time, which is open still, and not used up by what automatic mode
 * tried last; "" = none. Borrowed. */
const char *plan_find_window(const Config *config, const State *state, const uint8_t *host_id,
                             const char *guid, uint64_t at_usec);

/* Returns PlanEvent, owned by the array, which the caller unrefs: first remarks, then by start, then what has none. What
 * events borrow belongs to the configuration. */
GPtrArray *plan_new(const PlanRequest *request);
