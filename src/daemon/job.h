/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One request to activate one image, from its acceptance to its end and 60 s beyond. */

#include "core/activation-report.h"
#include "core/errors.h"
#include "core/gates.h"
#include "daemon/requester.h"
#include "daemon/worker-process.h"
#include "lfa/enums.h"

typedef enum JobProperty {
        JOB_PROPERTY_STATE = 1 << 0,
        JOB_PROPERTY_STARTED = 1 << 1,
        JOB_PROPERTY_END = 1 << 2, /* result, error, message, finished, write time, blackout */
        JOB_PROPERTY_RETRYABLE = 1 << 3,
        JOB_PROPERTY_FIRMWARE_CODE = 1 << 4,
        JOB_PROPERTY_OVERRIDDEN = 1 << 5,
        JOB_PROPERTY_MESSAGE = 1 << 6,
} JobProperty;

typedef struct Manager Manager;

typedef struct Job {
        Manager *manager; /* the owner; weak */
        uint32_t id;      /* the sequence number of its "queued" record */
        char guid[GUID_STRING_SIZE];
        JobState state;
        JobResult result;
        ErrorId error;
        FirmwareCode firmware_code; /* what the kernel's log says of the write */
        char *message;

        /* what was authorised, "" = firmware gives no version */
        char from[VERSION_SIZE], to[VERSION_SIZE];
        ActivationTerms terms;  /* with these versions as those that are expected */
        unsigned overridden;    /* mask of GateId: passed over, since they would have refused */
        bool when_allowed;      /* gates that defer are waited for ... */
        uint64_t deadline_usec; /* ... until then: CLOCK_REALTIME; 0 = they are not */
        Requester requester;
        char *reason;
        char *request_id; /* "" = none */
        uint32_t batch;   /* the jobs of one ActivatePending share it; 0 = alone */

        uint64_t queued_usec, started_usec, finished_usec; /* CLOCK_REALTIME, 0 = not yet */
        uint64_t write_usec;
        Blackout blackout;
        uint64_t taken_up_usec; /* CLOCK_MONOTONIC when it came to the head of the queue, 0 = not yet */
        unsigned put_back;      /* how often it went back there from its guard */

        /* while it waits (scheduler.c) */
        const char *waits_for;    /* the gate that defers it; NULL = not judged yet */
        uint64_t not_before_usec; /* CLOCK_REALTIME from when it may pass, 0 = not known */
        unsigned rests;           /* how often it came back from its turn to wait */
        uint64_t rest_until_usec; /* CLOCK_MONOTONIC: it is not taken up before, 0 = at any time */

        /* while it is activating */
        WorkerProcess *worker, *cancel_worker;
        bool cancel_asked; /* by canceller */
        Requester canceller;
        bool cancel_sent; /* to the driver */
        int cancel_error; /* its positive errno, 0 = taken, -1 = no answer yet */
        bool has_report;
        ActivationReport report;

        sd_event_source *forget_source; /* after its end */
} Job;

/* What a caller asks for; borrowed strings. */
typedef struct JobRequest {
        const char *guid;
        const char *from, *to;
        const Requester *requester;
        const char *reason;     /* "" = none */
        const char *request_id; /* "" = none */
        ActivationTerms terms;  /* as the caller gave them: part of what was asked */
        bool when_allowed;
        uint64_t deadline_usec; /* CLOCK_REALTIME, with when_allowed */
        bool deadline_given;    /* else it is the configuration's */
        uint32_t batch;
} JobRequest;

Job *job_new(Manager *manager, const JobRequest *request);
void *job_free(Job *job);

static inline bool job_is_done(const Job *job) {
        return job->state == JOB_DONE;
}

/* Whether the same request may succeed later with nobody changing anything: as firmware's code says where
 * one is known and nothing was activated, else as the error says. */
bool job_is_retryable(const Job *job);

/* Whether what was asked for together with a job that ended so is not gone on with: nobody has looked at what went wrong
 * yet. */
bool job_result_ends_batch(JobResult result);

/* Past its gates: it can no longer simply be dropped. */
static inline bool job_is_running(const Job *job) {
        return job->state == JOB_GUARDING || job->state == JOB_ACTIVATING || job->state == JOB_VERIFYING;
}

/* A new object with the keys that all records of a job have: job, guid, from, to. */
json_object *job_record(const Job *job);
