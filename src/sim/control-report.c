/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that show: everything, counters, times, the kernel log. Each as text or as JSON, from one
 * structure. */

#include "sim/control-command.h"
#include "sim/texts.h"

#include <json-c/json.h>
#include <string.h>

static void add_number(json_object *object, const char *name, uint64_t value) {
        json_object_object_add(object, name, json_object_new_uint64(value));
}

static void add_boolean(json_object *object, const char *name, bool value) {
        json_object_object_add(object, name, json_object_new_boolean(value));
}

static void add_text(json_object *object, const char *name, const char *value) {
        json_object_object_add(object, name, json_object_new_string(value));
}

static void add_version(json_object *object, const char *name, uint64_t version) {
        char text[VERSION_TEXT_SIZE];

        version_format(version, text);
        add_text(object, name, text);
}

static json_object *counters_new(const Machine *machine) {
        const FirmwareCounters *firmware = &machine->firmware->counters;
        const DriverCounters *driver = &machine->driver->counters;
        json_object *object = json_object_new_object();

        add_number(object, "smc-info", firmware->smc[SMC_INFO]);
        add_number(object, "smc-inventory", firmware->smc[SMC_INVENTORY]);
        add_number(object, "smc-prime", firmware->smc[SMC_PRIME]);
        add_number(object, "smc-activate", firmware->smc[SMC_ACTIVATE]);
        add_number(object, "smc-activate-cpus", firmware->activate_calls);
        add_number(object, "smc-activate-skip", firmware->skip_rendezvous);
        add_number(object, "smc-cancel", firmware->smc[SMC_CANCEL]);
        add_number(object, "activate-stores", driver->activate_stores);
        add_number(object, "activate-returns", driver->activate_returns);
        add_number(object, "cancel-stores", driver->cancel_stores);
        add_number(object, "bytes-written", driver->bytes_written);
        add_number(object, "uevents", machine->n_uevents);
        add_number(object, "stalls", driver->stalls);
        add_number(object, "stall-largest-us", driver->stall_largest);
        add_number(object, "stall-sum-us", driver->stall_sum);
        add_number(object, "oopses", driver->oopses);
        return object;
}

static json_object *times_new(const Machine *machine) {
        json_object *object = json_object_new_object();

        add_number(object, "activate-entry", machine->driver->times.activate_entry);
        add_number(object, "first-smc", machine->driver->times.first_smc);
        add_number(object, "activate-return", machine->driver->times.activate_return);
        add_number(object, "uevent", machine->last_uevent_usec);
        return object;
}

static json_object *component_new(const FirmwareComponent *component) {
        static const char *const primes[] = { "none", "started", "complete" };
        json_object *object = json_object_new_object();

        add_version(object, "current-version", component->current_version);
        add_boolean(object, "staged", component->staged);
        add_version(object, "staged-version", component->staged_version);
        add_boolean(object, "capable", component->capable);
        add_boolean(object, "may-reset", component->may_reset);
        add_boolean(object, "rendezvous-optional", component->rendezvous_optional);
        add_boolean(object, "degraded", component->degraded);
        add_text(object, "prime", primes[component->prime]);
        return object;
}

static json_object *directory_new(const DriverImage *image) {
        json_object *object = json_object_new_object();

        add_number(object, "generation", image->generation);
        add_boolean(object, "stale", image->id < 0);
        add_boolean(object, "removing", image->files_gone);
        add_number(object, "calls", image->active);
        add_boolean(object, "capable", image->capable);
        add_boolean(object, "pending", image->pending);
        add_boolean(object, "may-reset", image->may_reset);
        add_boolean(object, "rendezvous-optional", image->rendezvous_optional);
        add_version(object, "current-version", image->current_version);
        add_boolean(object, "force-cpu-rendezvous", image->force_rendezvous);
        add_boolean(object, "auto-activate", image->auto_activate);
        return object;
}

/* The object of one GUID in an array of them; made when it is not there. */
static json_object *image_object(json_object *images, const char *guid) {
        json_object *object;

        for (size_t i = 0; i < json_object_array_length(images); i++) {
                object = json_object_array_get_idx(images, i);
                if (strcmp(json_object_get_string(json_object_object_get(object, "guid")), guid) == 0)
                        return object;
        }
        object = json_object_new_object();
        add_text(object, "guid", guid);
        add_text(object, "image", image_short_name(guid));
        json_object_array_add(images, object);
        return object;
}

static json_object *images_new(const Machine *machine) {
        json_object *images = json_object_new_array();

        for (guint i = 0; i < machine->firmware->components->len; i++) {
                const FirmwareComponent *component = machine->firmware->components->pdata[i];

                if (!component->vanished)
                        json_object_object_add(image_object(images, component->guid), "firmware",
                                               component_new(component));
        }
        for (guint i = 0; i < machine->driver->images->len; i++) {
                const DriverImage *image = machine->driver->images->pdata[i];

                json_object_object_add(image_object(images, image->guid), "directory", directory_new(image));
        }
        return images;
}

static json_object *everything_new(const Machine *machine) {
        static const char *const bindings[] = { "unbound", "bound", "removing" };
        json_object *object = json_object_new_object();

        add_text(object, "profile", machine->driver->traits->name);
        add_text(object, "firmware", machine->firmware->model->name);
        add_text(object, "driver", bindings[machine->driver->binding]);
        add_boolean(object, "idle", driver_is_idle(machine->driver));
        json_object_object_add(object, "images", images_new(machine));
        json_object_object_add(object, "counters", counters_new(machine));
        return object;
}

/* "name: value" lines; what is inside of something is indented. */
static void text_append(GString *reply, json_object *object, int depth) {
        json_object_object_foreach(object, name, value) {
                g_string_append_printf(reply, "%*s%s:", depth * 2, "", name);
                if (json_object_is_type(value, json_type_object)) {
                        g_string_append_c(reply, '\n');
                        text_append(reply, value, depth + 1);
                } else if (json_object_is_type(value, json_type_array)) {
                        g_string_append_c(reply, '\n');
                        for (size_t i = 0; i < json_object_array_length(value); i++)
                                text_append(reply, json_object_array_get_idx(value, i), depth + 1);
                } else {
                        g_string_append_printf(reply, " %s\n", json_object_get_string(value));
                }
        }
}

static CommandResult report(Machine *machine, const CommandLine *line, GString *reply,
                            json_object *(*make)(const Machine *machine)) {
        json_object *object;

        machine_lock(machine);
        object = make(machine);
        machine_unlock(machine);
        if (command_option(line, "json"))
                g_string_append_printf(reply, "%s\n",
                                       json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
        else
                text_append(reply, object, 0);
        json_object_put(object);
        return COMMAND_OK;
}

static CommandResult run_show(Machine *machine, const CommandLine *line, GString *reply) {
        return report(machine, line, reply, everything_new);
}

static CommandResult run_counters(Machine *machine, const CommandLine *line, GString *reply) {
        return report(machine, line, reply, counters_new);
}

static CommandResult run_times(Machine *machine, const CommandLine *line, GString *reply) {
        return report(machine, line, reply, times_new);
}

static CommandResult run_reset(Machine *machine, const CommandLine *line, GString *reply) {
        machine_lock(machine);
        memset(&machine->firmware->counters, 0, sizeof(machine->firmware->counters));
        memset(&machine->driver->counters, 0, sizeof(machine->driver->counters));
        memset(&machine->driver->times, 0, sizeof(machine->driver->times));
        machine->n_uevents = machine->last_uevent_usec = 0;
        machine_unlock(machine);
        return COMMAND_OK;
}

static CommandResult run_log(Machine *machine, const CommandLine *line, GString *reply) {
        machine_lock(machine);
        for (GList *item = machine->driver->log->head; item; item = item->next) {
                const DriverLogLine *entry = item->data;

                g_string_append_printf(reply, "<%d>%s\n", entry->facility << 3 | entry->level, entry->text);
        }
        machine_unlock(machine);
        return COMMAND_OK;
}

const Command report_commands[] = {
        { "show", "[--json]", "everything: profile, firmware, images on both sides, counters", 0, 0, "json",
          run_show },
        { "counters", "[--json]",
          "firmware calls by kind, stores, bytes written, events sent, stalls of all CPUs, oopses", 0, 0,
          "json", run_counters },
        { "reset-counters", "", "sets counters and times to 0", 0, 0, "", run_reset },
        { "times", "[--json]",
          "CLOCK_MONOTONIC us of the last activate store's entry, first firmware call and return, and event",
          0, 0, "json", run_times },
        { "log", "", "the kernel-log lines, each after its <priority>: 8 times the facility, plus the level",
          0, 0, "", run_log },
        { NULL },
};
