/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One start of a service: from the call that makes the process to its bus name, and to READY=1 where it says that.
 *
 *   bench-start NAME name|ready PROGRAM [ARGUMENT...]
 *
 * The program gets this environment, and a NOTIFY_SOCKET of ours. Prints one line: both times in us (ready: null without
 * READY=1) and how much of a processor the process had until then, also in us. Then the program is asked to end, and waited
 * for. The bus is that of DBUS_SYSTEM_BUS_ADDRESS. */

#include "util/macros.h"

#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <time.h>

#define PATIENCE_MSEC 30000

typedef struct Start {
        const char *name;
        int notify_fd;
        sd_bus *bus;
        uint64_t named_usec, ready_usec; /* 0 = not yet */
} Start;

static uint64_t clock_usec(clockid_t clock) {
        struct timespec now;

        clock_gettime(clock, &now);
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static void fail(const char *what, int error) {
        fprintf(stderr, "bench-start: %s: %s\n", what, g_strerror(error));
        exit(1);
}

static int on_owner(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Start *start = userdata;
        const char *name, *from, *to;

        if (sd_bus_message_read(message, "sss", &name, &from, &to) >= 0 && *to && start->named_usec == 0)
                start->named_usec = clock_usec(CLOCK_MONOTONIC);
        return 0;
}

static void listen_to_bus(Start *start) {
        g_autofree char *match = g_strdup_printf("type='signal',sender='org.freedesktop.DBus',"
                                                 "member='NameOwnerChanged',arg0='%s'",
                                                 start->name);
        int r = sd_bus_open_system(&start->bus);

        if (r >= 0)
                r = sd_bus_add_match(start->bus, NULL, match, on_owner, start);
        if (r < 0)
                fail("the bus", -r);
}

/* An abstract name, told in the environment. */
static void listen_to_notifications(Start *start) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        g_autofree char *name = g_strdup_printf("@bench-start-%d", (int) getpid());
        size_t length = strlen(name);

        memcpy(address.sun_path, name, length);
        address.sun_path[0] = 0;
        start->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (start->notify_fd < 0 || bind(start->notify_fd, (struct sockaddr *) &address,
                                         (socklen_t) (offsetof(struct sockaddr_un, sun_path) + length)) < 0)
                fail("the notification socket", errno);
        setenv("NOTIFY_SOCKET", name, 1);
}

static void take_notifications(Start *start) {
        char text[4096];
        ssize_t n;

        while ((n = recv(start->notify_fd, text, sizeof(text) - 1, 0)) > 0) {
                text[n] = 0;
                if (start->ready_usec == 0 && strstr(text, "READY=1"))
                        start->ready_usec = clock_usec(CLOCK_MONOTONIC);
        }
}

static void await(Start *start, bool wants_ready, pid_t pid) {
        while (start->named_usec == 0 || (wants_ready && start->ready_usec == 0)) {
                struct pollfd polled[] = { { .fd = start->notify_fd, .events = POLLIN },
                                           { .fd = sd_bus_get_fd(start->bus), .events = POLLIN } };
                int r;

                while ((r = sd_bus_process(start->bus, NULL)) > 0)
                        continue;
                if (r < 0)
                        fail("the bus", -r);
                take_notifications(start);
                if (start->named_usec > 0 && (!wants_ready || start->ready_usec > 0))
                        return;
                if (waitpid(pid, NULL, WNOHANG) == pid)
                        fail("the program ended", ECHILD);
                if (poll(polled, G_N_ELEMENTS(polled), PATIENCE_MSEC) <= 0) {
                        (void) kill(pid, SIGKILL);
                        fail("the program did not come up", ETIMEDOUT);
                }
        }
}

/* Standard output is ours; what the program says goes where our errors go. */
static pid_t spawn(char **argv) {
        posix_spawn_file_actions_t actions;
        pid_t pid;
        int r;

        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
        r = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                fail(argv[0], r);
        return pid;
}

int main(int argc, char **argv) {
        Start start = { 0 };
        uint64_t begin, processor = 0;
        clockid_t clock;
        bool wants_ready;
        pid_t pid;

        if (argc < 4 || (strcmp(argv[2], "name") != 0 && strcmp(argv[2], "ready") != 0)) {
                fprintf(stderr, "usage: bench-start NAME name|ready PROGRAM [ARGUMENT...]\n");
                return 2;
        }
        start.name = argv[1];
        wants_ready = strcmp(argv[2], "ready") == 0;
        listen_to_bus(&start);
        listen_to_notifications(&start);
        begin = clock_usec(CLOCK_MONOTONIC);
        pid = spawn(argv + 3);
        await(&start, wants_ready, pid);
        if (clock_getcpuclockid(pid, &clock) == 0)
                processor = clock_usec(clock);
        printf("{\"name\": %" PRIu64 ", \"ready\": ", start.named_usec - begin);
        if (start.ready_usec > 0)
                printf("%" PRIu64, start.ready_usec - begin);
        else
                printf("null");
        printf(", \"processor\": %" PRIu64 "}\n", processor);
        (void) fflush(stdout);
        (void) kill(pid, SIGTERM);
        (void) waitpid(pid, NULL, 0);
        sd_bus_flush_close_unref(start.bus);
        close(start.notify_fd);
        return 0;
}
