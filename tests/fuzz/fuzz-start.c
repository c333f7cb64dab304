/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfad started on whatever files an earlier one, or something else, has left: it comes up, answers, activates nothing that
 * no record and no configuration asks for, ends, and comes up again on what it made of them. The input: files parted by
 * form feeds; the first byte of each says which, and "@BOOT@" stands for the id of this boot. */

#include "dbus-world.h"
#include "fuzz.h"
#include "lfa/bus-names.h"
#include "util/macros.h"

#include <systemd/sd-id128.h>

#define FILES_MAX 8
#define BOOT "@BOOT@"

static const char *const names[] = { "state/history.jsonl", "state/history.jsonl.1", "state/state.json",
                                     "run/job-1.report",    "run/job-2.report",      "run/job-1.end",
                                     "run/watchdog.lease",  "run/inventory.json",    "run/activation.lock",
                                     "run/inhibit/1.json",  "run/inhibit/1.fifo",    "etc/lfad/lfad.conf" };

static void write_file(const char *name, const char *text, size_t size) {
        g_autoptr(GString) content = g_string_new_len(text, (gssize) size);
        char boot_id[SD_ID128_STRING_MAX];
        sd_id128_t id;

        MUST(sd_id128_get_boot(&id) >= 0);
        g_string_replace(content, BOOT, sd_id128_to_string(id, boot_id), 0);
        world_write(name, content->str, content->len);
}

static bool has_any(const char *text, size_t size, const char *const *words) {
        for (; *words; words++)
                if (memmem(text, size, *words, strlen(*words)))
                        return true;
        return false;
}

/* A job that an earlier lfad let wait goes on, and so does automatic mode; \u: JSON may write these words otherwise. */
static void note_what_it_asks_for(WorldSettings *settings, const char *name, const char *text, size_t size) {
        static const char *const kept[] = { "allowed", "deadline", "\\u", NULL };
        static const char *const automatic[] = { "automatic", NULL };

        if (g_str_has_prefix(name, "etc/"))
                settings->may_activate_by_itself |= has_any(text, size, automatic);
        else
                settings->may_activate_kept |= has_any(text, size, kept);
}

static void write_files(const uint8_t *data, size_t size, WorldSettings *settings) {
        for (int i = 0; i < FILES_MAX; i++) {
                size_t length;
                g_autofree char *part = take_part(&data, &size, '\f', &length);
                const char *name;

                if (!part)
                        return;
                if (length == 0)
                        continue;
                name = names[(unsigned char) *part % G_N_ELEMENTS(names)];
                write_file(name, part + 1, length - 1);
                note_what_it_asks_for(settings, name, part + 1, length - 1);
        }
}

static void must_answer(World *world, const char *interface, const char *member, const char *types,
                        const char *argument) {
        sd_bus_message *reply = world_call(world, LFA_MANAGER_PATH, interface, member, types, argument);
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        if (error)
                fprintf(stderr, "%s: %s: %s\n", member, error->name, error->message);
        MUST(!error);
        sd_bus_message_unref(reply);
}

/* Whatever it has read, all of it can be shown. */
static void check_answers(World *world) {
        must_answer(world, "org.freedesktop.DBus.Properties", "GetAll", "s", LFA_MANAGER_INTERFACE);
        must_answer(world, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL, NULL);
        must_answer(world, LFA_MANAGER_INTERFACE, "Describe", "a{sv}", NULL);
        must_answer(world, LFA_MANAGER_INTERFACE, "GetPlan", "a{sv}", NULL);
        must_answer(world, LFA_MANAGER_INTERFACE, "ListInhibitors", NULL, NULL);
        if (world->manager->history)
                must_answer(world, LFA_MANAGER_INTERFACE, "GetHistory", "a{sv}", NULL);
}

static void live(const WorldSettings *settings) {
        World *world = world_new(settings);

        check_answers(world);
        for (int i = 0; i < 5; i++)
                world_let_time_pass(world, 60 * USEC_PER_SEC);
        check_answers(world);
        world_free(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        WorldSettings settings = { .polkit = POLKIT_SAYS_NO, .keeps_files = true };

        world_clear_files();
        write_files(data, size, &settings);
        live(&settings);
        live(&settings);
        return 0;
}
