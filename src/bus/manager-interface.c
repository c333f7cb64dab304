/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.arm.LFA1.Manager at /org/arm/LFA1. */

#include "bus/bus-errors.h"
#include "bus/holds.h"
#include "bus/image-details.h"
#include "bus/options.h"
#include "bus/service.h"
#include "bus/statistics.h"
#include "bus/warnings.h"
#include "config.h"
#include "core/enum-names.h"
#include "lfa/bus-names.h"

static int method_get_image(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Service *service = userdata;
        g_autofree char *path = NULL;
        const char *text;
        Image *image;
        int r;

        r = sd_bus_message_read(message, "s", &text);
        if (r < 0)
                return r;
        r = client_string_check("image", text, error);
        if (r < 0)
                return r;
        r = manager_lookup_image(service->manager, text, &image);
        if (r < 0)
                return bus_error_from_lookup(service->manager, r, error);
        path = image_path(image->values.guid);
        return sd_bus_reply_method_return(message, "o", path);
}

static int method_activate(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *image;
        int r = sd_bus_message_read(message, "s", &image);

        return r < 0 ? r : service_call_activate(userdata, message, image, error);
}

static int method_activate_pending(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return service_call_activate_pending(userdata, message, error);
}

static int method_explain(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *image;
        int r = sd_bus_message_read(message, "s", &image);

        return r < 0 ? r : service_call_explain(userdata, message, image, error);
}

static int method_describe(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return service_call_describe(userdata, message, error);
}

static int method_refresh(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return service_call_refresh(userdata, message, error);
}

static int method_reload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return service_call_reload(userdata, message, error);
}

static int method_hold(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return service_call_hold(userdata, message, error);
}

static int method_unhold(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return service_call_unhold(userdata, message, error);
}

static int method_get_plan(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return service_call_get_plan(userdata, message, error);
}

static int method_get_history(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return service_call_get_history(userdata, message, error);
}

static int method_get_watchdogs(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return service_call_get_watchdogs(userdata, message, error);
}

static int method_inhibit(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return service_call_inhibit(userdata, message, error);
}

static int method_list_inhibitors(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return service_call_list_inhibitors(userdata, message, error);
}

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", LFAD_VERSION);
}

static int get_driver_state(sd_bus *bus, const char *path, const char *interface, const char *property,
                            sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;

        return sd_bus_message_append(reply, "s", driver_state_to_string(service->manager->driver_state));
}

static int get_driver_profile(sd_bus *bus, const char *path, const char *interface, const char *property,
                              sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;

        return sd_bus_message_append(reply, "s", driver_profile_to_string(service->manager->profile));
}

static int get_uevent_monitor(sd_bus *bus, const char *path, const char *interface, const char *property,
                              sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;

        return sd_bus_message_append(
                        reply, "s",
                        uevent_monitor_state_to_string(uevent_monitor_state(service->manager->uevents)));
}

static int get_config_error(sd_bus *bus, const char *path, const char *interface, const char *property,
                            sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;
        const char *text = service->manager->config_error;

        return sd_bus_message_append(reply, "s", text ? text : "");
}

static int get_warnings(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;

        return warnings_append(reply, service->manager);
}

static int get_held(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;

        return sd_bus_message_append(reply, "b", manager_find_hold(service->manager, "") != NULL);
}

static int get_hold_reason(sd_bus *bus, const char *path, const char *interface, const char *property,
                           sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;
        const Hold *hold = manager_find_hold(service->manager, "");

        return sd_bus_message_append(reply, "s", hold ? hold->reason : "");
}

static int get_holds(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;

        return holds_append(reply, service->manager);
}

static int get_window_open(sd_bus *bus, const char *path, const char *interface, const char *property,
                           sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;

        return sd_bus_message_append(reply, "b", service->manager->schedule.window_open);
}

static int get_next_window_start(sd_bus *bus, const char *path, const char *interface, const char *property,
                                 sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;

        return sd_bus_message_append(reply, "t", service->manager->schedule.next_start_usec);
}

static int get_next_window_end(sd_bus *bus, const char *path, const char *interface, const char *property,
                               sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;

        return sd_bus_message_append(reply, "t", service->manager->schedule.next_end_usec);
}

static int get_time_zone(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;

        return sd_bus_message_append(reply, "s", config_zone_name(service->manager->config));
}

static int get_next_planned(sd_bus *bus, const char *path, const char *interface, const char *property,
                            sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;

        return sd_bus_message_append(reply, "t", service->manager->next_planned_usec);
}

static int get_current_job(sd_bus *bus, const char *path, const char *interface, const char *property,
                           sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;
        const Job *job = service->manager->current;
        g_autofree char *current = job ? job_path(job->id) : g_strdup("/");

        return sd_bus_message_append(reply, "o", current);
}

static int get_activating(sd_bus *bus, const char *path, const char *interface, const char *property,
                          sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;

        return sd_bus_message_append(reply, "b", manager_is_activating(service->manager));
}

static int get_statistics(sd_bus *bus, const char *path, const char *interface, const char *property,
                          sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Service *service = userdata;

        return statistics_append(reply, service->manager);
}

static int get_supported_options(sd_bus *bus, const char *path, const char *interface, const char *property,
                                 sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append_strv(reply, (char **) activate_options);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("GetImage", SD_BUS_ARGS("s", image), SD_BUS_RESULT("o", path),
                                method_get_image, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Activate", SD_BUS_ARGS("s", image, "a{sv}", options),
                                SD_BUS_RESULT("o", job), method_activate, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ActivatePending", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("ao", jobs),
                                method_activate_pending, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Explain", SD_BUS_ARGS("s", image, "a{sv}", options),
                                SD_BUS_RESULT("a{sv}", verdict, "aa{sv}", gates), method_explain,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Describe", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("s", json),
                                method_describe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Refresh", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_refresh,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_reload,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Hold", SD_BUS_ARGS("s", reason, "a{sv}", options), SD_BUS_NO_RESULT,
                                method_hold, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Unhold", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_unhold,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetPlan", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("aa{sv}", events),
                                method_get_plan, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetHistory", SD_BUS_ARGS("a{sv}", options),
                                SD_BUS_RESULT("aa{sv}", records), method_get_history,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Inhibit",
                                SD_BUS_ARGS("s", who, "s", why, "s", mode, "as", images, "a{sv}", options),
                                SD_BUS_RESULT("h", fd), method_inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListInhibitors", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", inhibitors),
                                method_list_inhibitors, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetWatchdogs", SD_BUS_ARGS("a{sv}", options),
                                SD_BUS_RESULT("aa{sv}", watchdogs), method_get_watchdogs,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("DriverState", "s", get_driver_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("DriverProfile", "s", get_driver_profile, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("UeventMonitor", "s", get_uevent_monitor, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("ConfigError", "s", get_config_error, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Warnings", "a(ss)", get_warnings, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Held", "b", get_held, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("HoldReason", "s", get_hold_reason, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Holds", "aa{sv}", get_holds, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("WindowOpen", "b", get_window_open, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("NextWindowStartTimestamp", "t", get_next_window_start, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("NextWindowEndTimestamp", "t", get_next_window_end, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("TimeZone", "s", get_time_zone, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("NextPlannedTimestamp", "t", get_next_planned, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("CurrentJob", "o", get_current_job, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Activating", "b", get_activating, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Statistics", "a{sv}", get_statistics, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("SupportedOptions", "as", get_supported_options, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_SIGNAL_WITH_ARGS("JobNew", SD_BUS_ARGS("u", id, "o", job, "s", guid), 0),
        SD_BUS_SIGNAL_WITH_ARGS("JobRemoved", SD_BUS_ARGS("u", id, "o", job, "s", guid, "s", result), 0),
        SD_BUS_SIGNAL_WITH_ARGS("PrepareForActivation", SD_BUS_ARGS("b", start, "o", job, "s", guid), 0),
        SD_BUS_VTABLE_END,
};

int manager_interface_add(Service *service) {
        sd_bus_slot *slot;
        int r = sd_bus_add_object_vtable(service->bus, &slot, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE,
                                         vtable, service);

        if (r >= 0)
                g_ptr_array_add(service->slots, slot);
        return r;
}
