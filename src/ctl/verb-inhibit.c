/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfactl inhibit: a command runs while activations are held back. */

#include "ctl/call-asking.h"
#include "ctl/inhibitor-list.h"
#include "ctl/output.h"
#include "ctl/resolve.h"
#include "ctl/verbs.h"
#include "lfa/bus-names.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* As shells and env(1) have it. */
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127
#define EXIT_SIGNAL_BASE 128

/* What a terminal sends to all of its processes, and what asks for the end: the command's business. */
static const int command_signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };

typedef struct Dispositions {
        struct sigaction actions[G_N_ELEMENTS(command_signals)];
} Dispositions;

static void ignore_signals(Dispositions *before) {
        struct sigaction ignore = { .sa_handler = SIG_IGN };

        for (size_t i = 0; i < G_N_ELEMENTS(command_signals); i++)
                sigaction(command_signals[i], &ignore, &before->actions[i]);
}

static void restore_signals(const Dispositions *before) {
        for (size_t i = 0; i < G_N_ELEMENTS(command_signals); i++)
                sigaction(command_signals[i], &before->actions[i], NULL);
}

/* GUIDs, so that lfad means what was found here. */
static ExitCode find_images(Client *client, GPtrArray *guids) {
        _cleanup_(inventory_freep) Inventory *inventory = NULL;
        const Options *options = client->options;
        ExitCode code = options->images.count > 0 ? inventory_load(client, &inventory) : EXIT_DONE;

        for (unsigned i = 0; code == EXIT_DONE && i < options->images.count; i++) {
                Image *image;

                code = resolve_image(client, inventory, options->images.items[i], &image);
                if (code == EXIT_DONE)
                        g_ptr_array_add(guids, g_strdup(image->guid));
        }
        g_ptr_array_add(guids, NULL);
        return code;
}

static int call_inhibit(Client *client, const char *who, char **guids, sd_bus_error *error, int *ret_fd) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        const Options *options = client->options;
        int fd, r;

        r = client_new_call(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "Inhibit", &call);
        if (r >= 0)
                r = sd_bus_message_append(call, "sss", who, options->why, options->inhibit_mode);
        if (r >= 0)
                r = sd_bus_message_append_strv(call, guids);
        if (r >= 0)
                r = sd_bus_message_append(call, "a{sv}", 0);
        if (r >= 0)
                r = call_asking(client, call, error, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "h", &fd);
        if (r < 0)
                return r;
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* the command must not hold it, whatever it leaves behind */
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

static _Noreturn void run_command(char **argv, const Dispositions *before) {
        int error;

        restore_signals(before);
        execvp(argv[0], argv);
        error = errno;
        output_note("lfactl: Cannot run '%s': %s.", argv[0], g_strerror(error));
        (void) fflush(NULL);
        _exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* The exit status of the command, in the way of a shell. */
static ExitCode wait_for(Client *client, pid_t pid) {
        int status;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return client_fail(client, EXIT_FAILED, SD_BUS_ERROR_FAILED, NULL,
                                           "The command's end cannot be known: %s.", g_strerror(errno));
        return (ExitCode) (WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SIGNAL_BASE + WTERMSIG(status));
}

static ExitCode hold_and_run(Client *client, char **argv) {
        Dispositions before;
        pid_t pid;

        /* Nobody listens there as long as the command runs. */
        client->bus = sd_bus_flush_close_unref(client->bus);
        ignore_signals(&before);
        (void) fflush(NULL);
        pid = fork();
        if (pid == 0)
                run_command(argv, &before);
        if (pid < 0)
                return client_fail(client, EXIT_FAILED, SD_BUS_ERROR_FAILED, NULL,
                                   "Cannot run a command: %s.", g_strerror(errno));
        return wait_for(client, pid);
}

ExitCode verb_inhibit_check(Client *client, int argc, char **argv) {
        const Options *options = client->options;

        if (argc > 0 && options->list)
                return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS,
                                   "Leave out the command to see who holds activations back.",
                                   "--list runs nothing.");
        if (argc > 0 && client_json(client))
                return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS, "--json goes with --list.",
                                   "Standard output is the command's own.");
        if (argc > 0 && options->host)
                return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS,
                                   "Run it there: ssh HOST lfactl inhibit --why=TEXT -- COMMAND.",
                                   "A command here cannot hold activations back on another host.");
        if (argc > 0 && !options->why)
                return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS,
                                   "Write --why=TEXT; who is held back will read it.",
                                   "'inhibit' needs to know why.");
        if (argc == 0 && (options->why || options->who || options->images.count > 0))
                return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS,
                                   "Write it behind two dashes: lfactl inhibit --why=TEXT -- COMMAND.",
                                   "'inhibit' needs to know for which command.");
        return EXIT_DONE;
}

/* A name that the bus takes. */
static char *name_of(const char *command) {
        g_autofree char *name = g_path_get_basename(command);

        return g_utf8_make_valid(name, -1);
}

ExitCode verb_inhibit(Client *client, int argc, char **argv) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(GPtrArray) guids = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *command = argc > 0 ? name_of(argv[0]) : NULL;
        _cleanup_close_ int fd = -EBADF;
        ExitCode code;
        int r;

        if (argc == 0)
                return inhibitor_list_show(client);
        code = find_images(client, guids);
        if (code != EXIT_DONE)
                return code;
        r = call_inhibit(client, client->options->who ? client->options->who : command,
                         (char **) guids->pdata, &error, &fd);
        if (r < 0)
                return client_fail_call(client, &error, r, "Cannot hold activations back");
        return hold_and_run(client, argv);
}
