/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for a job's end: the signals, the looking, the loop. */

#include "ctl/job-wait.h"

#include "ctl/bus-value.h"
#include "ctl/history.h"
#include "ctl/output.h"
#include "ctl/policy-time.h"
#include "ctl/progress.h"
#include "ctl/usual-duration.h"
#include "lfa/bus-names.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#define RETURN_SEC_DEFAULT 60
#define TICK_USEC USEC_PER_SEC

struct JobWait {
        Client *client;
        sd_bus_slot *slots[3];
        sd_event *event;
        sd_event_source *signals[3];
        Progress progress;
        const char *path;  /* of the job; belongs to the caller of job_wait_run() */
        uint64_t deadline; /* usec of CLOCK_MONOTONIC; 0: lfad is there and the job lives */
        char *told;        /* what the job waits for, as it was told last */
        bool look, away, interrupted;
};

static uint64_t now_usec(void) {
        return (uint64_t) g_get_monotonic_time();
}

static uint64_t return_usec(void) {
        const char *text = getenv("LFACTL_RETURN_SEC");
        guint64 seconds;

        if (text && g_ascii_string_to_unsigned(text, 10, 1, 3600, &seconds, NULL))
                return seconds * USEC_PER_SEC;
        return RETURN_SEC_DEFAULT * USEC_PER_SEC;
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *path, *guid, *result;
        JobWait *wait = userdata;
        uint32_t id;

        if (sd_bus_message_read(m, "uoss", &id, &path, &guid, &result) < 0)
                return 0;
        if (wait->path && strcmp(path, wait->path) == 0)
                wait->look = true;
        return 0;
}

static int on_properties_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        JobWait *wait = userdata;

        if (wait->path && strcmp(sd_bus_message_get_path(m), wait->path) == 0)
                wait->look = true;
        return 0;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name, *old_owner, *new_owner;
        JobWait *wait = userdata;

        if (sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner) < 0)
                return 0;
        wait->away = *new_owner == 0;
        wait->look = !wait->away;
        wait->deadline = now_usec() + return_usec();
        return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        JobWait *wait = userdata;

        wait->interrupted = true;
        return 0;
}

/* The loop draws the line again whatever woke it. */
static int on_resize(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        return 0;
}

static int subscribe(JobWait *wait) {
        sd_bus *bus = wait->client->bus;
        int r;

        r = sd_bus_match_signal(bus, &wait->slots[0], LFA_BUS_NAME, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE,
                                "JobRemoved", on_job_removed, wait);
        if (r < 0)
                return r;
        r = sd_bus_add_match(bus, &wait->slots[1],
                             "type='signal',sender='" LFA_BUS_NAME "',path_namespace='" LFA_JOB_PATH "',"
                             "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'",
                             on_properties_changed, wait);
        if (r < 0)
                return r;
        return sd_bus_add_match(bus, &wait->slots[2],
                                "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                                "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                "arg0='" LFA_BUS_NAME "'",
                                on_owner_changed, wait);
}

int job_wait_new(Client *client, JobWait **ret) {
        _cleanup_(job_wait_freep) JobWait *wait = g_new0(JobWait, 1);
        int r;

        wait->client = client;
        r = sd_event_new(&wait->event);
        if (r < 0)
                return r;
        r = subscribe(wait);
        if (r < 0)
                return r;
        *ret = g_steal_pointer(&wait);
        return 0;
}

JobWait *job_wait_free(JobWait *wait) {
        if (!wait)
                return NULL;
        for (size_t i = 0; i < G_N_ELEMENTS(wait->slots); i++)
                sd_bus_slot_unref(wait->slots[i]);
        for (size_t i = 0; i < G_N_ELEMENTS(wait->signals); i++)
                sd_event_source_disable_unref(wait->signals[i]);
        sd_event_unref(wait->event);
        g_free(wait->told);
        g_free(wait);
        return NULL;
}

static Job *look_in_history(const JobWait *wait) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_unrefp) json_object *records = NULL;
        uint32_t id = (uint32_t) strtoul(strrchr(wait->path, '/') + 1, NULL, 10);
        HistoryFilter filter = { .job = id };

        if (history_load(wait->client, &filter, NULL, NULL, &error, &records) < 0)
                return NULL;
        return history_find_job(records, wait->path, id);
}

static void add_time(GString *text, GTimeZone *zone, const char *label, uint64_t usec) {
        g_autofree char *time = policy_time_in_both(zone, usec);

        if (*time)
                g_string_append_printf(text, " %s %s.", label, time);
}

/* Says what the job waits for, whenever that changes: it may take days. */
static void tell_waiting(JobWait *wait, const Job *job) {
        uint64_t from = bus_value_uint(job->properties, "NotBeforeTimestamp"),
                 until = bus_value_uint(job->properties, "DeadlineTimestamp");
        g_autofree char *key = g_strdup_printf("%s %" G_GUINT64_FORMAT, job->message, from);
        g_autoptr(GString) text = g_string_new(job->message);

        if (g_strcmp0(key, wait->told) == 0)
                return;
        g_free(wait->told);
        wait->told = g_steal_pointer(&key);
        add_time(text, policy_zone(wait->client), "Not before", from);
        add_time(text, policy_zone(wait->client), "Given up at", until);
        progress_end(&wait->progress);
        output_note("%s: job %u waits: %s", wait->progress.label, job->id, text->str);
}

/* The job when it has ended, else NULL. Only what lfad answers counts, since any client of the bus can send
 * a JobRemoved; an error means asking again later. */
static Job *look(JobWait *wait) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        json_object *properties = NULL;
        _cleanup_(job_freep) Job *job = NULL;
        int r;

        wait->look = false;
        r = client_get_properties(wait->client, wait->path, LFA_JOB_INTERFACE, &error, &properties);
        if (r < 0) {
                /* Until the job is found or its record is, it is looked for, but not for ever. */
                if (wait->deadline == 0)
                        wait->deadline = now_usec() + return_usec();
                return look_in_history(wait);
        }
        job = job_new(wait->path, properties);
        if (strcmp(job->state, "done") == 0)
                return g_steal_pointer(&job);
        progress_set_state(&wait->progress, job->state);
        if (job->started > 0 && progress_is_shown(&wait->progress) && !wait->progress.begun)
                progress_begin(&wait->progress, usual_duration(wait->client, job->guid));
        if (strcmp(job->state, "waiting") == 0)
                tell_waiting(wait, job);
        wait->deadline = 0;
        return NULL;
}

static int attach(JobWait *wait, const sigset_t *mask) {
        static const struct {
                int number;
                sd_event_signal_handler_t handler;
        } handlers[] = { { SIGINT, on_signal }, { SIGTERM, on_signal }, { SIGWINCH, on_resize } };
        int r;

        sigprocmask(SIG_BLOCK, mask, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++) {
                wait->signals[i] = sd_event_source_disable_unref(wait->signals[i]);
                r = sd_event_add_signal(wait->event, &wait->signals[i], handlers[i].number,
                                        handlers[i].handler, wait);
                if (r < 0)
                        return r;
        }
        return sd_bus_attach_event(wait->client->bus, wait->event, SD_EVENT_PRIORITY_NORMAL);
}

/* Returns a WaitEnd or a negative errno. */
static int loop(JobWait *wait, Job **ret_job) {
        wait->look = true;
        for (;;) {
                bool ticking;
                int r;

                if (wait->interrupted)
                        return WAIT_INTERRUPTED;
                if (!wait->away && (wait->look || wait->deadline > 0)) {
                        *ret_job = look(wait);
                        if (*ret_job)
                                return WAIT_ENDED;
                }
                if (wait->deadline > 0 && now_usec() >= wait->deadline)
                        return WAIT_LOST;
                progress_show(&wait->progress, wait->away);
                ticking = wait->deadline > 0 || progress_is_shown(&wait->progress);
                r = sd_event_run(wait->event, ticking ? TICK_USEC : UINT64_MAX);
                if (r < 0)
                        return r;
                if (sd_bus_is_open(wait->client->bus) <= 0)
                        return -ECONNRESET;
        }
}

int job_wait_run(JobWait *wait, const char *path, const char *label, Job **ret_job) {
        sigset_t mask, old;
        int r;

        wait->path = path;
        g_clear_pointer(&wait->told, g_free);
        progress_start(&wait->progress, label);
        sigemptyset(&mask);
        sigaddset(&mask, SIGINT);
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGWINCH);
        sigprocmask(SIG_SETMASK, NULL, &old);
        r = attach(wait, &mask);
        if (r >= 0)
                r = loop(wait, ret_job);
        progress_end(&wait->progress);
        (void) sd_bus_detach_event(wait->client->bus);
        sigprocmask(SIG_SETMASK, &old, NULL);
        wait->path = NULL;
        return r;
}
