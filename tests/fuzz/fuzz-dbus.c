/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls of everything on lfad's objects, by anybody, in any order and with any arguments: each gets one reply, of the
 * type that was promised or an error with a text, arguments of other types are refused, nothing is activated that nobody
 * may have activated, and nothing is left behind. The input: a world, and calls in it (dbus-calls.c). */

#include "dbus-calls.h"
#include "fuzz.h"
#include "lfa/bus-names.h"
#include "util/macros.h"

#include <dirent.h>

#define CALLS_MAX 24
#define ERROR_TEXT_MAX 8192 /* what is wrong, and what is said with every error */
/* A person has five minutes to answer polkit, and is asked twice at most for each of several images. */
#define PATIENCE_USEC (3600 * USEC_PER_SEC)
#define ROOTS_PATIENCE_USEC (60 * USEC_PER_SEC) /* nobody is asked */

typedef struct Sent {
        Call call;
        bool answered, excused; /* excused: the caller is gone */
        sd_bus_message *reply;  /* kept: it may have a descriptor that holds something */
        sd_bus_slot *slot;
} Sent;

static GPtrArray *methods;

static void check_error(const sd_bus_error *error) {
        MUST(g_str_has_prefix(error->name, LFA_ERROR_PREFIX) ||
             g_str_has_prefix(error->name, "org.freedesktop.DBus.Error."));
        if (g_str_has_prefix(error->name, "org.freedesktop.DBus.Error.Unknown"))
                return; /* sd-bus' own, with the name that the caller gave */
        MUST(error->message);
        must_be_text(error->message, ERROR_TEXT_MAX);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        Sent *sent = userdata;

        MUST(!sent->answered);
        sent->answered = true;
        sent->reply = sd_bus_message_ref(reply);
        if (error)
                check_error(error);
        else {
                MUST(!sent->call.wrong_arguments);
                MUST(!sent->call.method ||
                     strcmp(sd_bus_message_get_signature(reply, true), sent->call.method->out) == 0);
        }
        return 1;
}

/* Of which no answer can be awaited. */
static void free_sent(void *data) {
        Sent *sent = data;

        sd_bus_slot_unref(sent->slot);
        sd_bus_message_unref(sent->call.message);
        sd_bus_message_unref(sent->reply);
        g_free(sent);
}

static void send_call(World *world, GPtrArray *calls, const Call *call) {
        Sent *sent = g_new0(Sent, 1);
        const char *member = sd_bus_message_get_member(call->message);

        sent->call = *call;
        g_ptr_array_add(calls, sent);
        if (call->uid == 0 && g_str_has_prefix(member, "Activate"))
                world->may_activate = true;
        MUST(sd_bus_call_async(world->bus, &sent->slot, call->message, on_reply, sent, UINT64_MAX) >= 0);
}

static void excuse(GPtrArray *calls, uint32_t uid) {
        for (unsigned i = 0; i < calls->len; i++) {
                Sent *sent = calls->pdata[i];

                sent->excused = sent->excused || sent->call.uid == uid;
        }
}

static unsigned count_unanswered(const GPtrArray *calls, bool of_root) {
        unsigned n = 0;

        for (unsigned i = 0; i < calls->len; i++) {
                const Sent *sent = calls->pdata[i];

                n += !sent->answered && !sent->excused && (!of_root || sent->call.uid == 0);
        }
        return n;
}

static void await_replies(World *world, const GPtrArray *calls) {
        uint64_t step = 100 * USEC_PER_MSEC;

        for (uint64_t waited = 0; count_unanswered(calls, false) > 0; waited += step, step = step * 3 / 2) {
                MUST(waited < PATIENCE_USEC);
                MUST(waited < ROOTS_PATIENCE_USEC || count_unanswered(calls, true) == 0);
                world_let_time_pass(world, step);
        }
}

static void play(World *world, GPtrArray *calls, Bytes *bytes) {
        for (unsigned i = 0; i < CALLS_MAX && bytes->left > 0; i++) {
                unsigned then = bytes_take(bytes);
                Call call;

                if (calls_compose(world, methods, bytes, &call))
                        send_call(world, calls, &call);
                if (then & 1)
                        world_run(world);
                if (then >= 240) {
                        world_vanish(world, 1000);
                        excuse(calls, 1000);
                } else if (then >= 200)
                        world_let_time_pass(world, (then - 200) * 250 * USEC_PER_MSEC);
        }
        world_run(world);
}

static void check_bounds(const World *world) {
        MUST(world->service->requests.length <= REQUESTS_MAX);
        MUST(g_hash_table_size(world->manager->jobs) <= JOBS_MAX + FINISHED_JOBS_MAX);
        MUST(inhibitors_count(world->manager->inhibitors) <= INHIBITORS_MAX);
        MUST(g_hash_table_size(world->manager->images) == 2);
}

static unsigned count_descriptors(void) {
        DIR *dir = opendir("/proc/self/fd");
        unsigned n = 0;

        MUST(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

/* What an object says of itself. */
static void learn(World *world, const char *path) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply =
                        world_call(world, path, "org.freedesktop.DBus.Introspectable", "Introspect", NULL);
        const char *text;

        MUST(sd_bus_message_read(reply, "s", &text) > 0);
        calls_learn(methods, path, text);
}

/* A job is an object once there is one. */
static void make_job(World *world) {
        world->may_activate = true;
        sd_bus_message_unref(world_call(world, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "Activate", "sa{sv}",
                                        GUID_PENDING, 0));
        world_let_time_pass(world, 5 * USEC_PER_SEC);
        MUST(world->activations == 1);
}

static void prepare(void) {
        World *world = world_new(&(WorldSettings){ .polkit = POLKIT_SAYS_NO });

        methods = g_ptr_array_new_with_free_func(calls_free_method);
        make_job(world);
        learn(world, LFA_MANAGER_PATH);
        learn(world, LFA_IMAGE_PATH "/6c0762a6_12f2_4b56_92cb_ba8f633606d9");
        learn(world, LFA_JOB_PATH "/1");
        learn(world, "/org/freedesktop/LogControl1");
        world_free(world);
}

static WorldSettings take_settings(Bytes *bytes) {
        unsigned flags;
        WorldSettings settings = { .polkit = bytes_take(bytes) % _POLKIT_SAYS_MAX };

        flags = bytes_take(bytes);
        settings.window_closed = flags & 1;
        settings.driver_fails = flags & 2;
        settings.write_is_long = flags & 4;
        settings.worker_fails = (flags & 0xf8) == 0x88;
        return settings;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Bytes bytes = { data, size };
        GPtrArray *calls = g_ptr_array_new_with_free_func(free_sent);
        unsigned descriptors;
        WorldSettings settings;
        World *world;

        if (!methods)
                prepare();
        descriptors = count_descriptors();
        settings = take_settings(&bytes);
        world = world_new(&settings);
        play(world, calls, &bytes);
        check_bounds(world);
        await_replies(world, calls);
        check_bounds(world);
        g_ptr_array_unref(calls);
        world_free(world);
        MUST(count_descriptors() == descriptors);
        return 0;
}
