/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small fleet agent for lfad, on sd-bus: org.arm.LFA1(5), lfad-integration(7).
 *
 *   lfa-agent                            list what is pending: GUID, versions (may be empty), name
 *   lfa-agent GUID FROM TO REQUEST-ID    activate exactly that, and tell what came of it
 *
 * Exit status: 0 it runs, 1 it failed or was cancelled, 2 wrong use, 3 refused now, ask again later, 4 accepted
 * and not proven, 5 not known, 6 not authorised, 8 refused until something changes. */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define NAME "org.arm.LFA1"
#define PATH "/org/arm/LFA1"
#define MANAGER NAME ".Manager"
#define IMAGE NAME ".Image"
#define JOB NAME ".Job"
#define ERROR NAME ".Error."
#define PATIENCE_USEC (10 * 60 * UINT64_C(1000000)) /* for a reply, for a signal */

enum {
        RUNS = 0,
        FAILED = 1,
        USAGE = 2,
        LATER = 3,
        UNVERIFIED = 4,
        UNKNOWN = 5,
        NOT_AUTHORISED = 6,
        REFUSED = 8
};

/* All errors after which the same request may succeed with nobody changing anything. */
static const char *const retryable[] = {
        SD_BUS_ERROR_LIMITS_EXCEEDED, ERROR "Starting",
        ERROR "ShuttingDown",         ERROR "ImageStale",
        ERROR "KernelBusy",           ERROR "Frozen",
        ERROR "OutsideWindow",        ERROR "SlotNotReached",
        ERROR "TriedInWindow",        ERROR "IntervalNotOver",
        ERROR "ClockNotSynchronized", ERROR "Inhibited",
        ERROR "OrderPending",         ERROR "SystemStopping",
        ERROR "SystemNotReady",       ERROR "DiskFull",
        ERROR "DaemonRestarted",      ERROR "DeadlineReached",
        ERROR "WorkerFailed",
};

static bool is(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

static int status_of_error(const char *name) {
        for (size_t i = 0; i < sizeof(retryable) / sizeof(retryable[0]); i++)
                if (is(name, retryable[i]))
                        return LATER;
        if (is(name, SD_BUS_ERROR_ACCESS_DENIED) ||
            is(name, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED))
                return NOT_AUTHORISED;
        if (is(name, SD_BUS_ERROR_INVALID_ARGS) || is(name, ERROR "NoSuchImage"))
                return USAGE;
        /* What else lfad says is a refusal. What the bus says (no lfad, no reply) leaves it open. */
        return strncmp(name, ERROR, strlen(ERROR)) == 0 ? REFUSED : UNKNOWN;
}

static int status_of_result(const char *result, const char *error) {
        if (is(result, "succeeded"))
                return RUNS;
        if (is(result, "unverified"))
                return UNVERIFIED;
        if (is(result, "refused"))
                return status_of_error(error);
        if (is(result, "failed") || is(result, "cancelled"))
                return FAILED;
        return UNKNOWN; /* "unknown", and whatever a later lfad may say */
}

/* The one line of an outcome. */
static int tell(int status, const char *result, const char *error, const char *message) {
        printf("%s\t%s\t%s\n", result, error, message);
        return status;
}

static int tell_error(const sd_bus_error *error, int r) {
        const char *name = error->name ? error->name : "";
        int status = status_of_error(name);

        return tell(status, status == UNKNOWN ? "unknown" : "refused", name,
                    error->message ? error->message : strerror(-r));
}

static int list_image(sd_bus *bus, const char *path, sd_bus_error *error) {
        static const char *const names[] = { "Guid", "CurrentVersion", "PendingVersion", "Name" };
        int pending, r = sd_bus_get_property_trivial(bus, NAME, path, IMAGE, "Pending", error, 'b',
                                                     &pending);

        for (size_t i = 0; r >= 0 && pending && i < 4; i++) {
                char *value = NULL;

                r = sd_bus_get_property_string(bus, NAME, path, IMAGE, names[i], error, &value);
                if (r >= 0)
                        printf("%s%c", value, i < 3 ? '\t' : '\n');
                free(value);
        }
        return r;
}

/* Only the paths are taken from the one answer about all objects; the properties are asked for one by one. */
static int list(sd_bus *bus) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int status = RUNS, r;

        r = sd_bus_call_method(bus, NAME, PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                               &error, &reply, NULL);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}")) > 0) {
                const char *path;

                r = sd_bus_message_read(reply, "o", &path);
                if (r >= 0)
                        r = sd_bus_message_skip(reply, "a{sa{sv}}");
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
                if (r >= 0 && strncmp(path, PATH "/image/", strlen(PATH "/image/")) == 0)
                        r = list_image(bus, path, &error);
        }
        if (r < 0)
                status = tell_error(&error, r);
        sd_bus_message_unref(reply);
        sd_bus_error_free(&error);
        return status;
}

/* What is known about the one job: when to look at it, and how it ended. */
typedef struct Job {
        char path[64];
        bool look;
        char *result, *error, *message; /* NULL: it has not ended */
} Job;

static int on_removed(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        (void) signal, (void) error;
        ((Job *) userdata)->look = true; /* if it was another job, looking does no harm */
        return 0;
}

/* While nobody has the name there is nobody to ask; the next lfad knows about the job. */
static int on_owner(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        const char *name, *before, *now;

        (void) error;
        if (sd_bus_message_read(signal, "sss", &name, &before, &now) > 0 && *now)
                ((Job *) userdata)->look = true;
        return 0;
}

/* Returns when a signal has said that it is time to look. */
static int wait_for_signal(sd_bus *bus, Job *job) {
        while (!job->look) {
                int r = sd_bus_process(bus, NULL);

                if (r == 0) {
                        r = sd_bus_wait(bus, PATIENCE_USEC);
                        if (r == 0)
                                r = -ETIMEDOUT;
                }
                if (r < 0)
                        return r;
        }
        job->look = false;
        return 0;
}

/* One dictionary of the history: of its strings those that tell how the job ended. */
static int read_record(sd_bus_message *reply, Job *job) {
        struct {
                const char *key;
                char **value;
        } wanted[] = { { "result", &job->result }, { "error", &job->error }, { "message", &job->message } };
        int r = sd_bus_message_enter_container(reply, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                const char *key, *type, *text;
                char **value = NULL;

                r = sd_bus_message_read(reply, "s", &key);
                for (size_t i = 0; r >= 0 && i < 3; i++)
                        if (is(key, wanted[i].key))
                                value = wanted[i].value;
                if (r >= 0)
                        r = sd_bus_message_peek_type(reply, NULL, &type);
                if (r >= 0 && value && is(type, "s")) {
                        r = sd_bus_message_read(reply, "v", "s", &text);
                        if (r >= 0) {
                                free(*value);
                                *value = strdup(text);
                        }
                } else if (r >= 0)
                        r = sd_bus_message_skip(reply, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        return r < 0 ? r : sd_bus_message_exit_container(reply);
}

/* A job's object is there for a minute after its end. The history is there for years. */
static int look_into_history(sd_bus *bus, Job *job, sd_bus_error *error) {
        uint32_t id = (uint32_t) strtoul(strrchr(job->path, '/') + 1, NULL, 10);
        sd_bus_message *reply = NULL;
        int r = sd_bus_call_method(bus, NAME, PATH, MANAGER, "GetHistory", error, &reply, "a{sv}", 2, "job",
                                   "u", id, "type", "s", "finished");

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "a{sv}");
        if (r >= 0 && sd_bus_message_at_end(reply, false) == 0)
                r = read_record(reply, job);
        if (r >= 0 && !job->result)
                job->result = strdup("unknown"); /* somebody has moved the history away */
        sd_bus_message_unref(reply);
        return r;
}

/* Fills in how the job ended, if it has, or if lfad has none of that name any more. */
static int look(sd_bus *bus, Job *job, sd_bus_error *error) {
        char *state = NULL;
        bool done;
        int r = sd_bus_get_property_string(bus, NAME, job->path, JOB, "State", error, &state);

        done = r >= 0 && is(state, "done");
        free(state);
        if (done)
                r = sd_bus_get_property_string(bus, NAME, job->path, JOB, "Result", error, &job->result);
        if (done && r >= 0)
                r = sd_bus_get_property_string(bus, NAME, job->path, JOB, "Error", error, &job->error);
        if (done && r >= 0)
                r = sd_bus_get_property_string(bus, NAME, job->path, JOB, "Message", error, &job->message);
        if (r >= 0)
                return 0;
        if (sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT)) {
                sd_bus_error_free(error);
                return look_into_history(bus, job, error);
        }
        if (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) ||
            sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN)) {
                sd_bus_error_free(error); /* lfad has gone: the next one's name will tell */
                return 0;
        }
        return r;
}

static int ask(sd_bus *bus, char **words, Job *job, sd_bus_error *error) {
        sd_bus_message *call = NULL, *reply = NULL;
        const char *path;
        int r = sd_bus_message_new_method_call(bus, &call, NAME, PATH, MANAGER, "Activate");

        if (r >= 0)
                r = sd_bus_message_append(call, "sa{sv}", words[0], 4, "expected-current-version", "s",
                                          words[1], "expected-pending-version", "s", words[2], "request-id",
                                          "s", words[3], "reason", "s", "fleet agent");
        if (r >= 0)
                r = sd_bus_call(bus, call, PATIENCE_USEC, error, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                snprintf(job->path, sizeof(job->path), "%s", path);
        sd_bus_message_unref(call);
        sd_bus_message_unref(reply);
        return r;
}

/* Listens first, then asks, then looks: no end of a job is missed. */
static int activate(sd_bus *bus, char **words) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        Job job = { .look = false };
        int status, r;

        r = sd_bus_match_signal(bus, NULL, NAME, PATH, MANAGER, "JobRemoved", on_removed, &job);
        if (r >= 0)
                r = sd_bus_add_match(bus, NULL,
                                     "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
                                     "arg0='" NAME "'",
                                     on_owner, &job);
        if (r >= 0)
                r = ask(bus, words, &job, &error);
        while (r < 0 && sd_bus_error_has_name(&error, SD_BUS_ERROR_NO_REPLY)) {
                /* lfad went away with the question. The same again to the next one is the same job. */
                sd_bus_error_free(&error);
                r = wait_for_signal(bus, &job);
                if (r >= 0)
                        r = ask(bus, words, &job, &error);
        }
        if (r >= 0)
                r = look(bus, &job, &error); /* it may be a job of long ago */
        while (r >= 0 && !job.result) {
                r = wait_for_signal(bus, &job);
                if (r >= 0)
                        r = look(bus, &job, &error);
        }
        if (r < 0)
                status = tell_error(&error, r);
        else
                status = tell(status_of_result(job.result, job.error ? job.error : ""), job.result,
                              job.error ? job.error : "", job.message ? job.message : "");
        free(job.result);
        free(job.error);
        free(job.message);
        sd_bus_error_free(&error);
        return status;
}

int main(int argc, char **argv) {
        sd_bus *bus = NULL;
        int status, r;

        if (argc != 1 && argc != 5) {
                fprintf(stderr, "usage: lfa-agent [GUID FROM TO REQUEST-ID]\n");
                return USAGE;
        }
        r = sd_bus_open_system(&bus);
        if (r < 0) {
                fprintf(stderr, "lfa-agent: no system bus: %s\n", strerror(-r));
                return UNKNOWN;
        }
        status = argc == 1 ? list(bus) : activate(bus, argv + 1);
        sd_bus_flush_close_unref(bus);
        return status;
}
