/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs that wait for gates (when-allowed): which of them may be taken up by now, which have come to their deadline, and
 * when to look next. Looked at when something that gates judge has changed, and at the next moment at which something
 * does by itself. */

#include "core/gates.h"

typedef struct Job Job;
typedef struct Manager Manager;
typedef struct Scheduler Scheduler;

Scheduler *scheduler_new(Manager *manager);
void *scheduler_free(Scheduler *scheduler);

/* Something that gates judge may be otherwise: looks from the event loop. */
void scheduler_look_again(Scheduler *scheduler);

/* A job that is accepted, and in no list yet: sets its state to waiting if a gate defers it now. */
void scheduler_admit(Job *job);

/* Takes a job out of the queue, or from being the current one, and lets it wait. refusal: the gate's, or NULL when lfad
 * ends. */
void scheduler_wait(Job *job, GateId gate, const GateVerdict *refusal);

/* Says that it waits, and for which gate. */
void scheduler_tell_waiting(const Job *job);

/* What there is to say of a job whose deadline has come, or NULL. The caller frees it. */
char *scheduler_find_overdue(const Job *job);
