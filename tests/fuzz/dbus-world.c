/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfad in a world that holds still. */

#include "dbus-world.h"
#include "dbus-worker.h"
#include "fuzz.h"
#include "lfa/bus-names.h"
#include "unit/unit.h"
#include "util/log.h"
#include "util/macros.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>

#define BEGIN_MONOTONIC_USEC (3600 * USEC_PER_SEC)
#define BEGIN_REALTIME_USEC (UINT64_C(1796428800) * USEC_PER_SEC)
/* More turns of the loop than any input can make necessary. */
#define TURNS_MAX 100000
#define NEVER_SEC (INT64_C(200) * 365 * 24 * 3600)
#define REPLY_SECONDS 60 /* root's calls ask nobody who may be slow */

static uint64_t passed_usec;
static bool holds_still;
static TempFolder *folder;

/* In place of libc's, for sd-event and lfad alike. libFuzzer looks at CLOCK_REALTIME, which is left as it is. */
int clock_gettime(clockid_t id, struct timespec *ret) {
        uint64_t usec = BEGIN_MONOTONIC_USEC + passed_usec;

        if (!holds_still || id == CLOCK_REALTIME)
                return (int) syscall(SYS_clock_gettime, id, ret);
        *ret = (struct timespec){ .tv_sec = (time_t) (usec / USEC_PER_SEC),
                                  .tv_nsec = (long) (usec % USEC_PER_SEC * NSEC_PER_USEC) };
        return 0;
}

uint64_t world_now(void) {
        return BEGIN_REALTIME_USEC + passed_usec;
}

/* In place of libc's, for lfad's timer by the clock on the wall: the kernel would compare with the real date. What is not due
 * by this world's clock never is, since it only moves between two turns of the loop. */
int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old) {
        uint64_t usec = (uint64_t) new->it_value.tv_sec *USEC_PER_SEC +
                        (uint64_t) new->it_value.tv_nsec / NSEC_PER_USEC;
        struct itimerspec spec = *new;

        if (holds_still && (flags & TFD_TIMER_CANCEL_ON_SET))
                spec.it_value = usec <= world_now() ? (struct timespec){ .tv_nsec = 1 }
                                                    : (struct timespec){ .tv_sec = NEVER_SEC };
        return (int) syscall(SYS_timerfd_settime, fd, flags, &spec, old);
}

static uint64_t tell_realtime(void *userdata) {
        return world_now();
}

static uint64_t tell_monotonic(void *userdata) {
        return BEGIN_MONOTONIC_USEC + passed_usec;
}

static const Clock world_clock = { .realtime_usec = tell_realtime, .monotonic_usec = tell_monotonic };

char *world_client(uint32_t uid) {
        return g_strdup_printf(":7.%u", uid);
}

static int answer_credentials(sd_bus_message *call) {
        const char *name = "";
        uint32_t uid;

        (void) sd_bus_message_read(call, "s", &name);
        uid = (uint32_t) strtoul(name + strlen(":7."), NULL, 10);
        return sd_bus_reply_method_return(call, "a{sv}", 2, "UnixUserID", "u", uid, "ProcessID", "u",
                                          (uint32_t) getpid());
}

/* Only root needs nobody's leave: of whom is asked about here, only a yes lets him activate. */
static int answer_polkit(World *world, sd_bus_message *call) {
        const char *action = "";

        (void) sd_bus_message_skip(call, "(sa{sv})");
        (void) sd_bus_message_read(call, "s", &action);
        switch (world->settings.polkit) {
        case POLKIT_SAYS_YES:
                if (strcmp(action, LFA_ACTION_ACTIVATE) == 0 ||
                    strcmp(action, LFA_ACTION_OVERRIDE_POLICY) == 0)
                        world->may_activate = true;
                return sd_bus_reply_method_return(call, "(bba{ss})", 1, 0, 0);
        case POLKIT_SAYS_NO:
                return sd_bus_reply_method_return(call, "(bba{ss})", 0, 0, 0);
        case POLKIT_SAYS_CHALLENGE:
                return sd_bus_reply_method_return(call, "(bba{ss})", 0, 1, 0);
        case POLKIT_SAYS_ERROR:
                return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_SERVICE_UNKNOWN, "no polkit");
        case POLKIT_SAYS_RUBBISH:
                return sd_bus_reply_method_return(call, "s", "yes");
        default:
                return 1;
        }
}

static int answer_bus(World *world, sd_bus_message *call, const char *member) {
        if (strcmp(member, "Hello") == 0)
                return sd_bus_reply_method_return(call, "s", LFAD);
        if (strcmp(member, "RequestName") == 0) {
                world->asked_for_name = true;
                return sd_bus_reply_method_return(call, "u", 1);
        }
        if (strcmp(member, "GetConnectionCredentials") == 0)
                return answer_credentials(call);
        world->matches += strcmp(member, "AddMatch") == 0;
        world->matches -= strcmp(member, "RemoveMatch") == 0;
        return sd_bus_reply_method_return(call, NULL);
}

/* What lfad says to others than its callers. */
static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *destination = sd_bus_message_get_destination(message);
        World *world = userdata;

        if (sd_bus_message_is_signal(message, NULL, NULL))
                return 1;
        if (!sd_bus_message_is_method_call(message, NULL, NULL))
                return 0;
        if (g_strcmp0(destination, "org.freedesktop.DBus") == 0)
                (void) answer_bus(world, message, sd_bus_message_get_member(message));
        else if (sd_bus_message_is_method_call(message, "org.freedesktop.PolicyKit1.Authority",
                                               "CheckAuthorization"))
                (void) answer_polkit(world, message);
        else
                (void) sd_bus_reply_method_errorf(message, SD_BUS_ERROR_SERVICE_UNKNOWN, "nobody is there");
        return 1;
}

static void open_bus(World *world) {
        int ends[2];

        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
        MUST(sd_bus_new(&world->bus) >= 0);
        MUST(sd_bus_set_fd(world->bus, ends[0], ends[0]) >= 0);
        MUST(sd_bus_set_server(world->bus, true,
                               SD_ID128_MAKE(1f, 2a, 3d, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00,
                                             01)) >= 0);
        MUST(sd_bus_set_trusted(world->bus, true) >= 0);
        MUST(sd_bus_negotiate_fds(world->bus, true) >= 0);
        MUST(sd_bus_start(world->bus) >= 0);
        MUST(sd_bus_attach_event(world->bus, world->event, SD_EVENT_PRIORITY_NORMAL) >= 0);
        MUST(sd_bus_add_filter(world->bus, NULL, on_message, world) >= 0);

        MUST(sd_bus_new(&world->lfad_bus) >= 0);
        MUST(sd_bus_set_fd(world->lfad_bus, ends[1], ends[1]) >= 0);
        MUST(sd_bus_set_bus_client(world->lfad_bus, true) >= 0);
        MUST(sd_bus_negotiate_fds(world->lfad_bus, true) >= 0);
        MUST(sd_bus_start(world->lfad_bus) >= 0);
        MUST(sd_bus_attach_event(world->lfad_bus, world->event, SD_EVENT_PRIORITY_NORMAL) >= 0);
}

static void on_bus_lost(void *userdata) {
        MUST(!"lfad lost its bus");
}

static void remove_folder(void) {
        folder = temp_folder_free(folder);
}

static void clear_one(const char *name) {
        int fd = openat(folder->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        MUST(dir);
        while ((entry = readdir(dir)))
                (void) unlinkat(fd, entry->d_name, 0);
        closedir(dir);
}

void world_clear_files(void) {
        static const char *const folders[] = { "etc/lfad", "state", "run", "run/inhibit" };

        if (!folder) {
                folder = temp_folder_new_in_memory();
                atexit(remove_folder);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
                g_autofree char *path = temp_path(folder, folders[i]);

                MUST(g_mkdir_with_parents(path, 0700) == 0);
                clear_one(folders[i]);
        }
}

void world_write(const char *name, const void *data, size_t size) {
        temp_write(folder, name, data, size);
}

static void settle(World *world) {
        static const char window[] = "[Window later]\nOnCalendar=2027-01-01\nDuration=1h\n";
        static char *state, *run;

        if (!world->settings.keeps_files)
                world_clear_files();
        if (!state) {
                state = temp_path(folder, "state");
                run = temp_path(folder, "run");
        }
        if (world->settings.window_closed)
                world_write("etc/lfad/lfad.conf", window, strlen(window));
        world->manager_settings =
                        (ManagerSettings){ .worker = { "worker", "/nowhere", "/nowhere", "/nowhere" },
                                           .state_folder = state,
                                           .runtime_folder = run,
                                           .config_root = folder->path,
                                           .bus = world->lfad_bus };
}

World *world_new(const WorldSettings *settings) {
        World *world = g_new0(World, 1);

        log_set_max_level(LOG_EMERG);
        passed_usec = 0;
        holds_still = true;
        world->settings = *settings;
        world->settings.worker_fails = false;
        MUST(sd_event_new(&world->event) >= 0);
        open_bus(world);
        settle(world);
        worker_answers_for(world);
        world->service = service_new(world->lfad_bus, on_bus_lost, world);
        world->manager = manager_new(world->event, &world->manager_settings, &world_clock, &service_observer,
                                     world->service);
        MUST(service_start(world->service, world->manager) >= 0);
        MUST(manager_start(world->manager) >= 0);
        world_run(world);
        world_let_time_pass(world, USEC_PER_SEC);
        MUST(world->manager->ready && world->service->named);
        world->settings.worker_fails = settings->worker_fails;
        return world;
}

void world_run(World *world) {
        unsigned turns = 0;

        while (sd_event_get_state(world->event) != SD_EVENT_FINISHED && sd_event_run(world->event, 0) > 0)
                MUST(++turns < TURNS_MAX);
}

void world_let_time_pass(World *world, uint64_t usec) {
        passed_usec += usec;
        world_run(world);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        sd_bus_message **ret = userdata;

        *ret = sd_bus_message_ref(reply);
        return 1;
}

sd_bus_message *world_call(World *world, const char *path, const char *interface, const char *member,
                           const char *types, ...) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        g_autofree char *client = world_client(0);
        sd_bus_message *reply = NULL;
        unsigned waited = 0;
        va_list arguments;

        MUST(sd_bus_message_new_method_call(world->bus, &call, LFA_BUS_NAME, path, interface, member) >= 0);
        va_start(arguments, types);
        MUST(!types || sd_bus_message_appendv(call, types, arguments) >= 0);
        va_end(arguments);
        MUST(sd_bus_message_set_sender(call, client) >= 0);
        MUST(sd_bus_call_async(world->bus, &slot, call, on_reply, &reply, UINT64_MAX) >= 0);
        world_run(world);
        while (!reply) {
                MUST(waited++ < REPLY_SECONDS);
                world_let_time_pass(world, USEC_PER_SEC);
        }
        return reply;
}

void world_vanish(World *world, uint32_t uid) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;
        g_autofree char *name = world_client(uid);

        MUST(sd_bus_message_new_signal(world->bus, &signal, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                       "NameOwnerChanged") >= 0);
        MUST(sd_bus_message_append(signal, "sss", name, name, "") >= 0);
        MUST(sd_bus_message_set_sender(signal, "org.freedesktop.DBus") >= 0);
        MUST(sd_bus_send(world->bus, signal, NULL) >= 0);
}

void *world_free(World *world) {
        manager_stop(world->manager);
        for (int i = 0; i < 20 && !world->manager->stopped; i++)
                world_let_time_pass(world, 10 * USEC_PER_SEC);
        MUST(world->manager->stopped && world->service->requests.length == 0);
        service_free(world->service);
        manager_free(world->manager);
        sd_bus_flush_close_unref(world->lfad_bus);
        sd_bus_flush_close_unref(world->bus);
        sd_event_unref(world->event);
        g_free(world);
        holds_still = false;
        return NULL;
}
