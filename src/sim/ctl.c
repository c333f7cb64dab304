/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client of the control socket. */

#include "sim/ctl.h"

#include "util/macros.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static int connect_to(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return steal_fd(&fd);
}

static int exchange(int fd, const GString *line, GString *reply) {
        char buffer[4096];
        ssize_t size;

        for (size_t sent = 0; sent < line->len; sent += (size_t) size) {
                size = send(fd, line->str + sent, line->len - sent, MSG_NOSIGNAL);
                if (size < 0)
                        return -errno;
        }
        shutdown(fd, SHUT_WR);
        while ((size = recv(fd, buffer, sizeof(buffer), 0)) > 0)
                g_string_append_len(reply, buffer, size);
        return size < 0 ? -errno : 0;
}

static int reply_print(const char *reply) {
        const char *text = strchr(reply, '\n');

        if (g_str_has_prefix(reply, "ok") && text) {
                /* without the empty line at the end */
                printf("%.*s", (int) strlen(text + 1) - 1, text + 1);
                return 0;
        }
        fprintf(stderr, "lfa-sim: %.*s\n", (int) strcspn(reply, "\n"),
                *reply ? reply : "error: the simulator is gone");
        return g_str_has_prefix(reply, "error: usage:") ? 2 : 1;
}

int ctl_run(const char *path, char **words) {
        g_autoptr(GString) line = g_string_new(NULL), reply = g_string_new(NULL);
        _cleanup_close_ int fd = -EBADF;
        int r;

        for (char **word = words; *word; word++) {
                g_autofree char *quoted = g_shell_quote(*word);

                g_string_append_printf(line, "%s ", quoted);
        }
        if (strchr(line->str, '\n')) {
                fprintf(stderr, "lfa-sim: error: usage: a word with a line end in it (write \\n)\n");
                return 2;
        }
        g_string_append_c(line, '\n');

        fd = connect_to(path);
        r = fd < 0 ? fd : exchange(fd, line, reply);
        if (r < 0) {
                fprintf(stderr, "lfa-sim: error: %s: %s\n", path, g_strerror(-r));
                return 1;
        }
        return reply_print(reply->str);
}
