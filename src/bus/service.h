/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.arm.LFA1 on the bus: objects, signals, methods. Knows the manager; the manager knows it only as its
 * observer. */

#include "daemon/manager.h"
#include "util/ratelimit.h"

#include <systemd/sd-bus.h>

typedef struct Service Service;

/* Called when the bus connection is lost, once. */
typedef void (*ServiceLost)(void *userdata);

Service *service_new(sd_bus *bus, ServiceLost lost, void *userdata);
void *service_free(Service *service);

/* What a manager tells the service; give both to manager_new. */
extern const ManagerObserver service_observer;

/* Exports the objects of manager, which must outlive the service. Nothing is visible before
 * service_take_name. Returns 0 or a negative errno. */
int service_start(Service *service, Manager *manager);

struct Service {
        sd_bus *bus;
        Manager *manager; /* weak */
        ServiceLost lost;
        void *userdata;
        GHashTable *changed; /* object path -> what is to be announced (signals.c) */
        sd_event_source *flush_source;
        GQueue requests; /* Request, owned */
        unsigned credentials_under_way;
        RateLimit refusal_limit, refresh_limit; /* of log lines */
        bool named;                             /* the bus name is ours: somebody can know us */
        GArray *ended_unnamed;    /* ids of jobs that ended before: their JobRemoved is due then */
        GArray *released_unnamed; /* and their PrepareForActivation(false) */
        GPtrArray *slots;
};

/* Requests under way at once; what comes beyond is answered LimitsExceeded. */
#define REQUESTS_MAX 256
/* Each may come with descriptors, which stay open until it is answered: so many at most, whatever the bus itself allows
 * (SCM_MAX_FD, unix(7)). */
#define MESSAGE_DESCRIPTORS_MAX 253
#define REQUESTS_PER_SENDER_MAX 32
#define CREDENTIALS_MAX 32 /* questions to the bus at once; the others wait for their turn */
#define POLKIT_CHECKS_MAX 64
#define POLKIT_CHECKS_PER_UID_MAX 8

char *image_path(const char *guid);
char *job_path(uint32_t id);

/* interfaces: each file adds its vtable */
int manager_interface_add(Service *service);
int image_interface_add(Service *service);
int job_interface_add(Service *service);
int log_control_add(Service *service);

/* acting methods, each in a file of its own */
int service_call_activate(Service *service, sd_bus_message *message, const char *image, sd_bus_error *error);
int service_call_cancel_image(Service *service, sd_bus_message *message, const Image *image,
                              sd_bus_error *error);
int service_call_cancel_job(Service *service, sd_bus_message *message, const Job *job, sd_bus_error *error);
int service_call_hold(Service *service, sd_bus_message *message, sd_bus_error *error);
int service_call_unhold(Service *service, sd_bus_message *message, sd_bus_error *error);
int service_call_clear_quarantine(Service *service, sd_bus_message *message, const Image *image,
                                  sd_bus_error *error);
int service_call_refresh(Service *service, sd_bus_message *message, sd_bus_error *error);
int service_call_reload(Service *service, sd_bus_message *message, sd_bus_error *error);
int service_call_activate_pending(Service *service, sd_bus_message *message, sd_bus_error *error);
int service_call_explain(Service *service, sd_bus_message *message, const char *image, sd_bus_error *error);
int service_call_describe(Service *service, sd_bus_message *message, sd_bus_error *error);
int service_call_get_plan(Service *service, sd_bus_message *message, sd_bus_error *error);
int service_call_get_history(Service *service, sd_bus_message *message, sd_bus_error *error);
int service_call_inhibit(Service *service, sd_bus_message *message, sd_bus_error *error);
int service_call_list_inhibitors(Service *service, sd_bus_message *message, sd_bus_error *error);
int service_call_get_watchdogs(Service *service, sd_bus_message *message, sd_bus_error *error);

/* Keys that Activate accepts. */
extern const char *const activate_options[];

/* signals.c: changes are gathered and sent once per turn of the event loop, or before a signal that refers
 * to them */
void signals_init(Service *service);
void signals_mark_manager(Service *service, unsigned properties);
void signals_mark_image(Service *service, const Image *image, unsigned properties);
void signals_mark_job(Service *service, const Job *job, unsigned properties);
void signals_forget(Service *service, const char *path);
void signals_flush(Service *service);
