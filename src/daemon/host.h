/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What systemd and logind say of the host: is it starting, stopping, going to sleep. They are asked, never waited for.
 */

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

/* Takes back what was asked for with this userdata. */
void host_forget(Host *host, const void *userdata);

/* The last answers; lock_refused is not for this module to know. */
const SystemFacts *host_facts(const Host *host);
