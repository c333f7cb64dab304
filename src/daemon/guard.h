/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is done around a write, so that nothing else happens to the host meanwhile, step by step:
 *
 *   PrepareForActivation, and those who asked for a delay -> logind's block lock (shutdown, sleep, idle) -> what systemd
 *   and logind say of the host -> the watchdog envelope (envelope.h)
 *
 * and all of it taken back afterwards. None of it waits in a call: each step asks and goes on when it was answered. No
 * step refuses; what was found is for the gates to judge. */

#include <stdbool.h>

typedef struct Guard Guard;
typedef struct Job Job;
typedef struct Manager Manager;

/* The guard is held: called once for each guard_take, perhaps from within it. */
typedef void (*GuardHeld)(Job *job);

Guard *guard_new(Manager *manager);
void *guard_free(Guard *guard);

/* Takes the guard for a job. It must be idle. */
void guard_take(Guard *guard, Job *job, GuardHeld held);

/* For a write that a worker of an earlier lfad has begun (job NULL: of a job that is not known): takes again what ended
 * with that lfad. */
void guard_adopt(Guard *guard, Job *job);

/* Somebody let go of an inhibitor. */
void guard_look_again(Guard *guard);

/* Gives back what this job's guard holds, wherever it had come to; does nothing when another job has it. */
void guard_release(Guard *guard, const Job *job);

/* The watchdog envelope has nothing under way any more. */
void guard_envelope_idle(Guard *guard);

/* Nothing is held, nothing is under way. */
bool guard_is_idle(const Guard *guard);

/* logind is there and did not give its lock. */
bool guard_lock_refused(const Guard *guard);

/* Why an activation is not safe although everything was tried, or NULL. */
const char *guard_watchdog_refusal(const Guard *guard);

/* What it waits for, for people; "" = nothing. */
const char *guard_describe(const Guard *guard);
