/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfad: the daemon's main, wiring only. */

#include "bus/service.h"
#include "config.h"
#include "util/journal-socket.h"
#include "util/log.h"
#include "util/macros.h"

#include <assert.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define SYSTEM_BUS_ADDRESS "unix:path=/run/dbus/system_bus_socket" /* sd_bus_open_system(3)'s default */

typedef struct Daemon {
        ManagerSettings settings;
        sd_event *event;
        sd_bus *bus;
        Service *service;
        Manager *manager;
        bool failed;
} Daemon;

static int print_help(void) {
        printf("lfad [OPTIONS...]\n\n"
               "Decides when live firmware activations may run, makes them safe, and remembers them.\n"
               "Started by systemd; talk to it with lfactl(1).\n\n"
               "      --worker=PATH      The worker program (default: %s)\n"
               "      --sysfs=DIR        Where sysfs is mounted (default: /sys)\n"
               "      --procfs=DIR       Where procfs is mounted (default: /proc)\n"
               "      --kernel-log=PATH  The kernel's log (default: /dev/kmsg)\n"
               "      --config-root=DIR  Look for etc/lfad, run/lfad and usr/lib/lfad below it (default: /)\n"
               "      --debug            Log more\n"
               "      --version          Show the version\n"
               "  -h, --help             Show this help\n\n"
               "Environment: STATE_DIRECTORY (default /var/lib/lfad), RUNTIME_DIRECTORY (default /run/lfad).\n",
               LFAD_WORKER_PATH);
        return 0;
}

/* Returns 1 to go on, else the negative or zero exit. */
static int parse_arguments(int argc, char **argv, ManagerSettings *settings) {
        enum {
                OPTION_WORKER = 256,
                OPTION_SYSFS,
                OPTION_PROCFS,
                OPTION_KERNEL_LOG,
                OPTION_CONFIG_ROOT,
                OPTION_DEBUG,
                OPTION_VERSION
        };
        static const struct option options[] = {
                { "worker", required_argument, NULL, OPTION_WORKER },
                { "sysfs", required_argument, NULL, OPTION_SYSFS },
                { "procfs", required_argument, NULL, OPTION_PROCFS },
                { "kernel-log", required_argument, NULL, OPTION_KERNEL_LOG },
                { "config-root", required_argument, NULL, OPTION_CONFIG_ROOT },
                { "debug", no_argument, NULL, OPTION_DEBUG },
                { "version", no_argument, NULL, OPTION_VERSION },
                { "help", no_argument, NULL, 'h' },
                { NULL, 0, NULL, 0 },
        };
        int option;

        while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (option) {
                case OPTION_WORKER:
                        settings->worker.path = optarg;
                        break;
                case OPTION_SYSFS:
                        settings->worker.sysfs = optarg;
                        break;
                case OPTION_PROCFS:
                        settings->worker.procfs = optarg;
                        break;
                case OPTION_KERNEL_LOG:
                        settings->worker.kernel_log = optarg;
                        break;
                case OPTION_CONFIG_ROOT:
                        settings->config_root = optarg;
                        break;
                case OPTION_DEBUG:
                        log_set_max_level(LOG_DEBUG);
                        break;
                case OPTION_VERSION:
                        printf("lfad %s\n", LFAD_VERSION);
                        return 0;
                case 'h':
                        return print_help();
                default:
                        return -EINVAL;
                }
        if (optind < argc) {
                fprintf(stderr, "lfad takes no arguments: '%s'.\n", argv[optind]);
                return -EINVAL;
        }
        return 1;
}

/* An activation under way is awaited and recorded; then the loop ends, with an error so that systemd starts
 * us anew. */
static void on_bus_lost(void *userdata) {
        Daemon *daemon = userdata;

        daemon->failed = true;
        manager_stop(daemon->manager);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Daemon *daemon = userdata;

        log_event(LFA_MESSAGE_STOPPING, NULL, "Stopping on %s.", strsignal((int) info->ssi_signo));
        manager_stop(daemon->manager);
        return 0;
}

static int block_signals(void) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGCHLD);
        (void) signal(SIGPIPE, SIG_IGN);
        (void) signal(SIGHUP,
                      SIG_IGN); /* a terminal that closes is no reason to stop; reloading is a method */
        return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

static const char *environment_or(const char *name, const char *fallback) {
        const char *value = getenv(name);

        return value && *value ? value : fallback;
}

/* Clients may fill our table with the descriptors of all calls that wait, those for a reading of the watchdogs and the
 * one that is looked at included, and a full one would cost us the bus. Also in the unit file. */
#define DESCRIPTORS_MAX 131072
static_assert((REQUESTS_MAX + WATCHDOG_WAITERS_MAX + 2) * MESSAGE_DESCRIPTORS_MAX + 8192 <= DESCRIPTORS_MAX,
              "lfad's own descriptors find no place");

static void raise_descriptor_limit(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= DESCRIPTORS_MAX)
                return;
        limit.rlim_cur = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < DESCRIPTORS_MAX)
                log_debug("Not more than %llu descriptors can be open.",
                          (unsigned long long) limit.rlim_cur);
}

/* As sd_bus_open_system does. */
static int open_bus(sd_bus **ret) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        int r = sd_bus_new(&bus);

        if (r >= 0)
                r = sd_bus_set_description(bus, "lfad");
        if (r >= 0)
                r = sd_bus_set_address(bus, environment_or("DBUS_SYSTEM_BUS_ADDRESS", SYSTEM_BUS_ADDRESS));
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, true);
        if (r >= 0)
                r = sd_bus_negotiate_fds(bus, true);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                *ret = sd_bus_ref(bus);
        return r;
}

static int prepare(Daemon *daemon) {
        int r = block_signals();

        raise_descriptor_limit();
        if (r >= 0)
                r = sd_event_default(&daemon->event);
        if (r >= 0)
                r = sd_event_add_signal(daemon->event, NULL, SIGTERM, on_signal, daemon);
        if (r >= 0)
                r = sd_event_add_signal(daemon->event, NULL, SIGINT, on_signal, daemon);
        if (r < 0)
                return log_error_errno(r, "Cannot set up the event loop");
        if (g_mkdir_with_parents(daemon->settings.runtime_folder, 0755) < 0)
                return log_error_errno(-errno, "Cannot create %s", daemon->settings.runtime_folder);
        r = open_bus(&daemon->bus);
        if (r >= 0)
                r = sd_bus_attach_event(daemon->bus, daemon->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return log_error_errno(r, "Cannot connect to the system bus");
        daemon->settings.bus = daemon->bus;
        return 0;
}

static int run(Daemon *daemon) {
        int r = prepare(daemon);

        if (r < 0)
                return r;
        daemon->service = service_new(daemon->bus, on_bus_lost, daemon);
        daemon->manager = manager_new(daemon->event, &daemon->settings, &system_clock, &service_observer,
                                      daemon->service);
        r = service_start(daemon->service, daemon->manager);
        if (r < 0)
                return log_error_errno(r, "Cannot export the objects");
        r = manager_start(daemon->manager);
        if (r < 0)
                return r; /* it has said why */
        r = sd_event_loop(daemon->event);
        if (r < 0)
                return log_error_errno(r, "The event loop failed");
        return daemon->failed ? -ECONNRESET : 0;
}

static void release(Daemon *daemon) {
        service_free(daemon->service);
        manager_free(daemon->manager);
        sd_bus_flush_close_unref(daemon->bus);
        sd_event_unref(daemon->event);
}

int main(int argc, char **argv) {
        Daemon daemon = {
                .settings = {
                        .worker = { .path = LFAD_WORKER_PATH, .sysfs = "/sys", .procfs = "/proc", .kernel_log = "/dev/kmsg" },
                        .state_folder = environment_or("STATE_DIRECTORY", "/var/lib/lfad"),
                        .runtime_folder = environment_or("RUNTIME_DIRECTORY", "/run/lfad"),
                },
        };
        int r;

        log_open(JOURNAL_SOCKET);
        r = parse_arguments(argc, argv, &daemon.settings);
        if (r <= 0)
                return r < 0 ? 2 : EXIT_SUCCESS;
        r = run(&daemon);
        release(&daemon);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
