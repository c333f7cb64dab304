/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running pkttyagent(1) beside a call. */

#include "ctl/agent.h"

#include "util/macros.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define AGENT_PATH "/usr/bin/pkttyagent"
#define REGISTER_MSEC (10 * 1000)

static _Noreturn void run_agent(pid_t parent, int notify_fd) {
        char number[16];

        /* The agent must not outlive lfactl, however that ends. */
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
                _exit(1);
        if (fcntl(notify_fd, F_SETFD, 0) < 0)
                _exit(1);
        snprintf(number, sizeof(number), "%d", notify_fd);
        execl(AGENT_PATH, AGENT_PATH, "--notify-fd", number, "--fallback", (char *) NULL);
        _exit(1);
}

/* pkttyagent closes its end when it is registered; exiting closes it too. */
static void wait_registered(int fd) {
        struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

        while (poll(&poll_fd, 1, REGISTER_MSEC) < 0 && errno == EINTR)
                ;
}

void agent_start(PasswordAgent *agent) {
        _cleanup_close_ int read_end = -EBADF, write_end = -EBADF;
        pid_t parent = getpid();
        int ends[2];

        if (geteuid() == 0 || !isatty(STDIN_FILENO) || access(AGENT_PATH, X_OK) < 0)
                return;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return;
        read_end = ends[0];
        write_end = ends[1];
        fflush(NULL);
        agent->pid = fork();
        if (agent->pid == 0)
                run_agent(parent, write_end);
        if (agent->pid < 0) {
                agent->pid = 0;
                return;
        }
        write_end = safe_close(write_end);
        wait_registered(read_end);
}

void agent_stop(PasswordAgent *agent) {
        if (agent->pid == 0)
                return;
        kill(agent->pid, SIGTERM);
        kill(agent->pid, SIGCONT);
        while (waitpid(agent->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        agent->pid = 0;
}
