/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What automatic mode will activate, and when: the gates themselves are asked about one moment after the other, on the
 * assumption that nothing changes but the time, and that what was foreseen came to pass. Pure. */

#include "core/gates.h"

/* So often gates are run for one look ahead; what is undecided then stays so. */
#define FORESIGHT_QUESTIONS_MAX 500

typedef enum ForesightOutcome {
        FORESEEN_OPEN,    /* there were too many questions */
        FORESEEN_START,   /* it is begun at at_usec */
        FORESEEN_LATER,   /* not before at_usec, which is beyond the time that was looked at */
        FORESEEN_BLOCKED, /* something is in the way, of which nobody knows when it ends */
        FORESEEN_DENIED,  /* a gate denies: something must change first */
} ForesightOutcome;

typedef struct Foresight {
        const char *guid; /* borrowed */
        ForesightOutcome outcome;
        uint64_t at_usec;    /* CLOCK_REALTIME */
        GateId gate;         /* what is in the way, unless it is begun */
        GateVerdict verdict; /* of that gate */
} Foresight;

/* What is assumed at a moment. */
typedef struct ForesightQuestion {
        const char *guid;
        uint64_t at_usec;              /* CLOCK_REALTIME */
        GPtrArray *done;               /* const char *: GUIDs of the images that were activated until then */
        uint64_t last_activation_usec; /* of these; 0 = none */
} ForesightQuestion;

/* Runs the gates as they would be at that moment. */
typedef void (*ForesightJudge)(const ForesightQuestion *question, GateVerdict verdicts[static _GATE_MAX],
                               void *userdata);

/* images: with their GUIDs, in the order in which they are begun when they may at the same time; the rest is filled in.
 * from, until: CLOCK_REALTIME in µs, both inclusive. */
void foresight_run(Foresight *images, unsigned n, uint64_t from_usec, uint64_t until_usec,
                   ForesightJudge judge, void *userdata);
