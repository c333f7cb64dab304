/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running the real program in namespaces of the test's own. */

#include "served.h"

#include "util/macros.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define CONTROL "/run/sim.sock"

static const char *program(void) {
        const char *path = getenv("LFA_SIM");

        return path ? path : "lfa-sim";
}

void served_enter(char **argv) {
        if (!getenv("SIM_TEST_IS_PRIVATE")) {
                setenv("SIM_TEST_IS_PRIVATE", "1", 1);
                execlp("unshare", "unshare", "--mount", "--net", "--propagation", "private", "--", argv[0],
                       NULL);
                perror("unshare");
                exit(EXIT_FAILURE);
        }
        /* Without /run/udev/control libudev's "udev" monitors listen to nothing. */
        if (mount("tmpfs", "/run", "tmpfs", 0, "mode=755") < 0 || mkdir("/run/udev", 0755) < 0 ||
            mknod("/run/udev/control", S_IFREG | 0600, 0) < 0) {
                perror("/run");
                exit(EXIT_FAILURE);
        }
        setenv("LFA_SIM_CONTROL", CONTROL, 1);
}

pid_t served_start(const char *profile, const char *firmware, const char *option) {
        g_autofree char *profile_option = g_strdup_printf("--profile=%s", profile);
        g_autofree char *firmware_option = g_strdup_printf("--firmware=%s", firmware);
        int fds[2];
        char byte;
        pid_t pid;

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                g_autofree char *ready = g_strdup_printf("--ready-fd=%d", dup(fds[1]));

                execl(program(), "lfa-sim", "mount", profile_option, firmware_option, "--control=" CONTROL,
                      ready, option, NULL);
                _exit(127);
        }
        close(fds[1]);
        assert_int_equal(read(fds[0], &byte, 1), 1);
        close(fds[0]);
        return pid;
}

int served_stop(pid_t pid) {
        int status;

        (void) kill(pid, SIGTERM);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int served_refused(const char *const *command, char **ret_error) {
        g_autoptr(GError) error = NULL;
        int status;

        assert_true(g_spawn_sync(NULL, (char **) command, NULL,
                                 G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                                 ret_error, &status, &error));
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int ctl(const char *line, char **ret_output) {
        g_autofree char *whole = g_strdup_printf("%s ctl %s", program(), line);
        g_autofree char *ignored = NULL;
        int status;

        assert_true(g_spawn_command_line_sync(whole, ret_output ? ret_output : &ignored, NULL, &status,
                                              NULL));
        return WEXITSTATUS(status);
}

void ctl_ok(const char *line) {
        if (ctl(line, NULL) != 0)
                fail_msg("lfa-sim ctl %s failed", line);
}

const char *file(const char *guid, const char *attribute) {
        static _Thread_local char path[256];

        snprintf(path, sizeof(path), LFA "/%s/%s", guid, attribute);
        return path;
}

char *text_of(const char *guid, const char *attribute) {
        char *text = NULL;

        if (!g_file_get_contents(file(guid, attribute), &text, NULL, NULL))
                fail_msg("cannot read %s", file(guid, attribute));
        return text;
}

ssize_t store(const char *guid, const char *attribute, const char *data, size_t size) {
        _cleanup_close_ int fd = open(file(guid, attribute), O_WRONLY | O_CLOEXEC);
        ssize_t r;

        if (fd < 0)
                return -errno;
        r = write(fd, data, size);
        return r < 0 ? -errno : r;
}

int try_open(const char *path, int flags) {
        _cleanup_close_ int fd = open(path, flags | O_CLOEXEC);

        return fd < 0 ? -errno : 0;
}

GPtrArray *names_in(const char *path) {
        GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
        DIR *directory = opendir(path);
        const struct dirent *entry;

        assert_non_null(directory);
        while ((entry = readdir(directory)))
                if (entry->d_name[0] != '.')
                        g_ptr_array_add(names, g_strdup(entry->d_name));
        closedir(directory);
        return names;
}

void assert_text(const char *guid, const char *attribute, const char *expected) {
        g_autofree char *text = text_of(guid, attribute);

        assert_string_equal(text, expected);
}
