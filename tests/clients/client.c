/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A complete client of org.arm.LFA1 on sd-bus, written from dbus/org.arm.LFA1.xml alone.
 *
 *   client list
 *   client explain IMAGE
 *   client activate IMAGE REQUEST-ID [EXPECTED-PENDING-VERSION]
 *
 * `activate` asks for the very versions that it has just read, follows the job to its end and prints its
 * records. Exit status: 0 done or allowed, 1 the job failed or was cancelled, 2 wrong use, 3 refused now and
 * may pass later, 4 accepted and not verified, 5 what happened is not known, 6 not authorised, 8 refused
 * until something changes. */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define NAME "org.arm.LFA1"
#define PATH "/org/arm/LFA1"
#define MANAGER NAME ".Manager"
#define IMAGE NAME ".Image"
#define JOB NAME ".Job"
#define PATIENCE_USEC UINT64_C(600000000)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
        STATUS_DONE = 0,
        STATUS_FAILED = 1,
        STATUS_USAGE = 2,
        STATUS_LATER = 3,
        STATUS_UNVERIFIED = 4,
        STATUS_UNKNOWN = 5,
        STATUS_NOT_AUTHORISED = 6,
        STATUS_DENIED = 8,
};

static const struct {
        const char *name;
        int status;
} errors[] = {
        { SD_BUS_ERROR_ACCESS_DENIED, STATUS_NOT_AUTHORISED },
        { SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, STATUS_NOT_AUTHORISED },
        { SD_BUS_ERROR_INVALID_ARGS, STATUS_USAGE },
        { NAME ".Error.NoSuchImage", STATUS_USAGE },
        { NAME ".Error.AmbiguousImage", STATUS_USAGE },
        { NAME ".Error.RequestIdReused", STATUS_USAGE },
        { SD_BUS_ERROR_LIMITS_EXCEEDED, STATUS_LATER },
        { NAME ".Error.Starting", STATUS_LATER },
        { NAME ".Error.ShuttingDown", STATUS_LATER },
        { NAME ".Error.KernelBusy", STATUS_LATER },
        { NAME ".Error.ImageStale", STATUS_LATER },
        { NAME ".Error.DiskFull", STATUS_LATER },
        { NAME ".Error.DaemonRestarted", STATUS_LATER },
        { NAME ".Error.WorkerFailed", STATUS_LATER },
        { SD_BUS_ERROR_NO_REPLY, STATUS_UNKNOWN }, /* the job may run */
        { SD_BUS_ERROR_TIMEOUT, STATUS_UNKNOWN },
        { SD_BUS_ERROR_DISCONNECTED, STATUS_UNKNOWN },
};

static const struct {
        const char *name;
        int status;
} results[] = {
        { "succeeded", STATUS_DONE },
        { "unverified", STATUS_UNVERIFIED },
        { "failed", STATUS_FAILED },
        { "cancelled", STATUS_FAILED },
};

static int status_of_error(const char *name) {
        for (size_t i = 0; i < COUNT(errors); i++)
                if (strcmp(errors[i].name, name) == 0)
                        return errors[i].status;
        return strncmp(name, NAME ".Error.", strlen(NAME ".Error.")) == 0 ? STATUS_DENIED : STATUS_FAILED;
}

static int fail(sd_bus_error *error, int r) {
        if (!sd_bus_error_is_set(error))
                sd_bus_error_set_errno(error, r);
        printf("error\t%s\t%s\n", error->name, error->message ? error->message : "");
        r = status_of_error(error->name);
        sd_bus_error_free(error);
        return r;
}

/* The string that the dictionary at the message's position has under key, copied to ret ("" when there is
 * none). The position is left behind the dictionary. */
typedef struct Field {
        const char *key;
        char value[512];
} Field;

static int read_fields(sd_bus_message *message, Field *fields, size_t n) {
        int r = sd_bus_message_enter_container(message, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                const char *key, *contents, *text = NULL;
                uint64_t number;

                r = sd_bus_message_read(message, "s", &key);
                if (r >= 0)
                        r = sd_bus_message_peek_type(message, NULL, &contents);
                if (r < 0)
                        return r;
                for (size_t i = 0; i < n; i++) {
                        if (strcmp(fields[i].key, key) != 0)
                                continue;
                        if (strcmp(contents, "s") == 0 && sd_bus_message_read(message, "v", "s", &text) > 0)
                                snprintf(fields[i].value, sizeof(fields[i].value), "%s", text);
                        else if (strcmp(contents, "t") == 0 &&
                                 sd_bus_message_read(message, "v", "t", &number) > 0)
                                snprintf(fields[i].value, sizeof(fields[i].value), "%llu",
                                         (unsigned long long) number);
                        else
                                return -EBADMSG;
                        text = fields[i].value;
                        break;
                }
                if (!text)
                        r = sd_bus_message_skip(message, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_properties(sd_bus *bus, const char *path, const char *interface, Field *fields, size_t n,
                           sd_bus_error *error) {
        sd_bus_message *reply = NULL;
        int r = sd_bus_call_method(bus, NAME, path, "org.freedesktop.DBus.Properties", "GetAll", error,
                                   &reply, "s", interface);

        if (r >= 0)
                r = read_fields(reply, fields, n);
        sd_bus_message_unref(reply);
        return r;
}

static int print_image(sd_bus_message *reply) {
        Field fields[] = { { "Guid", "" },
                           { "Name", "" },
                           { "CurrentVersion", "" },
                           { "PendingVersion", "" },
                           { "State", "" } };
        int r = read_fields(reply, fields, COUNT(fields));

        if (r < 0)
                return r;
        for (size_t i = 0; i < COUNT(fields); i++)
                printf("%s%s", *fields[i].value ? fields[i].value : "-",
                       i + 1 < COUNT(fields) ? "\t" : "\n");
        return 0;
}

static int print_images(sd_bus_message *reply) {
        int r = sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}");

        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}")) > 0) {
                const char *path, *interface;

                r = sd_bus_message_read(reply, "o", &path);
                if (r >= 0)
                        r = sd_bus_message_enter_container(reply, 'a', "{sa{sv}}");
                while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sa{sv}")) > 0) {
                        r = sd_bus_message_read(reply, "s", &interface);
                        if (r >= 0)
                                r = strcmp(interface, IMAGE) == 0 ? print_image(reply)
                                                                  : sd_bus_message_skip(reply, "a{sv}");
                        if (r >= 0)
                                r = sd_bus_message_exit_container(reply);
                }
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        return r;
}

static int list(sd_bus *bus) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int r = sd_bus_call_method(bus, NAME, PATH, "org.freedesktop.DBus.ObjectManager",
                                   "GetManagedObjects", &error, &reply, NULL);

        if (r >= 0)
                r = print_images(reply);
        sd_bus_message_unref(reply);
        return r < 0 ? fail(&error, r) : STATUS_DONE;
}

static int print_gates(sd_bus_message *reply) {
        int r = sd_bus_message_enter_container(reply, 'a', "a{sv}");

        while (r >= 0 && sd_bus_message_at_end(reply, false) == 0) {
                Field fields[] = { { "gate", "" }, { "answer", "" }, { "text", "" } };

                r = read_fields(reply, fields, COUNT(fields));
                printf("gate\t%s\t%s\t%s\n", fields[0].value, fields[1].value, fields[2].value);
        }
        return r;
}

static int explain(sd_bus *bus, const char *image) {
        Field verdict[] = { { "answer", "" }, { "error", "" }, { "text", "" }, { "authorized", "" } };
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int r = sd_bus_call_method(bus, NAME, PATH, MANAGER, "Explain", &error, &reply, "sa{sv}", image, 1,
                                   "authorize", "b", true);

        if (r >= 0)
                r = read_fields(reply, verdict, COUNT(verdict));
        if (r >= 0) {
                printf("verdict\t%s\t%s\t%s\n", verdict[0].value, *verdict[1].value ? verdict[1].value : "-",
                       verdict[2].value);
                r = print_gates(reply);
        }
        sd_bus_message_unref(reply);
        if (r < 0)
                return fail(&error, r);
        if (strcmp(verdict[0].value, "deny") == 0)
                return status_of_error(verdict[1].value);
        if (strcmp(verdict[3].value, "yes") != 0)
                return STATUS_NOT_AUTHORISED;
        return strcmp(verdict[0].value, "wait") == 0 ? STATUS_LATER : STATUS_DONE;
}

/* What the signals have told about the one job that counts. */
typedef struct Following {
        char job[64];
        bool look; /* something may have changed: ask */
} Following;

static int on_signal(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        ((Following *) userdata)->look = true;
        return 0;
}

/* Waits until the job's properties say that it has ended, or it is there no more. */
static int follow(sd_bus *bus, Following *following, Field *job, size_t n) {
        int r;

        following->look = true;
        for (;;) {
                sd_bus_error error = SD_BUS_ERROR_NULL;

                if (following->look) {
                        following->look = false;
                        r = read_properties(bus, following->job, JOB, job, n, &error);
                        sd_bus_error_free(&error);
                        if (r < 0 || strcmp(job[0].value, "done") == 0)
                                return r;
                }
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
                if (r < 0)
                        return r;
        }
}

/* Prints the job's records; the last "finished" one tells how it ended when the job itself is gone. */
static int print_records(sd_bus *bus, const char *job, Field *end, sd_bus_error *error) {
        sd_bus_message *reply = NULL;
        uint32_t number = (uint32_t) strtoul(strrchr(job, '/') + 1, NULL, 10);
        int r = sd_bus_call_method(bus, NAME, PATH, MANAGER, "GetHistory", error, &reply, "a{sv}", 1, "job",
                                   "u", number);

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "a{sv}");
        while (r >= 0 && sd_bus_message_at_end(reply, false) == 0) {
                Field fields[] = { { "seq", "" }, { "type", "" }, { "result", "" }, { "error", "" } };

                r = read_fields(reply, fields, COUNT(fields));
                printf("record\t%s\t%s\n", fields[0].value, fields[1].value);
                if (strcmp(fields[1].value, "finished") == 0 && !*end[1].value) {
                        memcpy(end[1].value, fields[2].value, sizeof(end[1].value));
                        memcpy(end[2].value, fields[3].value, sizeof(end[2].value));
                }
        }
        sd_bus_message_unref(reply);
        return r;
}

static int status_of_end(const Field *job) {
        if (strcmp(job[1].value, "refused") == 0)
                return status_of_error(job[2].value);
        for (size_t i = 0; i < COUNT(results); i++)
                if (strcmp(results[i].name, job[1].value) == 0)
                        return results[i].status;
        return STATUS_UNKNOWN;
}

/* Asks with the versions that are there now; the job's path goes to following. */
static int ask(sd_bus *bus, const char *image, const char *request_id, const char *expected,
               Following *following, sd_bus_error *error) {
        Field now[] = { { "CurrentVersion", "" }, { "PendingVersion", "" } };
        sd_bus_message *found = NULL, *call = NULL, *reply = NULL;
        const char *path;
        int r = sd_bus_call_method(bus, NAME, PATH, MANAGER, "GetImage", error, &found, "s", image);

        if (r >= 0)
                r = sd_bus_message_read(found, "o", &path);
        if (r >= 0)
                r = read_properties(bus, path, IMAGE, now, COUNT(now), error);
        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &call, NAME, PATH, MANAGER, "Activate");
        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(call, true);
        if (r >= 0)
                r = sd_bus_message_append(call, "sa{sv}", image, 4, "request-id", "s", request_id, "reason",
                                          "s", "a test of clients", "expected-current-version", "s",
                                          now[0].value, "expected-pending-version", "s",
                                          expected ? expected : now[1].value);
        if (r >= 0)
                r = sd_bus_call(bus, call, PATIENCE_USEC, error, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                snprintf(following->job, sizeof(following->job), "%s", path);
        sd_bus_message_unref(found);
        sd_bus_message_unref(call);
        sd_bus_message_unref(reply);
        return r;
}

static int activate(sd_bus *bus, const char *image, const char *request_id, const char *expected) {
        Field job[] = { { "State", "" }, { "Result", "" }, { "Error", "" }, { "Message", "" } };
        sd_bus_error error = SD_BUS_ERROR_NULL;
        Following following = { "" };
        int r;

        /* Listening comes before asking: no end of a job is missed. */
        r = sd_bus_match_signal(bus, NULL, NAME, PATH, MANAGER, "JobRemoved", on_signal, &following);
        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus", NULL, "org.freedesktop.DBus",
                                        "NameOwnerChanged", on_signal, &following);
        if (r >= 0)
                r = ask(bus, image, request_id, expected, &following, &error);
        if (r < 0)
                return fail(&error, r);
        (void) follow(bus, &following, job, COUNT(job)); /* what it does not tell, the history does */
        r = print_records(bus, following.job, job, &error);
        if (r < 0)
                return fail(&error, r);
        printf("job\t%s\t%s\t%s\t%s\n", following.job, *job[1].value ? job[1].value : "unknown",
               *job[2].value ? job[2].value : "-", job[3].value);
        return status_of_end(job);
}

int main(int argc, char **argv) {
        sd_bus *bus = NULL;
        int r = STATUS_USAGE;

        if (sd_bus_open_system(&bus) < 0) {
                fprintf(stderr, "no bus\n");
                return STATUS_FAILED;
        }
        if (argc == 2 && strcmp(argv[1], "list") == 0)
                r = list(bus);
        else if (argc == 3 && strcmp(argv[1], "explain") == 0)
                r = explain(bus, argv[2]);
        else if ((argc == 4 || argc == 5) && strcmp(argv[1], "activate") == 0)
                r = activate(bus, argv[2], argv[3], argv[4]);
        else
                fprintf(stderr,
                        "usage: client list | explain IMAGE | activate IMAGE REQUEST-ID [VERSION]\n");
        sd_bus_flush_close_unref(bus);
        return r;
}
