/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The request loop of the file system. */

#define FUSE_USE_VERSION 312

#include "sim/fuse-loop.h"

#include "util/macros.h"

#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <glib.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>

struct FuseLoop {
        struct fuse_session *session; /* borrowed */
        void (*ended)(void *userdata);
        void *userdata;
        int stop_fd; /* becomes readable when the loop shall end */
        pthread_t thread;
        pthread_mutex_t lock; /* guards all below */
        pthread_cond_t wanted, gone;
        GQueue requests; /* of Request, owned: those that no thread has taken yet */
        unsigned n_threads, n_idle;
        bool stopped;
};

typedef struct Request {
        void *data; /* owned */
        size_t size;
} Request;

/* Consumes the request. */
static void request_answer(FuseLoop *loop, Request *request) {
        struct fuse_buf buffer = { .mem = request->data, .size = request->size };

        fuse_session_process_buf(loop->session, &buffer);
        g_free(request->data);
        g_free(request);
}

/* With the lock held: the next request, or NULL when there will be none. */
static Request *request_await(FuseLoop *loop) {
        while (g_queue_is_empty(&loop->requests) && !loop->stopped)
                pthread_cond_wait(&loop->wanted, &loop->lock);
        return g_queue_pop_head(&loop->requests);
}

static void *answer_main(void *userdata) {
        FuseLoop *loop = userdata;
        Request *request;

        pthread_mutex_lock(&loop->lock);
        while ((request = request_await(loop))) {
                loop->n_idle--;
                pthread_mutex_unlock(&loop->lock);
                request_answer(loop, request);
                pthread_mutex_lock(&loop->lock);
                loop->n_idle++;
        }
        loop->n_threads--;
        pthread_cond_signal(&loop->gone);
        pthread_mutex_unlock(&loop->lock);
        return NULL;
}

/* With the lock held. */
static bool answerer_start(FuseLoop *loop) {
        pthread_attr_t detached;
        pthread_t thread;
        bool started;

        pthread_attr_init(&detached);
        pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
        started = pthread_create(&thread, &detached, answer_main, loop) == 0;
        pthread_attr_destroy(&detached);
        loop->n_threads += started;
        loop->n_idle += started;
        return started;
}

/* Only attributes wait, for firmware or for each other. All else is answered by who takes it: two changes of threads cost
 * more than the answer. */
static bool may_wait(const struct fuse_buf *received) {
        const struct fuse_in_header *header = received->mem;

        return header->opcode == FUSE_READ || header->opcode == FUSE_WRITE;
}

static void request_start(FuseLoop *loop, struct fuse_buf *received, size_t size) {
        Request *request;
        bool taken;

        if (!may_wait(received)) {
                fuse_session_process_buf(loop->session, received);
                return;
        }
        request = g_new0(Request, 1);
        *request = (Request){ .data = g_memdup2(received->mem, size), .size = size };
        pthread_mutex_lock(&loop->lock);
        taken = g_queue_get_length(&loop->requests) < loop->n_idle || answerer_start(loop);
        if (taken) {
                g_queue_push_tail(&loop->requests, request);
                pthread_cond_signal(&loop->wanted);
        }
        pthread_mutex_unlock(&loop->lock);
        if (!taken)
                request_answer(loop, request);
}

/* False when the file system is no longer there. */
static bool request_take(FuseLoop *loop, struct fuse_buf *buffer) {
        int size = fuse_session_receive_buf(loop->session, buffer);

        if (size > 0)
                request_start(loop, buffer, (size_t) size);
        return size > 0 || size == -EAGAIN || size == -EINTR;
}

static void *loop_main(void *userdata) {
        FuseLoop *loop = userdata;
        struct pollfd polled[] = {
                { .fd = fuse_session_fd(loop->session), .events = POLLIN },
                { .fd = loop->stop_fd, .events = POLLIN },
        };
        struct fuse_buf buffer = { 0 };

        while (!fuse_session_exited(loop->session)) {
                if (poll(polled, G_N_ELEMENTS(polled), -1) < 0)
                        continue;
                if (polled[1].revents)
                        break;
                if (!request_take(loop, &buffer)) {
                        loop->ended(loop->userdata);
                        break;
                }
        }
        free(buffer.mem);
        return NULL;
}

static int thread_start(FuseLoop *loop) {
        sigset_t all, old;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(&loop->thread, NULL, loop_main, loop);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        return -r;
}

static FuseLoop *loop_destroy(FuseLoop *loop) {
        safe_close(loop->stop_fd);
        pthread_cond_destroy(&loop->wanted);
        pthread_cond_destroy(&loop->gone);
        pthread_mutex_destroy(&loop->lock);
        g_free(loop);
        return NULL;
}

int fuse_loop_new(struct fuse_session *session, void (*ended)(void *userdata), void *userdata,
                  FuseLoop **ret_loop) {
        int fd = fuse_session_fd(session), stop_fd = eventfd(0, EFD_CLOEXEC), r;
        FuseLoop *loop;

        if (stop_fd < 0)
                return -errno;
        loop = g_new0(FuseLoop, 1);
        *loop = (FuseLoop){ .session = session, .ended = ended, .userdata = userdata, .stop_fd = stop_fd };
        pthread_mutex_init(&loop->lock, NULL);
        pthread_cond_init(&loop->wanted, NULL);
        pthread_cond_init(&loop->gone, NULL);
        r = fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ? -errno : thread_start(loop);
        if (r < 0) {
                loop_destroy(loop);
                return r;
        }
        *ret_loop = loop;
        return 0;
}

FuseLoop *fuse_loop_free(FuseLoop *loop) {
        if (!loop)
                return NULL;
        (void) eventfd_write(loop->stop_fd, 1);
        pthread_join(loop->thread, NULL);
        pthread_mutex_lock(&loop->lock);
        loop->stopped = true;
        pthread_cond_broadcast(&loop->wanted);
        while (loop->n_threads > 0)
                pthread_cond_wait(&loop->gone, &loop->lock);
        pthread_mutex_unlock(&loop->lock);
        return loop_destroy(loop);
}
