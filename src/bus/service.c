/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.arm.LFA1 on the bus: exporting, the bus name, and what the manager tells as signals. */

#include "bus/service.h"
#include "bus/bus-errors.h"
#include "bus/request.h"
#include "core/enum-names.h"
#include "lfa/bus-names.h"
#include "util/log.h"
#include "util/macros.h"

#include <systemd/sd-daemon.h>

static void say_failed(int r, const char *what) {
        if (r < 0 && r != -ENOTCONN)
                log_warning_errno(r, "Cannot send %s", what);
}

static void on_manager_changed(unsigned properties, void *userdata) {
        signals_mark_manager(userdata, properties);
}

static void on_image_added(const Image *image, void *userdata) {
        Service *service = userdata;
        g_autofree char *path = image_path(image->values.guid);

        if (!service->named)
                return; /* nobody knows us yet */
        say_failed(sd_bus_emit_object_added(service->bus, path), "InterfacesAdded");
}

static void on_image_removed(const Image *image, void *userdata) {
        Service *service = userdata;
        g_autofree char *path = image_path(image->values.guid);

        signals_forget(service, path);
        say_failed(sd_bus_emit_object_removed(service->bus, path), "InterfacesRemoved");
}

static void on_image_changed(const Image *image, unsigned properties, void *userdata) {
        signals_mark_image(userdata, image, properties);
}

static void on_job_new(const Job *job, void *userdata) {
        Service *service = userdata;
        g_autofree char *path = job_path(job->id);

        signals_flush(service);
        say_failed(sd_bus_emit_object_added(service->bus, path), "InterfacesAdded");
        say_failed(sd_bus_emit_signal(service->bus, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "JobNew", "uos",
                                      job->id, path, job->guid),
                   "JobNew");
}

static void on_job_changed(const Job *job, unsigned properties, void *userdata) {
        signals_mark_job(userdata, job, properties);
}

static void send_job_removed(Service *service, const Job *job) {
        g_autofree char *path = job_path(job->id);

        say_failed(sd_bus_emit_signal(service->bus, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, "JobRemoved",
                                      "uoss", job->id, path, job->guid, job_result_to_string(job->result)),
                   "JobRemoved");
}

static void send_prepare(Service *service, const Job *job, bool start) {
        g_autofree char *path = job_path(job->id);

        say_failed(sd_bus_emit_signal(service->bus, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE,
                                      "PrepareForActivation", "bos", start, path, job->guid),
                   "PrepareForActivation");
}

/* Who acts on JobRemoved finds everything as the job left it. */
static void on_job_ended(const Job *job, void *userdata) {
        Service *service = userdata;

        if (!service->named) {
                g_array_append_val(service->ended_unnamed, job->id);
                return;
        }
        signals_flush(service);
        send_job_removed(service, job);
}

/* Clients match signals by the name: what ended before lfad had it (recovery) is told now. */
static void take_name(Service *service) {
        service->named = true;
        g_hash_table_remove_all(service->changed);
        for (unsigned i = 0; i < service->ended_unnamed->len; i++) {
                const Job *job = manager_find_job(service->manager,
                                                  g_array_index(service->ended_unnamed, uint32_t, i));

                if (job)
                        send_job_removed(service, job);
        }
        g_array_set_size(service->ended_unnamed, 0);
        for (unsigned i = 0; i < service->released_unnamed->len; i++) {
                const Job *job = manager_find_job(service->manager,
                                                  g_array_index(service->released_unnamed, uint32_t, i));

                if (job)
                        send_prepare(service, job, false);
        }
        g_array_set_size(service->released_unnamed, 0);
}

static void on_job_forgotten(const Job *job, void *userdata) {
        Service *service = userdata;
        g_autofree char *path = job_path(job->id);

        signals_forget(service, path);
        say_failed(sd_bus_emit_object_removed(service->bus, path), "InterfacesRemoved");
}

/* Whom a start was told, is told of the end, too: also by the next lfad, when this one dies meanwhile. */
static void on_preparing(const Job *job, bool start, void *userdata) {
        Service *service = userdata;

        if (!service->named) { /* of recovery, which prepares nothing */
                g_array_append_val(service->released_unnamed, job->id);
                return;
        }
        signals_flush(service);
        send_prepare(service, job, start);
}

static void lose_bus(Service *service) {
        ServiceLost lost = service->lost;

        service->lost = NULL;
        if (lost)
                lost(service->userdata);
}

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Service *service = userdata;
        const sd_bus_error *failure = sd_bus_message_get_error(reply);
        uint32_t answer = 0;

        /* 1: primary owner (D-Bus specification, RequestName) */
        if (!failure && sd_bus_message_read(reply, "u", &answer) > 0 && answer == 1) {
                take_name(service);
                (void) sd_notify(false, "READY=1");
                log_event(LFA_MESSAGE_READY, NULL, "Ready.");
                return 1;
        }
        log_error("Cannot own the bus name %s: %s", LFA_BUS_NAME,
                  failure ? failure->message : "somebody has it");
        lose_bus(service);
        return 1;
}

static void on_ready(void *userdata) {
        Service *service = userdata;
        sd_bus_slot *slot;
        int r = sd_bus_request_name_async(service->bus, &slot, LFA_BUS_NAME, 0, on_name, service);

        if (r < 0) {
                log_error_errno(r, "Cannot request the bus name %s", LFA_BUS_NAME);
                lose_bus(service);
                return;
        }
        g_ptr_array_add(service->slots, slot);
}

static void refuse_requests(Service *service) {
        Request *request;

        while ((request = g_queue_peek_head(&service->requests))) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

                (void) bus_error_set(&error, LFA_ERROR_SHUTTING_DOWN, NULL);
                (void) sd_bus_reply_method_error(request->message, &error);
                request_free(request);
        }
}

static void on_stopped(void *userdata) {
        Service *service = userdata;

        refuse_requests(service);
        unit_watchdogs_cancel(service->manager->unit_watchdogs);
        watchdogs_cancel(service->manager->watchdogs); /* the loop's end closes the bus */
        signals_flush(service);
        (void) sd_event_exit(service->manager->event, 0); /* the bus may have left the loop already */
}

const ManagerObserver service_observer = {
        .manager_changed = on_manager_changed,
        .image_added = on_image_added,
        .image_removed = on_image_removed,
        .image_changed = on_image_changed,
        .job_new = on_job_new,
        .job_changed = on_job_changed,
        .job_ended = on_job_ended,
        .job_forgotten = on_job_forgotten,
        .preparing = on_preparing,
        .ready = on_ready,
        .stopped = on_stopped,
};

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        log_event(LFA_MESSAGE_BUS_LOST, NULL, "The connection to the bus is lost.");
        lose_bus(userdata);
        return 1;
}

static void unref_slot(void *slot) {
        sd_bus_slot_unref(slot);
}

Service *service_new(sd_bus *bus, ServiceLost lost, void *userdata) {
        Service *service = g_new0(Service, 1);

        service->bus = sd_bus_ref(bus);
        service->lost = lost;
        service->userdata = userdata;
        service->ended_unnamed = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        service->released_unnamed = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        service->refresh_limit = (RateLimit){ .interval_usec = 600 * USEC_PER_SEC, .burst = 5 };
        service->refusal_limit = (RateLimit){ .interval_usec = 10 * USEC_PER_SEC, .burst = 20 };
        service->slots = g_ptr_array_new_with_free_func(unref_slot);
        signals_init(service);
        return service;
}

int service_start(Service *service, Manager *manager) {
        sd_bus_slot *slot;
        int r;

        service->manager = manager;
        r = sd_bus_match_signal(service->bus, &slot, NULL, "/org/freedesktop/DBus/Local",
                                "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, service);
        if (r < 0)
                return r;
        g_ptr_array_add(service->slots, slot);
        r = sd_bus_add_object_manager(service->bus, &slot, LFA_MANAGER_PATH);
        if (r < 0)
                return r;
        g_ptr_array_add(service->slots, slot);
        r = manager_interface_add(service);
        if (r >= 0)
                r = image_interface_add(service);
        if (r >= 0)
                r = job_interface_add(service);
        if (r >= 0)
                r = log_control_add(service);
        return r;
}

void *service_free(Service *service) {
        if (!service)
                return NULL;
        refuse_requests(service); /* whose messages must not outlive the bus */
        sd_event_source_disable_unref(service->flush_source);
        g_array_unref(service->ended_unnamed);
        g_array_unref(service->released_unnamed);
        g_ptr_array_unref(service->slots);
        g_hash_table_unref(service->changed);
        sd_bus_flush_close_unref(service->bus);
        g_free(service);
        return NULL;
}
