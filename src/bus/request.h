/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way of every acting method, from the call to the reply, none of it blocking:
 *
 *   credentials -> the host, when the type needs it -> a fresh reading, likewise -> check -> polkit -> check again
 *   -> act
 *
 * check has no effect and runs before polkit, so that nobody types a password to learn that nothing is
 * pending, and after it, since the world may have changed meanwhile: what polkit was shown must be what
 * runs. uid 0 needs no polkit. */

#include "bus/requester.h"
#include "bus/service.h"
#include "core/gates.h"
#include "lfa/message-ids.h"

typedef struct Request Request;

typedef enum Freshness {
        FRESH_ANY,    /* check judges nothing that is read from the driver */
        FRESH_RECENT, /* a reading of the last second; a refusal is given only on one that began after the
                         call */
        FRESH_SINCE,  /* a reading that began after the call, but for one while an activation runs */
        FRESH_NEW,    /* a reading that began after the call, whatever runs */
} Freshness;

typedef struct RequestType {
        const char *action; /* polkit's; a request may need another one */
        Freshness freshness;
        bool judges_host; /* check runs the gates */
        /* They are run for later, and only told: neither the host nor the watchdogs are asked for one call alone */
        bool looks_ahead;
        /* polkit's answer is only told, not obeyed, and nobody is asked for a password (Explain) */
        bool advisory;
        /* Refuses, or fills request->details. Returns 0 or a negative errno with error set. */
        int (*check)(Request *request, sd_bus_error *error);
        /* True when polkit need not be asked here. May be NULL. */
        bool (*exempt)(const Request *request);
        /* After an authorization: true when there is one more thing to check and ask about. May be NULL. */
        bool (*next)(Request *request);
        /* Does it and replies. Returns 0 or a negative errno with error set (then the error is the reply).
         */
        int (*act)(Request *request, sd_bus_error *error);
} RequestType;

/* One image with the versions that were checked, and shown to polkit. */
typedef struct Target {
        char guid[GUID_STRING_SIZE], from[VERSION_SIZE], to[VERSION_SIZE];
} Target;

struct Request {
        Service *service; /* the owner; weak */
        const RequestType *type;
        const char *action; /* polkit's: the type's, unless more is asked for */
        sd_bus_message *message;
        uint64_t arrived_usec; /* CLOCK_MONOTONIC */
        bool started;          /* else it waits for its turn to be asked about */
        bool identified;
        uint32_t uid, pid;   /* of the caller: proof and hint */
        Requester requester; /* the same and more hints, from act on */

        /* what the method was called with; strings of the options are borrowed from message */
        char *image;  /* as it was named */
        uint32_t job; /* an id */
        ActivationTerms terms;
        bool when_allowed;
        uint64_t deadline;   /* CLOCK_REALTIME in µs, 0 = the configuration's */
        GPtrArray *override; /* names of gates, or NULL; strings are borrowed from message */
        const char *reason, *request_id;
        uint64_t at;    /* CLOCK_REALTIME in µs, 0 = now */
        bool authorize; /* Explain: ask polkit too */
        uint64_t until; /* Hold: CLOCK_REALTIME in µs, 0 = until it is released */

        Inhibitor inhibitor; /* Inhibit: what is wanted, without images */
        GPtrArray *images;   /* several, as they were named, borrowed from message; or NULL */

        /* what check has found; details: alternating keys and values */
        GPtrArray *details;
        Target target;
        GArray *targets; /* ActivatePending: Target, all of them */
        unsigned next_target;
        char **guids;       /* of images: sorted, each once; NULL = all */
        uint32_t known_job; /* the job that this request-id stands for already, 0 = none */

        char *shown; /* the details polkit was shown, as one text */
        bool asked_again;
        MessageId refusal;      /* what the journal is told if it fails */
        const char *authorized; /* Explain: yes, no, challenge, or "" */
        sd_bus_slot *slot;      /* the credentials' call */
        struct PolkitCheck *polkit;
        sd_bus_slot *gone_slot; /* watches the caller while polkit is asked */
};

/* Begins. Takes the request; the reply comes from the event loop. Returns 1, or a negative errno with error
 * set. */
int request_start(Request *request, sd_bus_error *error);

Request *request_new(Service *service, const RequestType *type, sd_bus_message *message);
void *request_free(Request *request);

static inline void request_freep(Request **request) {
        *request = request_free(*request);
}

void request_add_detail(Request *request, const char *key, const char *value);
