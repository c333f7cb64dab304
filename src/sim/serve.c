/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Brings machine, mount, file system and control socket up, tells that all is ready, waits for a signal,
 * `quit` or the end of the command, and takes everything down again, also after a failure half-way. */

#include "sim/serve.h"

#include "sim/control.h"
#include "sim/fuse-front.h"
#include "sim/mount.h"
#include "sim/sysfs-stand-in.h"
#include "util/macros.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>

#define DEV_KMSG "/dev/kmsg"

typedef struct Simulator {
        const ServeOptions *options;
        Machine *machine;
        Mount *mount;
        Front *front;
        ControlServer *control;
        char *control_path;
        char *directory; /* private one of the socket, when a command runs */
        bool sysfs_made;
        pid_t main_pid;
        pid_t child;  /* the command; 0: none, or it has ended */
        int start_fd; /* the child begins when this gets a byte and gives up when it is closed */
        sigset_t waited, old_mask;
} Simulator;

static int fail(const char *what, int r) {
        fprintf(stderr, "lfa-sim: %s: %s\n", what, g_strerror(-r));
        return r;
}

/* Called from other threads: the main thread waits for signals only. */
static void ask_to_end(void *userdata) {
        const Simulator *simulator = userdata;

        (void) kill(simulator->main_pid, SIGTERM);
}

static void signals_block(Simulator *simulator) {
        sigemptyset(&simulator->waited);
        sigaddset(&simulator->waited, SIGTERM);
        sigaddset(&simulator->waited, SIGINT);
        sigaddset(&simulator->waited, SIGHUP);
        sigaddset(&simulator->waited, SIGCHLD);
        pthread_sigmask(SIG_BLOCK, &simulator->waited, &simulator->old_mask);
        signal(SIGPIPE, SIG_IGN);
}

/* A namespace of one's own, from which nothing spreads back. */
static int namespace_enter(void) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno;
        return 0;
}

static int control_path_choose(Simulator *simulator) {
        const ServeOptions *options = simulator->options;

        if (options->control || !options->command) {
                simulator->control_path =
                                g_strdup(options->control ? options->control : CONTROL_DEFAULT_PATH);
                return 0;
        }
        g_autofree char *directory = g_strdup("/tmp/lfa-sim.XXXXXX");

        if (!mkdtemp(directory))
                return -errno;
        simulator->directory = g_steal_pointer(&directory);
        simulator->control_path = g_build_filename(simulator->directory, "control.sock", NULL);
        return 0;
}

static void child_main(const Simulator *simulator, int start_fd) {
        char byte;

        /* Nothing is set up yet; if that fails, the other end is closed. */
        if (read(start_fd, &byte, 1) != 1)
                _exit(EXIT_FAILURE);
        signal(SIGPIPE, SIG_DFL);
        pthread_sigmask(SIG_SETMASK, &simulator->old_mask, NULL);
        setenv("LFA_SIM_CONTROL", simulator->control_path, 1);
        execvp(simulator->options->command[0], simulator->options->command);
        fprintf(stderr, "lfa-sim: %s: %s\n", simulator->options->command[0], g_strerror(errno));
        _exit(errno == ENOENT ? 127 : 126);
}

/* Forks while there is one thread only; the child waits for child_release. */
static int child_start(Simulator *simulator) {
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        simulator->child = fork();
        if (simulator->child == 0) {
                close(fds[1]);
                child_main(simulator, fds[0]);
        }
        close(fds[0]);
        simulator->start_fd = fds[1];
        return simulator->child < 0 ? -errno : 0;
}

static int child_release(Simulator *simulator) {
        int r = write(simulator->start_fd, "", 1) == 1 ? 0 : -EPIPE;

        simulator->start_fd = safe_close(simulator->start_fd);
        return r;
}

static int machine_up(Simulator *simulator) {
        const ServeOptions *options = simulator->options;
        g_autoptr(UeventSender) uevents = NULL;
        int r;

        if (!options->no_uevents && options->traits->device_subsystem) {
                r = uevent_sender_new(&uevents);
                if (r < 0)
                        return fail("cannot send uevents (see --no-uevents)", r);
        }
        r = machine_new(options->traits, options->model, uevents, &simulator->machine);
        if (r < 0)
                return fail("cannot start", r);
        g_steal_pointer(&uevents);
        machine_set_speed(simulator->machine, options->speed);
        simulator->machine->quit = ask_to_end;
        simulator->machine->quit_userdata = simulator;
        return 0;
}

static int device_up(Simulator *simulator) {
        const char *suffix = simulator->options->device_suffix;
        int r;

        if (!suffix)
                return 0;
        r = machine_set_device_suffix(simulator->machine, strcmp(suffix, "none") == 0 ? NULL : suffix);
        return r < 0 ? fail("--device-suffix: this driver version's device has none", r) : 0;
}

static int files_up(Simulator *simulator) {
        g_autofree char *error = NULL;
        int r;

        r = mount_new(simulator->options->mountpoint, &simulator->mount, &error);
        if (r >= 0) {
                r = front_new(simulator->machine, simulator->mount->entries, simulator->mount->fuse_fd,
                              ask_to_end, simulator, &simulator->front);
                if (r < 0)
                        return fail("cannot serve the file system", r);
                simulator->mount->fuse_fd = -EBADF;
                r = mount_bind_entries(simulator->mount, &error);
        }
        if (r < 0)
                fprintf(stderr, "lfa-sim: %s\n", error);
        return r;
}

/* What was asked for must work; what `run` does by itself is a convenience. */
static int kernel_log_up(Simulator *simulator) {
        const ServeOptions *options = simulator->options;
        g_autofree char *error = NULL;
        int r = 0;

        if (options->kernel_log)
                r = mount_bind_kernel_log(simulator->mount, options->kernel_log, &error);
        else if (options->command && access(DEV_KMSG, F_OK) == 0)
                (void) mount_bind_kernel_log(simulator->mount, DEV_KMSG, &error);
        if (error)
                fprintf(stderr, "lfa-sim: %s\n", error);
        return r;
}

static int sysfs_up(Simulator *simulator) {
        const ServeOptions *options = simulator->options;
        int r;

        if (!options->sysfs)
                return 0;
        r = sysfs_stand_in_make(options->sysfs, options->traits, options->mountpoint);
        simulator->sysfs_made = r >= 0;
        return r < 0 ? fail(options->sysfs, r) : 0;
}

static int simulator_up(Simulator *simulator) {
        int r;

        r = machine_up(simulator);
        if (r < 0)
                return r;
        r = device_up(simulator);
        if (r < 0)
                return r;
        r = files_up(simulator);
        if (r >= 0)
                r = kernel_log_up(simulator);
        if (r >= 0)
                r = sysfs_up(simulator);
        if (r < 0)
                return r;
        r = machine_plug(simulator->machine, !simulator->options->unbound);
        if (r < 0)
                return fail("the driver does not bind", r);
        r = control_server_new(simulator->machine, simulator->control_path, &simulator->control);
        if (r < 0)
                return fail(simulator->control_path, r);
        return 0;
}

static void simulator_down(Simulator *simulator) {
        if (simulator->machine) {
                if (simulator->front)
                        machine_unplug(simulator->machine);
                machine_stop(simulator->machine);
        }
        simulator->control = control_server_free(simulator->control);
        if (simulator->mount)
                mount_undo(simulator->mount);
        simulator->front = front_free(simulator->front);
        simulator->mount = mount_free(simulator->mount);
        simulator->machine = machine_free(simulator->machine);
        if (simulator->sysfs_made)
                sysfs_stand_in_remove(simulator->options->sysfs, simulator->options->traits);
        if (simulator->directory)
                (void) rmdir(simulator->directory);
        g_free(simulator->directory);
        g_free(simulator->control_path);
        simulator->start_fd = safe_close(simulator->start_fd);
}

static void tell_ready(const ServeOptions *options) {
        if (options->ready_fd >= 0) {
                if (write(options->ready_fd, "\n", 1) != 1)
                        fprintf(stderr, "lfa-sim: nobody reads the ready descriptor\n");
                close(options->ready_fd);
        }
        (void) sd_notify(0, "READY=1");
}

static int status_of(int wait_status) {
        return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* Returns the exit status. Signals end a serving simulator; with a command they are passed on to it. `quit` also
 * frees a command that is blocked in the simulated kernel, which no signal could. */
static int simulator_wait(Simulator *simulator) {
        for (;;) {
                siginfo_t info;
                int number = sigwaitinfo(&simulator->waited, &info), wait_status;

                if (number < 0)
                        continue;
                if (simulator->child <= 0 && number != SIGCHLD)
                        return EXIT_SUCCESS;
                if (simulator->child > 0 && number == SIGCHLD &&
                    waitpid(simulator->child, &wait_status, WNOHANG) == simulator->child) {
                        simulator->child = 0;
                        return status_of(wait_status);
                }
                if (number == SIGTERM && info.si_pid == simulator->main_pid)
                        machine_stop(simulator->machine);
                if (simulator->child > 0 && (number == SIGTERM || number == SIGHUP))
                        (void) kill(simulator->child, number); /* SIGINT has reached the whole terminal */
        }
}

static int simulator_main(Simulator *simulator) {
        int r = 0;

        signals_block(simulator);
        r = control_path_choose(simulator);
        if (r >= 0 && simulator->options->command) {
                r = namespace_enter();
                if (r >= 0)
                        r = child_start(simulator);
        }
        if (r < 0) {
                (void) fail("cannot prepare", r);
                return EXIT_FAILURE;
        }
        if (simulator_up(simulator) < 0)
                return EXIT_FAILURE;
        tell_ready(simulator->options);
        if (simulator->options->command && child_release(simulator) < 0)
                return EXIT_FAILURE;
        return simulator_wait(simulator);
}

int serve(const ServeOptions *options) {
        Simulator simulator = { .options = options, .main_pid = getpid(), .start_fd = -EBADF };
        int status = simulator_main(&simulator);

        simulator_down(&simulator);
        if (simulator.child > 0)
                (void) waitpid(simulator.child, NULL, 0);
        return status;
}
