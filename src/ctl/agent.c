/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running pkttyagent(1) beside a call. */

#include "ctl/agent.h"

#include "util/macros.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-login.h>
#include <termios.h>

#define AGENT_PATH "/usr/bin/pkttyagent"
#define REGISTER_MSEC (10 * 1000)

static const int ending_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* What a signal handler needs to know; there is one agent at a time. */
static struct {
        pid_t pid;
        bool saved;
        struct termios terminal;
        struct sigaction before[G_N_ELEMENTS(ending_signals)];
} running;

/* In the background the terminal is somebody else's: changing it would stop lfactl, and take what is not meant for it. */
static bool in_foreground(void) {
        return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* Only what may be called within a signal handler. The agent is not left to put the terminal back by itself: sent to the
 * background, that would stop it and lfactl with it. */
static void end_agent(void) {
        (void) kill(running.pid, SIGKILL);
        while (waitpid(running.pid, NULL, 0) < 0 && errno == EINTR)
                ;
        if (running.saved && in_foreground())
                tcsetattr(STDIN_FILENO, TCSADRAIN, &running.terminal);
}

static void on_ending_signal(int number) {
        end_agent();
        signal(number, SIG_DFL);
        raise(number);
}

/* What was ignored does not end lfactl, and stays ignored: nohup(1). */
static void guard_terminal(pid_t pid) {
        struct sigaction action = { .sa_handler = on_ending_signal };

        running.pid = pid;
        for (size_t i = 0; i < G_N_ELEMENTS(ending_signals); i++)
                sigaddset(&action.sa_mask, ending_signals[i]);
        for (size_t i = 0; i < G_N_ELEMENTS(ending_signals); i++) {
                sigaction(ending_signals[i], NULL, &running.before[i]);
                if (running.before[i].sa_handler != SIG_IGN)
                        sigaction(ending_signals[i], &action, NULL);
        }
}

static bool in_session(void) {
        char *session = NULL;
        bool found = sd_pid_get_session(0, &session) >= 0;

        free(session); /* of sd-login's malloc */
        return found;
}

static _Noreturn void run_agent(pid_t parent, int notify_fd) {
        char number[16];

        /* The agent must not outlive lfactl, however that ends, and whatever lfactl ignores. */
        signal(SIGTERM, SIG_DFL);
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
                _exit(1);
        if (fcntl(notify_fd, F_SETFD, 0) < 0)
                _exit(1);
        snprintf(number, sizeof(number), "%d", notify_fd);
        /* polkit never asks a fallback where there is no session, and then no other agent can be in the way of this one */
        execl(AGENT_PATH, AGENT_PATH, "--notify-fd", number, in_session() ? "--fallback" : NULL,
              (char *) NULL);
        _exit(1);
}

/* pkttyagent closes its end when it is registered; exiting closes it too. */
static void wait_registered(int fd) {
        struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

        while (poll(&poll_fd, 1, REGISTER_MSEC) < 0 && errno == EINTR)
                ;
}

static bool is_useful(const Client *client) {
        return client->options->ask_password && !client_is_remote(client) && geteuid() != 0 &&
               isatty(STDIN_FILENO) && in_foreground();
}

void agent_start(Client *client, PasswordAgent *agent) {
        _cleanup_close_ int read_end = -EBADF, write_end = -EBADF;
        pid_t parent = getpid(), pid;
        int ends[2];

        if (!is_useful(client))
                return;
        client->lacks_agent = access(AGENT_PATH, X_OK) < 0;
        if (client->lacks_agent || pipe2(ends, O_CLOEXEC) < 0)
                return;
        read_end = ends[0];
        write_end = ends[1];
        (void) fflush(NULL);
        running.saved = tcgetattr(STDIN_FILENO, &running.terminal) == 0;
        pid = fork();
        if (pid == 0)
                run_agent(parent, write_end);
        if (pid < 0)
                return;
        guard_terminal(pid);
        agent->pid = pid;
        write_end = safe_close(write_end);
        wait_registered(read_end);
}

void agent_stop(PasswordAgent *agent) {
        if (agent->pid == 0)
                return;
        end_agent();
        for (size_t i = 0; i < G_N_ELEMENTS(ending_signals); i++)
                sigaction(ending_signals[i], &running.before[i], NULL);
        agent->pid = 0;
}
