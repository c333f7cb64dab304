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
#define CALIBRATION_USEC 5000
/* The lowest there is: it is enough to run before all that is not real-time. */
#define PRIORITY 1
/* A program's thread-local variables lie in it, too; with ThreadSanitizer they alone are half of it. */
#define STACK_SIZE ((size_t) 1024 * 1024)

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

static uint64_t sleep_a_step(void) {
        static const struct timespec step = { .tv_nsec = STEP_USEC * (long) NSEC_PER_USEC };

        clock_nanosleep(CLOCK_MONOTONIC, 0, &step, NULL);
        return now_usec();
}

static void calibrate(Sampler *sampler) {
        uint64_t begin = now_usec(), now;

        blackout_meter_init(&sampler->meter, STEP_USEC, begin);
        do {
                now = sleep_a_step();
                blackout_meter_calibrate(&sampler->meter, now);
        } while (now - begin < CALIBRATION_USEC);
}

/* The last sample reaches to the end and no further: what the thread waited for afterwards is not the
 * write's. */
static void watch(Sampler *sampler) {
        uint64_t end = 0;

        while (end == 0) {
                uint64_t now = sleep_a_step(), begin = atomic_load(&sampler->begin_usec);

                end = atomic_load(&sampler->end_usec);
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
