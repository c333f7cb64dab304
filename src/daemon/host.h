/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What systemd, logind and timedated say of the host: is it starting, stopping, going to sleep; is its clock right. They
 * are asked, never waited for. */

#include "core/system.h"
#include "util/clock.h"

#include <stdint.h>
#include <systemd/sd-bus.h>

typedef struct Host Host;

/* Called once for each host_ask that returned false. */
typedef void (*HostAnswered)(void *userdata);

/* bus: weak; NULL: there is neither systemd nor logind. clock must outlive the object. */
Host *host_new(sd_bus *bus, const Clock *clock);
void *host_free(Host *host); /* nobody is called any more */

/* Asks, unless answers to questions from not_before_usec (CLOCK_MONOTONIC) or later are there. Returns true when they
 * are; else answered is called later. Each service has BUS_QUESTION_PATIENCE_USEC to answer. */
bool host_ask(Host *host, uint64_t not_before_usec, HostAnswered answered, void *userdata);

/* The same, of the clock, too. Only for whom it matters: systemd starts timedated for it. */
bool host_ask_with_clock(Host *host, uint64_t not_before_usec, HostAnswered answered, void *userdata);

/* Since when the answers to all questions are waited for (CLOCK_MONOTONIC), UINT64_MAX = nothing is asked now. */
uint64_t host_asking_since(const Host *host);

/* Takes back what was asked for with this userdata. */
void host_forget(Host *host, const void *userdata);

/* The last answers; lock_refused is not for this module to know. */
const SystemFacts *host_facts(const Host *host);

/* It was asked for and found to be right within half of that time: no need to start timedated for it again. */
bool host_clock_was_right_lately(const Host *host);

/* Whether it is synchronised, as it was said last; unknown when nobody asked within HOST_CLOCK_VALID_USEC. */
SystemAnswer host_clock_synchronized(const Host *host);
#define HOST_CLOCK_VALID_USEC (600 * UINT64_C(1000000))
