/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that change the simulated world: components, staged images, settings, the driver's life, waiting.
 */

#include "sim/control-command.h"
#include "sim/texts.h"

#include "util/macros.h"

#include <string.h>

static CommandResult refuse_errno(GString *reply, int r) {
        g_string_printf(reply, "%s", g_strerror(-r));
        return COMMAND_REFUSED;
}

/* Sets the component's flags from the options that were given. */
static int flags_apply(const CommandLine *line, FirmwareComponent *component) {
        const char *capable = command_option(line, "capable");
        const char *may_reset = command_option(line, "may-reset");
        const char *optional = command_option(line, "rendezvous-optional");

        if (capable && boolean_parse(capable, &component->capable) < 0)
                return -EINVAL;
        if (may_reset && boolean_parse(may_reset, &component->may_reset) < 0)
                return -EINVAL;
        if (optional && boolean_parse(optional, &component->rendezvous_optional) < 0)
                return -EINVAL;
        return 0;
}

static CommandResult run_add(Machine *machine, const CommandLine *line, GString *reply) {
        FirmwareComponent trial = { 0 }, *component;
        char guid[GUID_STRING_SIZE];
        uint64_t version;
        int r;

        if (image_name_parse(line->words[1], guid) < 0 || version_parse(line->words[2], &version) < 0 ||
            flags_apply(line, &trial) < 0)
                return COMMAND_USAGE;
        machine_lock(machine);
        r = firmware_add(machine->firmware, guid, version, &component);
        if (r >= 0) {
                (void) flags_apply(line, component);
                if (command_option(line, "now"))
                        driver_reload(machine->driver);
        }
        machine_unlock(machine);
        return r < 0 ? refuse_errno(reply, r) : COMMAND_OK;
}

/* Runs change on the component named by the first word, with the lock held. */
static CommandResult with_component(Machine *machine, const CommandLine *line, GString *reply,
                                    CommandResult (*change)(Machine *machine, const CommandLine *line,
                                                            FirmwareComponent *component)) {
        FirmwareComponent *component;
        char guid[GUID_STRING_SIZE];
        CommandResult result;

        if (image_name_parse(line->words[1], guid) < 0)
                return COMMAND_USAGE;
        machine_lock(machine);
        component = firmware_find(machine->firmware, guid);
        result = component ? change(machine, line, component) : COMMAND_REFUSED;
        if (!component)
                g_string_printf(reply, "firmware has no component %s", guid);
        machine_unlock(machine);
        return result;
}

static CommandResult change_vanish(Machine *machine, const CommandLine *line, FirmwareComponent *component) {
        component->vanished = true;
        if (command_option(line, "now"))
                driver_reload(machine->driver);
        return COMMAND_OK;
}

static CommandResult run_vanish(Machine *machine, const CommandLine *line, GString *reply) {
        return with_component(machine, line, reply, change_vanish);
}

static CommandResult change_stage(Machine *machine, const CommandLine *line, FirmwareComponent *component) {
        uint64_t version;

        if (version_parse(line->words[2], &version) < 0)
                return COMMAND_USAGE;
        firmware_stage(machine->firmware, component, version);
        return COMMAND_OK;
}

static CommandResult run_stage(Machine *machine, const CommandLine *line, GString *reply) {
        return with_component(machine, line, reply, change_stage);
}

static CommandResult change_unstage(Machine *machine, const CommandLine *line,
                                    FirmwareComponent *component) {
        firmware_unstage(component);
        return COMMAND_OK;
}

static CommandResult run_unstage(Machine *machine, const CommandLine *line, GString *reply) {
        return with_component(machine, line, reply, change_unstage);
}

static CommandResult change_field(Machine *machine, const CommandLine *line, FirmwareComponent *component) {
        const char *field = line->words[2], *value = line->words[3];
        int r = -EINVAL;

        if (strcmp(field, "capable") == 0)
                r = boolean_parse(value, &component->capable);
        else if (strcmp(field, "may-reset") == 0)
                r = boolean_parse(value, &component->may_reset);
        else if (strcmp(field, "rendezvous-optional") == 0)
                r = boolean_parse(value, &component->rendezvous_optional);
        else if (strcmp(field, "current-version") == 0)
                r = version_parse(value, &component->current_version);
        return r < 0 ? COMMAND_USAGE : COMMAND_OK;
}

static CommandResult run_set(Machine *machine, const CommandLine *line, GString *reply) {
        return with_component(machine, line, reply, change_field);
}

static CommandResult run_auto(Machine *machine, const CommandLine *line, GString *reply) {
        char guid[GUID_STRING_SIZE];
        DriverImage *image;
        bool value;

        if (image_name_parse(line->words[1], guid) < 0 || boolean_parse(line->words[2], &value) < 0)
                return COMMAND_USAGE;
        machine_lock(machine);
        image = driver_traits_has(machine->driver->traits, ATTRIBUTE_AUTO_ACTIVATE)
                                ? driver_find(machine->driver, guid)
                                : NULL;
        if (image)
                image->auto_activate = value;
        else
                g_string_printf(reply, "the driver has no auto_activate for %s", guid);
        machine_unlock(machine);
        return image ? COMMAND_OK : COMMAND_REFUSED;
}

static CommandResult run_auto_cap(Machine *machine, const CommandLine *line, GString *reply) {
        uint64_t cap = FOR_EVER;

        if (strcmp(line->words[1], "none") != 0 && number_parse(line->words[1], UINT32_MAX, &cap) < 0)
                return COMMAND_USAGE;
        machine_lock(machine);
        machine->driver->round.cap = cap;
        machine_unlock(machine);
        return COMMAND_OK;
}

static CommandResult run_notify(Machine *machine, const CommandLine *line, GString *reply) {
        machine_lock(machine);
        driver_notify(machine->driver, machine_now(machine));
        machine_unlock(machine);
        return COMMAND_OK;
}

static CommandResult run_uevent(Machine *machine, const CommandLine *line, GString *reply) {
        const char *count = command_option(line, "count");
        uint64_t times = 1;

        if (count && number_parse(count, 100000, &times) < 0)
                return COMMAND_USAGE;
        for (uint64_t i = 0; i < times; i++) {
                int r = machine_send_event(machine, line->words[1]);

                if (r < 0)
                        return refuse_errno(reply, r);
        }
        return COMMAND_OK;
}

static CommandResult run_unbind(Machine *machine, const CommandLine *line, GString *reply) {
        int r = machine_unbind(machine);

        return r < 0 ? refuse_errno(reply, r) : COMMAND_OK;
}

static CommandResult run_agent(Machine *machine, const CommandLine *line, GString *reply) {
        bool there = strcmp(line->words[1], "present") == 0;

        if (!there && strcmp(line->words[1], "absent") != 0)
                return COMMAND_USAGE;
        machine_lock(machine);
        machine->firmware->agent_absent = !there;
        machine_unlock(machine);
        return COMMAND_OK;
}

static CommandResult run_bind(Machine *machine, const CommandLine *line, GString *reply) {
        int r;

        machine_lock(machine);
        machine->driver->change_first = command_option(line, "change-first");
        r = driver_bind(machine->driver, machine_now(machine));
        machine_unlock(machine);
        return r < 0 ? refuse_errno(reply, r) : COMMAND_OK;
}

static CommandResult run_window(Machine *machine, const CommandLine *line, GString *reply) {
        const char *idle = command_option(line, "idle");
        uint64_t usec = NEVER, idle_usec = 0;

        if ((strcmp(line->words[1], "default") != 0 && duration_parse(line->words[1], &usec) < 0) ||
            (idle && duration_parse(idle, &idle_usec) < 0))
                return COMMAND_USAGE;
        machine_lock(machine);
        machine->driver->cleanup_window_usec = usec;
        machine->driver->cleanup_idle_usec = idle_usec;
        machine_unlock(machine);
        return COMMAND_OK;
}

static CommandResult run_refresh_time(Machine *machine, const CommandLine *line, GString *reply) {
        uint64_t usec;

        if (duration_parse(line->words[1], &usec) < 0)
                return COMMAND_USAGE;
        machine_lock(machine);
        machine->driver->refresh_usec = usec;
        machine_unlock(machine);
        return COMMAND_OK;
}

typedef bool (*Condition)(const Driver *driver, uint64_t count);

static bool stores_have_begun(const Driver *driver, uint64_t count) {
        return driver->counters.activate_stores >= count;
}

static bool stores_have_returned(const Driver *driver, uint64_t count) {
        return driver->counters.activate_returns >= count;
}

static bool all_is_quiet(const Driver *driver, uint64_t count) {
        return driver_is_idle(driver);
}

/* until: real time, since whoever waits lives in it. */
static bool wait_until(Machine *machine, Condition condition, uint64_t count, uint64_t until) {
        bool met;

        machine_lock(machine);
        while (!(met = condition(machine->driver, count)) && real_now() < until && !machine->stopping)
                machine_wait_real(machine, until);
        machine_unlock(machine);
        return met;
}

static CommandResult run_wait(Machine *machine, const CommandLine *line, GString *reply) {
        const char *timeout = command_option(line, "timeout"), *count = command_option(line, "count");
        uint64_t usec = 10 * USEC_PER_SEC, n = 1;
        Condition condition;

        if (strcmp(line->words[1], "activate-entered") == 0)
                condition = stores_have_begun;
        else if (strcmp(line->words[1], "activate-done") == 0)
                condition = stores_have_returned;
        else if (strcmp(line->words[1], "idle") == 0)
                condition = all_is_quiet;
        else
                return COMMAND_USAGE;
        if ((timeout && duration_parse(timeout, &usec) < 0) ||
            (count && number_parse(count, UINT32_MAX, &n) < 0))
                return COMMAND_USAGE;
        if (wait_until(machine, condition, n, real_now() + usec))
                return COMMAND_OK;
        g_string_printf(reply, "timed out waiting for %s", line->words[1]);
        return COMMAND_REFUSED;
}

static CommandResult run_speed(Machine *machine, const CommandLine *line, GString *reply) {
        double speed;

        if (speed_parse(line->words[1], &speed) < 0)
                return COMMAND_USAGE;
        machine_set_speed(machine, speed);
        return COMMAND_OK;
}

/* A line of the kernel's (or of a user's, with a facility), whatever the driver has printed itself. */
static CommandResult run_log_line(Machine *machine, const CommandLine *line, GString *reply) {
        const char *facility = command_option(line, "facility"), *level = command_option(line, "level");
        g_autoptr(GByteArray) text = escapes_decode(line->words[1]);
        uint64_t facility_number = 0, level_number = 3;

        if (!text || (facility && number_parse(facility, 255, &facility_number) < 0) ||
            (level && number_parse(level, 7, &level_number) < 0))
                return COMMAND_USAGE;
        g_byte_array_append(text, (const guint8 *) "", 1);
        machine_lock(machine);
        driver_log_inject(machine->driver, (int) facility_number, (int) level_number,
                          (const char *) text->data);
        machine_unlock(machine);
        return COMMAND_OK;
}

static CommandResult run_quit(Machine *machine, const CommandLine *line, GString *reply) {
        machine_lock(machine);
        if (machine->quit)
                machine->quit(machine->quit_userdata);
        machine_unlock(machine);
        return COMMAND_OK;
}

const Command world_commands[] = {
        { "add", "IMAGE VERSION [--capable=0|1] [--may-reset=0|1] [--rendezvous-optional=0|1] [--now]",
          "firmware gets a component; the driver sees it at its next refresh, or at once with --now", 2, 2,
          "capable may-reset rendezvous-optional now", run_add },
        { "vanish", "IMAGE [--now]", "firmware loses a component; seen by the driver as with add", 1, 1,
          "now", run_vanish },
        { "stage", "IMAGE VERSION", "an image lies ready: the component is pending", 2, 2, "", run_stage },
        { "unstage", "IMAGE", "it does not any more", 1, 1, "", run_unstage },
        { "set", "IMAGE capable|may-reset|rendezvous-optional|current-version VALUE",
          "changes firmware behind the driver's back", 3, 3, "", run_set },
        { "auto", "IMAGE 0|1", "sets the driver's auto_activate", 2, 2, "", run_auto },
        { "auto-cap", "N|none", "ends a round of the kernel's own activations after N of them", 1, 1, "",
          run_auto_cap },
        { "notify", "", "firmware notifies the kernel", 0, 0, "", run_notify },
        { "uevent", "ACTION [--count=N]", "sends an event of the device by hand", 1, 1, "count",
          run_uevent },
        { "unbind", "", "removes the driver; returns when it is gone", 0, 0, "", run_unbind },
        { "bind", "[--change-first]", "binds the driver again; the change event comes before the bind event",
          0, 0, "change-first", run_bind },
        { "agent", "present|absent", "whether firmware answers at all when the driver is bound next", 1, 1,
          "", run_agent },
        { "cleanup-window", "DURATION|default [--idle=DURATION]",
          "how long stale directories stay after a success (nvnew: and EBUSY lasts, but for the idle part)",
          1, 1, "idle", run_window },
        { "refresh-time", "DURATION", "how long a refresh shows capable 0 and version 0.0", 1, 1, "",
          run_refresh_time },
        { "wait", "activate-entered|activate-done|idle [--count=N] [--timeout=10s]",
          "waits for the Nth activate store (since reset-counters) to begin or to return, or until nothing runs",
          1, 1, "count timeout", run_wait },
        { "speed", "N", "simulated time passes N times as fast as real time (0.001 to 100000)", 1, 1, "",
          run_speed },
        { "log-line", "[--facility=N] [--level=N] TEXT",
          "a line in the kernel's log, of the kernel's own if N is 0; TEXT with C escapes", 1, 1,
          "facility level", run_log_line },
        { "quit", "", "ends the simulator", 0, 0, "", run_quit },
        { NULL },
};
