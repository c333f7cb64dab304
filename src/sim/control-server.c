/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The listening socket and a thread per connection. Whatever comes in, only complete lines of bounded length
 * reach the commands. */

#include "sim/control.h"

#include "util/macros.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define CONNECTIONS_MAX 64

struct ControlServer {
        Machine *machine; /* borrowed */
        char *path;
        int fd;
        pthread_t thread;
        bool thread_runs;
        pthread_mutex_t lock; /* guards connections */
        pthread_cond_t ended;
        int connections[CONNECTIONS_MAX]; /* descriptors; negative: free */
        unsigned n_connections;
};

typedef struct Connection {
        ControlServer *server;
        unsigned place;
        int fd;
} Connection;

static bool send_all(int fd, const char *data, size_t size) {
        while (size > 0) {
                ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);

                if (sent < 0 && errno == EINTR)
                        continue;
                if (sent <= 0)
                        return false;
                data += sent;
                size -= (size_t) sent;
        }
        return true;
}

/* Executes the complete lines of input and keeps the rest; false when the connection is over. */
static bool lines_execute(const Connection *connection, GString *input) {
        char *end;

        while ((end = memchr(input->str, '\n', input->len))) {
                size_t length = (size_t) (end - input->str);
                g_autofree char *line = g_strndup(input->str, length);
                g_autoptr(GString) reply = g_string_new(NULL);

                if (strlen(line) == length)
                        control_execute(connection->server->machine, line, reply);
                else
                        g_string_append(reply, "error: usage: the line holds a zero byte\n\n");
                g_string_erase(input, 0, (gssize) length + 1);
                if (!send_all(connection->fd, reply->str, reply->len))
                        return false;
        }
        if (input->len <= CONTROL_LINE_MAX)
                return true;
        send_all(connection->fd, "error: usage: the line is too long\n\n", 36);
        return false;
}

static void *connection_main(void *userdata) {
        Connection *connection = userdata;
        ControlServer *server = connection->server;
        g_autoptr(GString) input = g_string_new(NULL);
        char buffer[4096];
        ssize_t size;

        while ((size = recv(connection->fd, buffer, sizeof(buffer), 0)) > 0) {
                g_string_append_len(input, buffer, size);
                if (!lines_execute(connection, input))
                        break;
        }
        pthread_mutex_lock(&server->lock);
        server->connections[connection->place] = -EBADF;
        close(connection->fd);
        server->n_connections--;
        g_free(connection);
        pthread_cond_broadcast(&server->ended);
        pthread_mutex_unlock(&server->lock);
        return NULL;
}

/* With the lock held. */
static int free_place(const ControlServer *server) {
        for (int i = 0; i < CONNECTIONS_MAX; i++)
                if (server->connections[i] < 0)
                        return i;
        return -EBUSY;
}

static void connection_start(ControlServer *server, int fd) {
        Connection *connection = g_new0(Connection, 1);
        pthread_attr_t detached;
        pthread_t thread;
        int place;

        pthread_attr_init(&detached);
        pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
        pthread_mutex_lock(&server->lock);
        place = free_place(server);
        *connection = (Connection){ .server = server, .place = place < 0 ? 0 : (unsigned) place, .fd = fd };
        if (place >= 0 && pthread_create(&thread, &detached, connection_main, connection) == 0) {
                server->connections[place] = fd;
                server->n_connections++;
        } else {
                close(fd);
                g_free(connection);
        }
        pthread_mutex_unlock(&server->lock);
        pthread_attr_destroy(&detached);
}

static void *server_main(void *userdata) {
        ControlServer *server = userdata;

        for (;;) {
                int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);

                if (fd >= 0)
                        connection_start(server, fd);
                else if (errno != EINTR && errno != ECONNABORTED)
                        return NULL; /* shut down */
        }
}

static int address_set(const char *path, struct sockaddr_un *ret_address) {
        *ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
        if (strlen(path) >= sizeof(ret_address->sun_path))
                return -ENAMETOOLONG;
        strcpy(ret_address->sun_path, path);
        return 0;
}

/* A socket that refuses connections belongs to nobody any more. */
static void left_over_remove(const struct sockaddr_un *address) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd >= 0 && connect(fd, (const struct sockaddr *) address, sizeof(*address)) < 0 &&
            errno == ECONNREFUSED)
                (void) unlink(address->sun_path);
}

static int server_listen(ControlServer *server) {
        struct sockaddr_un address;
        mode_t mask;
        int r;

        r = address_set(server->path, &address);
        if (r < 0)
                return r;
        left_over_remove(&address);
        server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (server->fd < 0)
                return -errno;
        mask = umask(0177);
        r = bind(server->fd, (struct sockaddr *) &address, sizeof(address)) < 0 ? -errno : 0;
        umask(mask);
        if (r < 0) {
                g_clear_pointer(&server->path, g_free); /* not ours to remove */
                return r;
        }
        return listen(server->fd, CONNECTIONS_MAX) < 0 ? -errno : 0;
}

static int server_start(ControlServer *server) {
        sigset_t all, old;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(&server->thread, NULL, server_main, server);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        server->thread_runs = r == 0;
        return -r;
}

int control_server_new(Machine *machine, const char *path, ControlServer **ret_server) {
        ControlServer *server = g_new0(ControlServer, 1);
        int r;

        server->machine = machine;
        server->path = g_strdup(path);
        server->fd = -EBADF;
        for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
                server->connections[i] = -EBADF;
        pthread_mutex_init(&server->lock, NULL);
        pthread_cond_init(&server->ended, NULL);
        r = server_listen(server);
        if (r >= 0)
                r = server_start(server);
        if (r < 0) {
                control_server_free(server);
                return r;
        }
        *ret_server = server;
        return 0;
}

ControlServer *control_server_free(ControlServer *server) {
        if (!server)
                return NULL;
        if (server->thread_runs) {
                shutdown(server->fd, SHUT_RDWR);
                pthread_join(server->thread, NULL);
        }
        pthread_mutex_lock(&server->lock);
        for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
                if (server->connections[i] >= 0)
                        shutdown(server->connections[i], SHUT_RD);
        while (server->n_connections > 0)
                pthread_cond_wait(&server->ended, &server->lock);
        pthread_mutex_unlock(&server->lock);

        if (server->path)
                (void) unlink(server->path);
        safe_close(server->fd);
        pthread_cond_destroy(&server->ended);
        pthread_mutex_destroy(&server->lock);
        g_free(server->path);
        g_free(server);
        return NULL;
}
