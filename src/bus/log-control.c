/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.freedesktop.LogControl1(5) at its fixed path: `systemctl service-log-level lfad debug`. Only root may
 * set it: the bus policy (dbus/org.arm.LFA1.conf) refuses everybody else, since asking who calls would block
 * in a setter. */

#include "bus/bus-errors.h"
#include "bus/service.h"
#include "util/log.h"

#define LOG_CONTROL_PATH "/org/freedesktop/LogControl1"
#define LOG_CONTROL_INTERFACE "org.freedesktop.LogControl1"

/* syslog(3)'s names, as systemd-analyze(1) spells them */
static const char *const levels[] = {
        "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"
};

static int get_level(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", levels[log_get_max_level()]);
}

static int set_level(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *value, void *userdata, sd_bus_error *error) {
        const char *text;
        int r = sd_bus_message_read(value, "s", &text);

        if (r < 0)
                return r;
        for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
                if (strcmp(levels[i], text) == 0) {
                        log_set_max_level((int) i);
                        return 0;
                }
        return bus_error_invalid(error, "There is no log level '%s'.", text);
}

/* journal or console: where stderr goes is systemd's decision, not ours */
static int get_target(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", log_is_journal() ? "journal" : "console");
}

static int set_target(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *value, void *userdata, sd_bus_error *error) {
        const char *text;
        int r = sd_bus_message_read(value, "s", &text);

        if (r < 0)
                return r;
        if (strcmp(text, log_is_journal() ? "journal" : "console") == 0)
                return 0;
        return bus_error_invalid(error, "The log goes where systemd has connected it to, not to '%s'.",
                                 text);
}

static int get_identifier(sd_bus *bus, const char *path, const char *interface, const char *property,
                          sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", "lfad");
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_WRITABLE_PROPERTY("LogLevel", "s", get_level, set_level, 0, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_WRITABLE_PROPERTY("LogTarget", "s", get_target, set_target, 0, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("SyslogIdentifier", "s", get_identifier, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_VTABLE_END,
};

int log_control_add(Service *service) {
        sd_bus_slot *slot;
        int r = sd_bus_add_object_vtable(service->bus, &slot, LOG_CONTROL_PATH, LOG_CONTROL_INTERFACE,
                                         vtable, service);

        if (r >= 0)
                g_ptr_array_add(service->slots, slot);
        return r;
}
