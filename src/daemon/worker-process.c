/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One running lfad-worker. */

#include "daemon/worker-process.h"
#include "util/log.h"
#include "util/macros.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>

/* More than a tree of TREE_IMAGES_MAX images needs; what goes beyond is not an answer. */
#define ANSWERS_SIZE_MAX (8 * 1024 * 1024)

struct WorkerProcess {
        const WorkerCallbacks *callbacks;
        void *userdata;
        pid_t pid;
        int output_fd;
        sd_event_source *output_source, *child_source;
        char line[ANSWER_LINE_MAX + 1]; /* what has come of the line so far */
        size_t line_length;
        size_t received;
        bool garbage;
};

static void take_line(WorkerProcess *worker) {
        Answer answer;

        if (answer_parse(worker->line, worker->line_length, &answer) < 0)
                worker->garbage = true;
        else if (worker->callbacks->answer)
                worker->callbacks->answer(&answer, worker->userdata);
        worker->line_length = 0;
}

static void take_bytes(WorkerProcess *worker, const char *bytes, size_t size) {
        for (size_t i = 0; i < size && !worker->garbage; i++) {
                if (bytes[i] == '\n')
                        take_line(worker);
                else if (worker->line_length < ANSWER_LINE_MAX)
                        worker->line[worker->line_length++] = bytes[i];
                else
                        worker->garbage = true;
        }
}

static void close_output(WorkerProcess *worker) {
        worker->output_source = sd_event_source_disable_unref(worker->output_source);
        worker->output_fd = safe_close(worker->output_fd);
}

/* Reads what there is. A worker that says too much, or rubbish, is listened to no longer; it may go on to
 * its end. */
static void drain_output(WorkerProcess *worker, unsigned reads) {
        char buffer[4096];

        while (worker->output_fd >= 0 && reads-- > 0) {
                ssize_t n = read(worker->output_fd, buffer, sizeof(buffer));

                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        return;
                if (n <= 0) {
                        close_output(worker);
                        return;
                }
                worker->received += (size_t) n;
                if (worker->received > ANSWERS_SIZE_MAX)
                        worker->garbage = true;
                take_bytes(worker, buffer, (size_t) n);
                if (worker->garbage) {
                        log_warning("lfad-worker[%d] said something that is no answer; ignoring the rest.",
                                    (int) worker->pid);
                        close_output(worker);
                }
        }
}

static int on_output(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        drain_output(userdata, 16);
        return 0;
}

static int on_process_exit(sd_event_source *source, const siginfo_t *info, void *userdata) {
        WorkerProcess *worker = userdata;
        bool clean = info->si_code == CLD_EXITED && info->si_status == 0;

        if (info->si_code != CLD_EXITED)
                log_warning("lfad-worker[%d] was killed by signal %d.", (int) worker->pid, info->si_status);
        drain_output(worker, ANSWERS_SIZE_MAX / 4096);
        close_output(worker);
        if (worker->line_length > 0)
                worker->garbage = true;
        worker->callbacks->ended(clean && !worker->garbage, worker->userdata);
        return 0;
}

static int watch(WorkerProcess *worker, sd_event *event) {
        int r = sd_event_add_io(event, &worker->output_source, worker->output_fd, EPOLLIN, on_output,
                                worker);

        if (r < 0)
                return r;
        (void) sd_event_source_set_description(worker->output_source, "worker-output");
        r = sd_event_add_child(event, &worker->child_source, worker->pid, WEXITED, on_process_exit, worker);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(worker->child_source, "worker-exit");
        return 0;
}

/* Only the answers' pipe, the lock and stderr go on to the worker, and its signals are blocked from its
 * first instruction on. */
static int spawn(const WorkerSettings *settings, const GPtrArray *arguments, int output_fd, int inherited_fd,
                 pid_t *ret) {
        g_autoptr(GPtrArray) argv = g_ptr_array_new();
        char *const environment[] = { (char *) "LC_ALL=C.UTF-8", NULL };
        g_autofree char *sysfs = g_strdup_printf("--sysfs=%s", settings->sysfs);
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t all;
        int r;

        g_ptr_array_add(argv, (char *) "lfad-worker");
        for (unsigned i = 0; i < arguments->len; i++)
                g_ptr_array_add(argv, arguments->pdata[i]);
        g_ptr_array_add(argv, sysfs);
        g_ptr_array_add(argv, NULL);

        sigfillset(&all);
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
        if (r == 0 && inherited_fd >= 0)
                r = posix_spawn_file_actions_adddup2(&actions, inherited_fd, WORKER_INHERITED_FD);
        if (r == 0)
                r = posix_spawnattr_setsigmask(&attributes, &all);
        if (r == 0)
                r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        if (r == 0)
                r = posix_spawn(ret, settings->path, &actions, &attributes, (char *const *) argv->pdata,
                                environment);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        return -r;
}

int worker_process_start(sd_event *event, const WorkerSettings *settings, const GPtrArray *arguments,
                         int inherited_fd, const WorkerCallbacks *callbacks, void *userdata,
                         WorkerProcess **ret) {
        _cleanup_close_ int read_end = -EBADF, write_end = -EBADF;
        WorkerProcess *worker;
        int ends[2], r;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        read_end = ends[0];
        write_end = ends[1];
        if (fcntl(read_end, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        r = spawn(settings, arguments, write_end, inherited_fd, &pid);
        if (r < 0)
                return r;

        worker = g_new0(WorkerProcess, 1);
        worker->callbacks = callbacks;
        worker->userdata = userdata;
        worker->pid = pid;
        worker->output_fd = steal_fd(&read_end);
        r = watch(worker, event);
        if (r < 0) {
                log_error_errno(r, "lfad-worker[%d] runs, but cannot be watched", (int) pid);
                worker_process_free(worker);
                return 1;
        }
        *ret = worker;
        return 0;
}

pid_t worker_process_pid(const WorkerProcess *worker) {
        return worker->pid;
}

void *worker_process_free(WorkerProcess *worker) {
        if (worker) {
                close_output(worker);
                sd_event_source_disable_unref(worker->child_source);
                g_free(worker);
        }
        return NULL;
}
