/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sampler thread. Everything it needs lies in one locked mapping that was made before it starts: a page
 * fault or an allocation while it samples would look like a stall. */

#include "worker/sampler.h"
#include "util/macros.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

/* Short against a rendezvous that is worth knowing (20 ms), long against what a wake-up costs. */
#define STEP_USEC 500
/* What a wake-up is late by does not depend on how long the sleep was, and the activation waits for these. More would
 * tell no more, since what disturbs seldom is not met anyhow. */
#define CALIBRATION_STEP_USEC 125
#define CALIBRATION_STEPS 4
/* The lowest there is: it is enough to run before all that is not real-time. */
#define PRIORITY 1
/* All of it is locked, and so made, before the write. A program's thread-local variables lie in it, too; with
 * ThreadSanitizer they alone are half a MiB. */
#ifndef __has_feature /* clang's */
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) || __has_feature(thread_sanitizer) ||     \
                __has_feature(address_sanitizer)
#define STACK_SIZE ((size_t) 1024 * 1024)
#else
#define STACK_SIZE ((size_t) 256 * 1024) /* twice what glibc wants at least on arm64 */
#endif

struct Sampler {
        _Alignas(64) char stack[STACK_SIZE];
        pthread_t thread;
        sem_t calibrated;
        _Atomic uint64_t begin_usec, end_usec; /* 0 = not yet */
        BlackoutMeter meter;                   /* the thread's own until it is joined */
};

static uint64_t now_usec(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC_RAW, &ts); /* adjusted by nobody */
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / NSEC_PER_USEC;
}

static uint64_t sleep_for(unsigned usec) {
        const struct timespec step = { .tv_nsec = (long) (usec * NSEC_PER_USEC) };

        clock_nanosleep(CLOCK_MONOTONIC, 0, &step, NULL);
        return now_usec();
}

static void calibrate(Sampler *sampler) {
        blackout_meter_init(&sampler->meter, STEP_USEC, now_usec());
        for (int i = 0; i < CALIBRATION_STEPS; i++)
                blackout_meter_calibrate(&sampler->meter, CALIBRATION_STEP_USEC,
                                         sleep_for(CALIBRATION_STEP_USEC));
}

/* The last sample reaches to the end and no further: what the thread waited for afterwards is not the
 * write's. */
static void watch(Sampler *sampler) {
        uint64_t end = 0;

        while (end == 0) {
                uint64_t now = sleep_for(STEP_USEC), begin;

                end = atomic_load(&sampler->end_usec);
                begin = atomic_load(
                                &sampler->begin_usec); /* after the end: a short write may fit between the two */
                if (end > 0 && end < now)
                        now = end;
                if (begin > 0)
                        blackout_meter_take(&sampler->meter, begin, now);
                else
                        blackout_meter_skip(&sampler->meter, now);
        }
}

static void *run(void *userdata) {
        const struct sched_param priority = { .sched_priority = PRIORITY };
        Sampler *sampler = userdata;

        (void) pthread_setname_np(pthread_self(), "lfad-sampler");
        (void) pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority); /* else as everybody */
        calibrate(sampler);
        sem_post(&sampler->calibrated);
        watch(sampler);
        return NULL;
}

static int start_thread(Sampler *sampler) {
        pthread_attr_t attributes;
        int r = pthread_attr_init(&attributes);

        if (r != 0)
                return -r;
        r = pthread_attr_setstack(&attributes, sampler->stack, sizeof(sampler->stack));
        if (r == 0)
                r = pthread_create(&sampler->thread, &attributes, run, sampler);
        pthread_attr_destroy(&attributes);
        return -r;
}

static void unmap(Sampler *sampler) {
        sem_destroy(&sampler->calibrated);
        munmap(sampler, sizeof(*sampler));
}

Sampler *sampler_start(void) {
        Sampler *sampler = mmap(NULL, sizeof(*sampler), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

        if (sampler == MAP_FAILED)
                return NULL;
        (void) mlock(sampler, sizeof(*sampler)); /* unlocked it measures a little less well */
        sem_init(&sampler->calibrated, 0, 0);
        if (start_thread(sampler) < 0) {
                unmap(sampler);
                return NULL;
        }
        while (sem_wait(&sampler->calibrated) < 0)
                continue;
        return sampler;
}

void sampler_begin(Sampler *sampler) {
        if (sampler)
                atomic_store(&sampler->begin_usec, now_usec());
}

void sampler_end(Sampler *sampler) {
        if (sampler)
                atomic_store(&sampler->end_usec, now_usec());
}

Blackout sampler_stop(Sampler *sampler) {
        Blackout blackout = { 0 };

        if (!sampler)
                return blackout;
        if (atomic_load(&sampler->end_usec) == 0)
                sampler_end(sampler);
        pthread_join(sampler->thread, NULL);
        if (sampler->meter.result.measured)
                blackout = sampler->meter.result;
        unmap(sampler);
        return blackout;
}
