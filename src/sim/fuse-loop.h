/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Serves a FUSE session: one thread takes requests, each is answered in another one that nobody else waits for,
 * since any may have to wait for the simulated driver. Threads are kept for later requests: starting one costs
 * more than most answers. libfuse's own loop can only be ended by another request, which nobody may make safely
 * from within the serving process; this one ends when told. */

struct fuse_session;

typedef struct FuseLoop FuseLoop;

/* The session must be mounted already and outlive the loop. ended() is called from the loop's thread when
 * serving has ended by itself (unmounted, aborted). Returns 0 or a negative errno. */
int fuse_loop_new(struct fuse_session *session, void (*ended)(void *userdata), void *userdata,
                  FuseLoop **ret_loop);

/* Takes no more requests, waits for those being answered (they must not wait any more), returns NULL. What
 * is still in the kernel's queue fails once the session's descriptor is closed. */
FuseLoop *fuse_loop_free(FuseLoop *loop);
