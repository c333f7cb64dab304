/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PropertiesChanged, gathered per object and sent once per turn of the event loop: an object that changes
 * ten times in one turn sends one signal, and only names what changed. */

#include "bus/bus-errors.h"
#include "bus/service.h"
#include "lfa/bus-names.h"
#include "util/log.h"

typedef struct PropertyNames {
        const char *interface;
        struct {
                unsigned mask;
                const char *name;
        } properties[24];
} PropertyNames;

static const PropertyNames manager_properties = {
        LFA_MANAGER_INTERFACE,
        {
                        { MANAGER_PROPERTY_DRIVER_STATE, "DriverState" },
                        { MANAGER_PROPERTY_DRIVER_PROFILE, "DriverProfile" },
                        { MANAGER_PROPERTY_UEVENT_MONITOR, "UeventMonitor" },
                        { MANAGER_PROPERTY_CONFIG_ERROR, "ConfigError" },
                        { MANAGER_PROPERTY_WARNINGS, "Warnings" },
                        { MANAGER_PROPERTY_HELD, "Held" },
                        { MANAGER_PROPERTY_HELD, "HoldReason" },
                        { MANAGER_PROPERTY_HELD, "Holds" },
                        { MANAGER_PROPERTY_WINDOW, "WindowOpen" },
                        { MANAGER_PROPERTY_WINDOW, "NextWindowStartTimestamp" },
                        { MANAGER_PROPERTY_WINDOW, "NextWindowEndTimestamp" },
                        { MANAGER_PROPERTY_TIME_ZONE, "TimeZone" },
                        { MANAGER_PROPERTY_NEXT_PLANNED, "NextPlannedTimestamp" },
                        { MANAGER_PROPERTY_CURRENT_JOB, "CurrentJob" },
                        { MANAGER_PROPERTY_ACTIVATING, "Activating" },
                        { MANAGER_PROPERTY_STATISTICS, "Statistics" },
        },
};

static const PropertyNames image_properties = {
        LFA_IMAGE_INTERFACE,
        {
                        { IMAGE_PROPERTY_NAME, "Name" },
                        { IMAGE_PROPERTY_ALIAS, "Alias" },
                        { IMAGE_PROPERTY_CURRENT_VERSION, "CurrentVersion" },
                        { IMAGE_PROPERTY_PENDING_VERSION, "PendingVersion" },
                        { IMAGE_PROPERTY_CAPABLE, "Capable" },
                        { IMAGE_PROPERTY_PENDING, "Pending" },
                        { IMAGE_PROPERTY_MAY_RESET_CPU, "MayResetCpu" },
                        { IMAGE_PROPERTY_CPU_RENDEZVOUS, "CpuRendezvous" },
                        { IMAGE_PROPERTY_FORCE_CPU_RENDEZVOUS, "ForceCpuRendezvous" },
                        { IMAGE_PROPERTY_KERNEL_AUTO_ACTIVATE, "KernelAutoActivate" },
                        { IMAGE_PROPERTY_STATE, "State" },
                        { IMAGE_PROPERTY_BLOCKERS, "Blockers" },
                        { IMAGE_PROPERTY_LAST_RESULT, "LastResult" },
                        { IMAGE_PROPERTY_LAST_ERROR, "LastError" },
                        { IMAGE_PROPERTY_LAST_FIRMWARE_CODE, "LastFirmwareCode" },
                        { IMAGE_PROPERTY_LAST_ACTIVATED, "LastActivatedTimestamp" },
                        { IMAGE_PROPERTY_BLACKOUT, "BlackoutUSec" },
        },
};

static const PropertyNames job_properties = {
        LFA_JOB_INTERFACE,
        {
                        { JOB_PROPERTY_STATE, "State" },
                        { JOB_PROPERTY_STARTED, "StartedTimestamp" },
                        { JOB_PROPERTY_END, "Result" },
                        { JOB_PROPERTY_END, "Error" },
                        { JOB_PROPERTY_END | JOB_PROPERTY_MESSAGE, "Message" },
                        { JOB_PROPERTY_RETRYABLE, "Retryable" },
                        { JOB_PROPERTY_FIRMWARE_CODE, "FirmwareCode" },
                        { JOB_PROPERTY_OVERRIDDEN, "Overridden" },
                        { JOB_PROPERTY_END, "FinishedTimestamp" },
                        { JOB_PROPERTY_END, "WriteUSec" },
                        { JOB_PROPERTY_END, "BlackoutUSec" },
                        { JOB_PROPERTY_END, "BlackoutCount" },
                        { JOB_PROPERTY_END, "BlackoutSumUSec" },
        },
};

typedef struct Change {
        const PropertyNames *names;
        unsigned mask;
} Change;

static void send_change(Service *service, const char *path, const Change *change) {
        const char *names[G_N_ELEMENTS(change->names->properties) + 1];
        size_t n = 0;
        int r;

        for (size_t i = 0; i < G_N_ELEMENTS(change->names->properties); i++)
                if (change->mask & change->names->properties[i].mask)
                        names[n++] = change->names->properties[i].name;
        names[n] = NULL;
        r = sd_bus_emit_properties_changed_strv(service->bus, path, change->names->interface,
                                                (char **) names);
        if (r < 0 && r != -ENOTCONN)
                log_warning_errno(r, "Cannot announce changes of %s", path);
}

void signals_flush(Service *service) {
        GHashTableIter iterator;
        void *path, *change;

        if (service->flush_source)
                (void) sd_event_source_set_enabled(service->flush_source, SD_EVENT_OFF);
        g_hash_table_iter_init(&iterator, service->changed);
        while (g_hash_table_iter_next(&iterator, &path, &change)) {
                if (service->named)
                        send_change(service, path, change);
                g_hash_table_iter_remove(&iterator);
        }
}

static int on_flush(sd_event_source *source, void *userdata) {
        signals_flush(userdata);
        return 0;
}

static void schedule_flush(Service *service) {
        if (!service->named)
                return; /* who comes to know us reads everything anew */
        if (service->flush_source)
                (void) sd_event_source_set_enabled(service->flush_source, SD_EVENT_ONESHOT);
        else if (sd_event_add_defer(service->manager->event, &service->flush_source, on_flush, service) < 0)
                signals_flush(service);
}

/* Takes the path. */
static void mark(Service *service, char *path, const PropertyNames *names, unsigned properties) {
        Change *change = g_hash_table_lookup(service->changed, path);

        if (change) {
                change->mask |= properties;
                g_free(path);
                return;
        }
        change = g_new(Change, 1);
        *change = (Change){ names, properties };
        g_hash_table_insert(service->changed, path, change);
        schedule_flush(service);
}

void signals_init(Service *service) {
        service->changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

void signals_mark_manager(Service *service, unsigned properties) {
        if (properties & MANAGER_PROPERTY_DRIVER_PROFILE)
                bus_errors_add_to_all(manager_standing_warning(service->manager));
        mark(service, g_strdup(LFA_MANAGER_PATH), &manager_properties, properties);
}

void signals_mark_image(Service *service, const Image *image, unsigned properties) {
        mark(service, image_path(image->values.guid), &image_properties, properties);
}

void signals_mark_job(Service *service, const Job *job, unsigned properties) {
        mark(service, job_path(job->id), &job_properties, properties);
}

void signals_forget(Service *service, const char *path) {
        g_hash_table_remove(service->changed, path);
}
