/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many clients of a bus service in one process, in C so that they take as little as possible of the time that is measured.
 *
 *   bench-clients calls CLIENTS SECONDS SERVICE PATH INTERFACE METHOD [STRING]
 *     Each client calls again as soon as it is answered. Prints one line: the number of calls, how long all that took, and
 *     the median and the 99th percentile of what one waited for its answer.
 *   bench-clients signals CLIENTS PATH
 *     Each client listens to PropertiesChanged of one object. Prints "ready", and then one line for each signal that all
 *     of them received: CLOCK_MONOTONIC of the first and of the last, in us.
 *
 * The bus is that of DBUS_SYSTEM_BUS_ADDRESS. Ends with an error when a call fails. epoll(7) and not sd-event, which looks
 * at each connection before each sleep: a thousand clients would then cost more than what they measure. */

#include "util/macros.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <systemd/sd-bus.h>
#include <time.h>

#define SIGNALS_MAX 4096

typedef struct Call {
        const char *service, *path, *interface, *method, *argument;
} Call;

typedef struct Clients {
        int epoll_fd;
        unsigned count;
        bool ended;
        Call call;
        uint64_t end_usec;  /* no call begins after this */
        unsigned under_way; /* calls, or matches that are not confirmed yet */
        GArray *waits;      /* double, us */
        struct {
                unsigned received;
                uint64_t first_usec;
        } rounds[SIGNALS_MAX];
} Clients;

typedef struct Client {
        Clients *all;
        sd_bus *bus;
        uint64_t called_usec;
        unsigned signals;
} Client;

static uint64_t now_usec(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static void check(int r, const char *what) {
        if (r >= 0)
                return;
        fprintf(stderr, "bench-clients: %s: %s\n", what, g_strerror(-r));
        exit(1);
}

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *error);

static void send_call(Client *client) {
        const Call *call = &client->all->call;

        client->called_usec = now_usec();
        check(sd_bus_call_method_async(client->bus, NULL, call->service, call->path, call->interface,
                                       call->method, on_answer, client, call->argument ? "s" : NULL,
                                       call->argument),
              call->method);
        client->all->under_way++;
}

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *error) {
        Client *client = userdata;
        Clients *all = client->all;
        uint64_t now = now_usec();
        double wait = (double) (now - client->called_usec);
        const sd_bus_error *failure = sd_bus_message_get_error(answer);

        if (failure) {
                fprintf(stderr, "bench-clients: %s: %s\n", all->call.method, failure->message);
                exit(1);
        }
        g_array_append_val(all->waits, wait);
        all->under_way--;
        if (now < all->end_usec)
                send_call(client);
        else if (all->under_way == 0)
                all->ended = true;
        return 1;
}

static int compare(const void *a, const void *b) {
        const double *x = a, *y = b;

        return *x < *y ? -1 : *x > *y;
}

static double percentile(const GArray *sorted, unsigned percent) {
        return g_array_index(sorted, double, (sorted->len - 1) * percent / 100);
}

static void connect_all(Clients *all, Client *clients) {
        all->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        for (unsigned i = 0; i < all->count; i++) {
                Client *client = &clients[i];
                struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };

                client->all = all;
                check(sd_bus_open_system(&client->bus), "sd_bus_open_system");
                check(sd_bus_get_unique_name(client->bus, &(const char *){ NULL }), "Hello");
                check(epoll_ctl(all->epoll_fd, EPOLL_CTL_ADD, sd_bus_get_fd(client->bus), &event) < 0
                                      ? -errno
                                      : 0,
                      "epoll_ctl");
        }
}

static void run(Clients *all) {
        struct epoll_event events[64];

        while (!all->ended) {
                int n = epoll_wait(all->epoll_fd, events, G_N_ELEMENTS(events), -1), r;

                check(n < 0 && errno != EINTR ? -errno : 0, "epoll_wait");
                for (int i = 0; i < n; i++) {
                        Client *client = events[i].data.ptr;

                        while ((r = sd_bus_process(client->bus, NULL)) > 0)
                                continue;
                        check(r, "sd_bus_process");
                }
        }
}

static void run_calls(Clients *all, Client *clients, double seconds) {
        uint64_t begin;

        begin = now_usec();
        all->end_usec = begin + (uint64_t) (seconds * 1e6);
        for (unsigned i = 0; i < all->count; i++)
                send_call(&clients[i]);
        run(all);
        seconds = (double) (now_usec() - begin) / 1e6;
        g_array_sort(all->waits, compare);
        printf("{\"calls\": %u, \"seconds\": %.6f, \"median\": %.1f, \"p99\": %.1f}\n", all->waits->len,
               seconds, percentile(all->waits, 50), percentile(all->waits, 99));
}

static int on_signal(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Client *client = userdata;
        Clients *all = client->all;
        uint64_t now = now_usec();

        if (client->signals >= SIGNALS_MAX)
                return 0;
        if (all->rounds[client->signals].received++ == 0)
                all->rounds[client->signals].first_usec = now;
        if (all->rounds[client->signals].received == all->count) {
                printf("{\"first\": %" PRIu64 ", \"last\": %" PRIu64 "}\n",
                       all->rounds[client->signals].first_usec, now);
                (void) fflush(stdout);
        }
        client->signals++;
        return 0;
}

static int on_match(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Clients *all = ((Client *) userdata)->all;

        if (--all->under_way == 0) {
                printf("ready\n");
                (void) fflush(stdout);
        }
        return 1;
}

static void run_signals(Clients *all, Client *clients, const char *path) {
        for (unsigned i = 0; i < all->count; i++) {
                all->under_way++;
                check(sd_bus_match_signal_async(clients[i].bus, NULL, NULL, path,
                                                "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                                on_signal, on_match, &clients[i]),
                      "AddMatch");
        }
        run(all);
}

static int print_usage(void) {
        fprintf(stderr, "usage: bench-clients calls CLIENTS SECONDS SERVICE PATH INTERFACE METHOD [STRING]\n"
                        "       bench-clients signals CLIENTS PATH\n");
        return 2;
}

int main(int argc, char **argv) {
        bool calls = argc >= 8 && argc <= 9 && strcmp(argv[1], "calls") == 0;
        bool signals = argc == 4 && strcmp(argv[1], "signals") == 0;
        const struct rlimit descriptors = { 8192, 8192 };
        Clients all = { .waits = g_array_new(FALSE, FALSE, sizeof(double)) };
        g_autofree Client *clients = NULL;

        if (!calls && !signals)
                return print_usage();
        (void) setrlimit(RLIMIT_NOFILE, &descriptors);
        all.count = (unsigned) atoi(argv[2]);
        clients = g_new0(Client, all.count);
        connect_all(&all, clients);
        if (calls) {
                all.call = (Call){ argv[4], argv[5], argv[6], argv[7], argc == 9 ? argv[8] : NULL };
                run_calls(&all, clients, atof(argv[3]));
        } else
                run_signals(&all, clients, argv[3]);
        for (unsigned i = 0; i < all.count; i++)
                sd_bus_flush_close_unref(clients[i].bus);
        g_array_unref(all.waits);
        close(all.epoll_fd);
        return 0;
}
