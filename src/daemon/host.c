/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What systemd, logind and timedated say of the host. */

#include "daemon/host.h"
#include "daemon/bus-question.h"
#include "util/log.h"

#include <glib.h>

typedef enum HostProperty {
        HOST_SYSTEM_STATE,
        HOST_PREPARING_FOR_SHUTDOWN,
        HOST_PREPARING_FOR_SLEEP,
        HOST_CLOCK_SYNCHRONIZED,
        _HOST_PROPERTY_MAX,
} HostProperty;

#define SYSTEMD "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
#define LOGIND "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"
#define TIMEDATED "org.freedesktop.timedate1", "/org/freedesktop/timedate1", "org.freedesktop.timedate1"

static const BusProperty properties[_HOST_PROPERTY_MAX] = {
        [HOST_SYSTEM_STATE] = { SYSTEMD, "SystemState", "s" },
        [HOST_PREPARING_FOR_SHUTDOWN] = { LOGIND, "PreparingForShutdown", "b" },
        [HOST_PREPARING_FOR_SLEEP] = { LOGIND, "PreparingForSleep", "b" },
        [HOST_CLOCK_SYNCHRONIZED] = { TIMEDATED, "NTPSynchronized", "b" },
};

typedef struct HostQuestion {
        Host *host;
        HostProperty property;
        BusQuestion *question; /* NULL = answered */
        int last_error;
} HostQuestion;

typedef struct Waiting {
        uint64_t not_before_usec;
        bool clock; /* of that, too */
        HostAnswered answered;
        void *userdata;
} Waiting;

struct Host {
        sd_bus *bus;
        const Clock *clock;
        HostQuestion questions[_HOST_PROPERTY_MAX];
        uint64_t asked_usec;       /* CLOCK_MONOTONIC when the last questions were sent */
        bool known;                /* and those were answered */
        uint64_t clock_asked_usec; /* when they were about the clock, too */
        bool clock_known;
        SystemFacts facts;
        SystemAnswer clock_synchronized;
        GArray *waiters;
};

static bool is_asking(const Host *host) {
        for (int i = 0; i < _HOST_PROPERTY_MAX; i++)
                if (host->questions[i].question)
                        return true;
        return false;
}

static bool knows_since(const Host *host, uint64_t usec, bool clock) {
        return host->known && !is_asking(host) && host->asked_usec >= usec &&
               (!clock || (host->clock_known && host->clock_asked_usec >= usec));
}

static SystemState read_state(int error, sd_bus_message *answer) {
        SystemState state;
        const char *text;

        if (error < 0)
                return error == -ENXIO ? SYSTEM_ABSENT : SYSTEM_UNKNOWN;
        if (sd_bus_message_read(answer, "s", &text) < 0)
                return SYSTEM_UNKNOWN;
        state = system_state_from_string(text);
        return state < 0 || state == SYSTEM_ABSENT ? SYSTEM_UNKNOWN : state;
}

static SystemAnswer read_answer(int error, sd_bus_message *answer) {
        int value;

        if (error < 0)
                return error == -ENXIO ? SYSTEM_ANSWER_ABSENT : SYSTEM_ANSWER_UNKNOWN;
        if (sd_bus_message_read(answer, "b", &value) < 0)
                return SYSTEM_ANSWER_UNKNOWN;
        return value ? SYSTEM_ANSWER_YES : SYSTEM_ANSWER_NO;
}

static void take_answer(Host *host, HostProperty property, int error, sd_bus_message *answer) {
        /* Once: anybody can make lfad ask. */
        if (error < 0 && error != -ENXIO && error != host->questions[property].last_error)
                log_warning_errno(error, "Cannot ask %s for %s", properties[property].service,
                                  properties[property].name);
        host->questions[property].last_error = error;
        if (property == HOST_SYSTEM_STATE)
                host->facts.state = read_state(error, answer);
        else if (property == HOST_PREPARING_FOR_SHUTDOWN)
                host->facts.preparing_for_shutdown = read_answer(error, answer);
        else if (property == HOST_CLOCK_SYNCHRONIZED)
                host->clock_synchronized = read_answer(error, answer);
        else
                host->facts.preparing_for_sleep = read_answer(error, answer);
}

static void ask_all(Host *host, bool clock);

static bool any_waits_for_clock(const Host *host) {
        for (unsigned i = 0; i < host->waiters->len; i++)
                if (g_array_index(host->waiters, Waiting, i).clock)
                        return true;
        return false;
}

/* One after the other: each may ask again, or take back what others have asked. */
static void answer_waiters(Host *host) {
        for (unsigned i = 0; i < host->waiters->len;) {
                Waiting waiting = g_array_index(host->waiters, Waiting, i);

                if (!knows_since(host, waiting.not_before_usec, waiting.clock)) {
                        i++;
                        continue;
                }
                g_array_remove_index(host->waiters, i);
                waiting.answered(waiting.userdata);
                i = 0;
        }
        if (host->waiters->len == 0 || is_asking(host))
                return;
        ask_all(host, any_waits_for_clock(host));
        if (!is_asking(host))
                answer_waiters(host); /* none could be sent */
}

static void on_answer(int error, sd_bus_message *answer, void *userdata) {
        HostQuestion *question = userdata;
        Host *host = question->host;

        question->question = bus_question_free(question->question);
        take_answer(host, question->property, error, answer);
        if (!is_asking(host))
                answer_waiters(host);
}

/* A question that cannot even be sent has its answer at once. */
static void ask_all(Host *host, bool clock) {
        host->asked_usec = clock_monotonic(host->clock);
        host->known = true;
        if (clock)
                host->clock_asked_usec = host->asked_usec;
        host->clock_known = host->clock_known || clock;
        for (int i = 0; i < _HOST_PROPERTY_MAX; i++) {
                HostQuestion *question = &host->questions[i];
                int r = -ENXIO;

                if (i == HOST_CLOCK_SYNCHRONIZED && !clock)
                        continue;
                if (host->bus)
                        r = bus_question_get(host->bus, &properties[i], on_answer, question,
                                             &question->question);
                if (r < 0)
                        take_answer(host, (HostProperty) i, r, NULL);
        }
}

static bool ask(Host *host, const Waiting *waiting) {
        if (knows_since(host, waiting->not_before_usec, waiting->clock))
                return true;
        if (!is_asking(host))
                ask_all(host, waiting->clock);
        if (knows_since(host, waiting->not_before_usec, waiting->clock))
                return true;
        g_array_append_vals(host->waiters, waiting, 1);
        return false;
}

bool host_ask(Host *host, uint64_t not_before_usec, HostAnswered answered, void *userdata) {
        return ask(host, &(Waiting){ not_before_usec, false, answered, userdata });
}

bool host_ask_with_clock(Host *host, uint64_t not_before_usec, HostAnswered answered, void *userdata) {
        return ask(host, &(Waiting){ not_before_usec, true, answered, userdata });
}

uint64_t host_asking_since(const Host *host) {
        return is_asking(host) ? host->asked_usec : UINT64_MAX;
}

void host_forget(Host *host, const void *userdata) {
        for (unsigned i = 0; i < host->waiters->len;) {
                if (g_array_index(host->waiters, Waiting, i).userdata == userdata)
                        g_array_remove_index(host->waiters, i);
                else
                        i++;
        }
}

const SystemFacts *host_facts(const Host *host) {
        return &host->facts;
}

SystemAnswer host_clock_synchronized(const Host *host) {
        uint64_t now_usec = clock_monotonic(host->clock);

        if (!host->clock_known || now_usec - host->clock_asked_usec > HOST_CLOCK_VALID_USEC)
                return SYSTEM_ANSWER_UNKNOWN;
        return host->clock_synchronized;
}

bool host_clock_was_right_lately(const Host *host) {
        return host_clock_synchronized(host) == SYSTEM_ANSWER_YES &&
               clock_monotonic(host->clock) - host->clock_asked_usec < HOST_CLOCK_VALID_USEC / 2;
}

Host *host_new(sd_bus *bus, const Clock *clock) {
        Host *host = g_new0(Host, 1);

        host->bus = bus;
        host->clock = clock;
        host->waiters = g_array_new(FALSE, FALSE, sizeof(Waiting));
        for (int i = 0; i < _HOST_PROPERTY_MAX; i++) {
                host->questions[i].host = host;
                host->questions[i].property = (HostProperty) i;
        }
        return host;
}

void *host_free(Host *host) {
        if (host) {
                for (int i = 0; i < _HOST_PROPERTY_MAX; i++)
                        bus_question_free(host->questions[i].question);
                g_array_unref(host->waiters);
                g_free(host);
        }
        return NULL;
}
