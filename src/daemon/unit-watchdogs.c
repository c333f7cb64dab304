/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The services that systemd watches: a list, then one question a service, a few at once. */

#include "daemon/unit-watchdogs.h"
#include "util/log.h"
#include "util/macros.h"

#include <errno.h>

#define AT_ONCE_MAX 8
#define WAITERS_MAX 64
#define SYSTEMD "org.freedesktop.systemd1"

typedef struct Waiting {
        UnitWatchdogsWaiter waiter;
        void *userdata;
} Waiting;

/* One of the questions that are under way. */
typedef struct Asking {
        UnitWatchdogs *units; /* the owner; weak */
        BusQuestion *question;
        unsigned service; /* its index in services */
} Asking;

typedef struct Service {
        char *name, *path;
} Service;

struct UnitWatchdogs {
        sd_bus *bus;
        const Clock *clock;

        BusQuestion *list_question;
        GPtrArray *services; /* Service, owned: what the list said */
        unsigned next;       /* of services: the first that was not asked about */
        Asking asking[AT_ONCE_MAX];
        GPtrArray *found; /* UnitWatchdog, owned: so far */

        GPtrArray *known; /* the last answer, or NULL */
        uint64_t known_since_usec;
        GArray *waiters; /* Waiting */
};

static void service_free(void *data) {
        Service *service = data;

        g_free(service->name);
        g_free(service->path);
        g_free(service);
}

static void unit_free(void *data) {
        UnitWatchdog *unit = data;

        g_free(unit->name);
        g_free(unit);
}

static void answer_waiters(UnitWatchdogs *units, int error) {
        g_autoptr(GArray) waiters = g_steal_pointer(&units->waiters);

        units->waiters = g_array_new(FALSE, FALSE, sizeof(Waiting));
        for (unsigned i = 0; i < waiters->len; i++) {
                const Waiting *waiting = &g_array_index(waiters, Waiting, i);

                waiting->waiter(error, error < 0 ? NULL : units->known, waiting->userdata);
        }
}

static bool is_asking(const UnitWatchdogs *units) {
        for (int i = 0; i < AT_ONCE_MAX; i++)
                if (units->asking[i].question)
                        return true;
        return units->list_question;
}

static void stop_asking(UnitWatchdogs *units) {
        units->list_question = bus_question_free(units->list_question);
        for (int i = 0; i < AT_ONCE_MAX; i++)
                units->asking[i].question = bus_question_free(units->asking[i].question);
}

static void finish(UnitWatchdogs *units) {
        stop_asking(units);
        g_clear_pointer(&units->services, g_ptr_array_unref);
        g_clear_pointer(&units->known, g_ptr_array_unref);
        units->known = g_steal_pointer(&units->found);
        units->known_since_usec = clock_monotonic(units->clock);
        answer_waiters(units, 0);
}

static void ask_more(UnitWatchdogs *units);

static void on_usec(int error, sd_bus_message *answer, void *userdata) {
        Asking *asking = userdata;
        UnitWatchdogs *units = asking->units;
        const Service *service = units->services->pdata[asking->service];
        uint64_t usec = 0;

        asking->question = bus_question_free(asking->question);
        if (error == -ETIMEDOUT || error == -ENXIO) { /* what is known has to do */
                log_debug("systemd does not tell WatchdogUSec of %s: %s", service->name, g_strerror(-error));
                finish(units);
                return;
        }
        if (error >= 0 && sd_bus_message_read(answer, "t", &usec) > 0 && usec > 0 && usec != UINT64_MAX) {
                UnitWatchdog *unit = g_new0(UnitWatchdog, 1);

                unit->name = g_strdup(service->name);
                unit->usec = usec;
                g_ptr_array_add(units->found, unit);
        }
        ask_more(units);
}

/* Fills the places that are free. */
static void ask_more(UnitWatchdogs *units) {
        for (int i = 0; i < AT_ONCE_MAX && units->next < units->services->len; i++) {
                Asking *asking = &units->asking[i];
                const Service *service;
                BusProperty property;

                if (asking->question)
                        continue;
                asking->units = units;
                asking->service = units->next++;
                service = units->services->pdata[asking->service];
                property = (BusProperty){ SYSTEMD, service->path, SYSTEMD ".Service", "WatchdogUSec", "t" };
                if (bus_question_get(units->bus, &property, on_usec, asking, &asking->question) < 0)
                        log_debug("systemd cannot be asked about %s.", service->name);
        }
        if (!is_asking(units))
                finish(units);
}

static int read_services(sd_bus_message *answer, GPtrArray *services) {
        const char *name, *path;
        int r = sd_bus_message_enter_container(answer, 'a', "(ssssssouso)");

        while (r >= 0 && services->len < UNIT_WATCHDOGS_MAX &&
               (r = sd_bus_message_read(answer, "(ssssssouso)", &name, NULL, NULL, NULL, NULL, NULL, &path,
                                        NULL, NULL, NULL)) > 0) {
                Service *service = g_new0(Service, 1);

                service->name = g_strdup(name);
                service->path = g_strdup(path);
                g_ptr_array_add(services, service);
        }
        return r;
}

static void on_list(int error, sd_bus_message *answer, void *userdata) {
        UnitWatchdogs *units = userdata;

        units->list_question = bus_question_free(units->list_question);
        if (error >= 0)
                error = read_services(answer, units->services);
        if (error < 0 && error != -ENXIO)
                log_debug("systemd does not list its services: %s", g_strerror(-error));
        ask_more(units);
}

static int ask_list(UnitWatchdogs *units) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r = units->bus ? sd_bus_message_new_method_call(units->bus, &call, SYSTEMD,
                                                            "/org/freedesktop/systemd1", SYSTEMD ".Manager",
                                                            "ListUnitsByPatterns")
                           : -ENXIO;

        if (r >= 0)
                r = sd_bus_message_append(call, "asas", 1, "active", 1, "*.service");
        return r < 0 ? r : bus_question_call(call, on_list, units, &units->list_question);
}

static void start_asking(UnitWatchdogs *units) {
        g_clear_pointer(&units->services, g_ptr_array_unref);
        g_clear_pointer(&units->found, g_ptr_array_unref);
        units->services = g_ptr_array_new_with_free_func(service_free);
        units->found = g_ptr_array_new_with_free_func(unit_free);
        units->next = 0;
        if (ask_list(units) < 0)
                finish(units);
}

UnitWatchdogs *unit_watchdogs_new(sd_bus *bus, const Clock *clock) {
        UnitWatchdogs *units = g_new0(UnitWatchdogs, 1);

        units->bus = bus;
        units->clock = clock;
        units->waiters = g_array_new(FALSE, FALSE, sizeof(Waiting));
        return units;
}

void unit_watchdogs_cancel(UnitWatchdogs *units) {
        stop_asking(units);
        answer_waiters(units, -ECANCELED);
}

void *unit_watchdogs_free(UnitWatchdogs *units) {
        if (units) {
                unit_watchdogs_cancel(units);
                g_clear_pointer(&units->services, g_ptr_array_unref);
                g_clear_pointer(&units->found, g_ptr_array_unref);
                g_clear_pointer(&units->known, g_ptr_array_unref);
                g_array_unref(units->waiters);
                g_free(units);
        }
        return NULL;
}

const GPtrArray *unit_watchdogs_last(const UnitWatchdogs *units) {
        return units->known;
}

int unit_watchdogs_ask(UnitWatchdogs *units, UnitWatchdogsWaiter waiter, void *userdata) {
        Waiting waiting = { waiter, userdata };

        if (units->known &&
            clock_monotonic(units->clock) < units->known_since_usec + UNIT_WATCHDOGS_FRESH_USEC) {
                waiter(0, units->known, userdata);
                return 0;
        }
        if (units->waiters->len >= WAITERS_MAX)
                return -EDQUOT;
        g_array_append_val(units->waiters, waiting);
        if (!is_asking(units))
                start_asking(units);
        return 0;
}
