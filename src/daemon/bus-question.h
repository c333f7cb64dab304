/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Asking other services of the bus (systemd, logind) without waiting for them. */

#include <stdint.h>
#include <systemd/sd-bus.h>

typedef struct BusQuestion BusQuestion;

/* A property of another service. */
typedef struct BusProperty {
        const char *service, *path, *interface, *name;
        const char *type; /* its signature */
} BusProperty;

/* Called once, never from within the function that asks. error: 0; -ENXIO when nobody offers that service on this
 * bus; -ETIMEDOUT when it did not answer within BUS_QUESTION_PATIENCE_USEC; another negative errno when it refused,
 * lacks what was asked for, or answered something else. answer: of a call the reply, of a property a message that is
 * positioned at its value; NULL on error. The question may be freed in it, and is of no use afterwards. */
typedef void (*BusAnswered)(int error, sd_bus_message *answer, void *userdata);

#define BUS_QUESTION_PATIENCE_USEC (5 * UINT64_C(1000000))

/* Sends a method call. Returns 0, or a negative errno, and then answered is not called. */
int bus_question_call(sd_bus_message *call, BusAnswered answered, void *userdata, BusQuestion **ret);

int bus_question_get(sd_bus *bus, const BusProperty *property, BusAnswered answered, void *userdata,
                     BusQuestion **ret);

/* For properties of type "t". The answer has no value. */
int bus_question_set_u64(sd_bus *bus, const BusProperty *property, uint64_t value, BusAnswered answered,
                         void *userdata, BusQuestion **ret);

/* No answer is wanted any more; what was asked for may happen nevertheless. */
void *bus_question_free(BusQuestion *question);
