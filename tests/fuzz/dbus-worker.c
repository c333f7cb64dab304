/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A worker that is no process. */

#include "dbus-worker.h"
#include "daemon/worker-process.h"
#include "fuzz.h"
#include "util/macros.h"

#include <fcntl.h>

#define LONG_WRITE_USEC (3 * USEC_PER_SEC)
#define TREE 4711

struct WorkerProcess {
        const WorkerCallbacks *callbacks;
        void *userdata;
        char *command, *guid, *from;
        uint32_t job;
        int lock_fd;
        sd_event_source *source;
};

int __wrap_worker_process_start(sd_event *event, const WorkerSettings *settings, const GPtrArray *arguments,
                                int inherited_fd, const WorkerCallbacks *callbacks, void *userdata,
                                WorkerProcess **ret);
pid_t __wrap_worker_process_pid(const WorkerProcess *worker);
void *__wrap_worker_process_free(WorkerProcess *worker);

static World *world;
static ImageValues images[2];

void worker_answers_for(World *new_world) {
        world = new_world;
        for (size_t i = 0; i < G_N_ELEMENTS(images); i++) {
                image_values_init(&images[i], i == 0 ? GUID_PENDING : GUID_IDLE);
                images[i].capable = 1;
                images[i].pending = i == 0;
                images[i].may_reset_cpu = images[i].force_cpu_rendezvous = images[i].auto_activate = 0;
                images[i].cpu_rendezvous = 1;
                g_strlcpy(images[i].current_version, "1.2", VERSION_SIZE);
                g_strlcpy(images[i].pending_version, i == 0 ? "2.0" : "", VERSION_SIZE);
        }
}

static void say(const WorkerProcess *worker, const Answer *answer) {
        if (worker->callbacks->answer)
                worker->callbacks->answer(answer, worker->userdata);
}

static void say_tree(const WorkerProcess *worker) {
        say(worker, &(Answer){ .type = ANSWER_DRIVER, .driver = { DRIVER_ACTIVE, PROFILE_NVNEW, TREE } });
        for (size_t i = 0; i < G_N_ELEMENTS(images); i++)
                say(worker, &(Answer){ .type = ANSWER_IMAGE, .image = images[i] });
}

static void say_watchdogs(const WorkerProcess *worker) {
        Answer answer = { .type = ANSWER_WATCHDOG }, lockups = { .type = ANSWER_LOCKUPS };

        watchdog_init(&answer.watchdog, "watchdog0");
        answer.watchdog.state = WATCHDOG_INACTIVE;
        answer.watchdog.numbers[WATCHDOG_TIMEOUT] = 30;
        say(worker, &answer);
        lockups_init(&lockups.lockups);
        say(worker, &lockups);
}

static ImageValues *find_image(const char *guid) {
        for (size_t i = 0; i < G_N_ELEMENTS(images); i++)
                if (strcmp(images[i].guid, guid) == 0)
                        return &images[i];
        return NULL;
}

/* The very thing that must never happen uninvited. */
static void write_image(const WorkerProcess *worker) {
        ImageValues *image = find_image(worker->guid);
        Answer answer = { .type = ANSWER_RESULT,
                          .report = { .job = worker->job,
                                      .profile = PROFILE_NVNEW,
                                      .stage = STAGE_WRITE,
                                      .attempts = 1,
                                      .write_usec = 5000,
                                      .write_timestamp = world_now(),
                                      .before = *image } };

        memcpy(answer.report.guid, image->guid, GUID_STRING_SIZE);
        if (world->settings.driver_fails)
                answer.report.error = ECANCELED;
        else {
                image->pending = 0;
                memcpy(image->current_version, image->pending_version, VERSION_SIZE);
                image->pending_version[0] = 0;
        }
        answer.report.after = *image;
        say(worker, &answer);
}

static int work(sd_event_source *source, void *userdata) {
        WorkerProcess *worker = userdata;

        if (strcmp(worker->command, "scan") == 0)
                say_tree(worker);
        else if (strcmp(worker->command, "watchdogs") == 0)
                say_watchdogs(worker);
        if (strcmp(worker->command, "activate") == 0)
                write_image(worker);
        else
                say(worker, &(Answer){ .type = ANSWER_END });
        worker->lock_fd = safe_close(worker->lock_fd);
        worker->callbacks->ended(true, worker->userdata);
        return 0;
}

static int work_at_last(sd_event_source *source, uint64_t usec, void *userdata) {
        return work(source, userdata);
}

static char *find_argument(const GPtrArray *arguments, const char *name) {
        for (unsigned i = 1; i < arguments->len; i++)
                if (g_str_has_prefix(arguments->pdata[i], name))
                        return g_strdup((const char *) arguments->pdata[i] + strlen(name));
        return NULL;
}

static bool is_invited(const Job *job) {
        if (job->terms.unattended && world->settings.may_activate_by_itself)
                return true;
        return world->may_activate || (job->when_allowed && world->settings.may_activate_kept);
}

static void check_activation(const WorkerProcess *worker) {
        const ImageValues *image = find_image(worker->guid);
        const Job *job = world->manager->current;

        MUST(image && image->pending == 1 && strcmp(image->current_version, worker->from) == 0);
        MUST(job && job->id == worker->job && strcmp(job->guid, image->guid) == 0);
        MUST(is_invited(job));
        MUST(!manager_find_hold(world->manager, image->guid) || job->terms.overrides & 1U << GATE_HOLD);
        MUST(worker->lock_fd >= 0);
        world->activations++;
}

int __wrap_worker_process_start(sd_event *event, const WorkerSettings *settings, const GPtrArray *arguments,
                                int inherited_fd, const WorkerCallbacks *callbacks, void *userdata,
                                WorkerProcess **ret) {
        g_autofree char *job = find_argument(arguments, "--job=");
        bool slow = world->settings.write_is_long && strcmp(arguments->pdata[0], "activate") == 0;
        WorkerProcess *worker;

        if (world->settings.worker_fails)
                return -ENOENT;
        worker = g_new0(WorkerProcess, 1);
        worker->callbacks = callbacks;
        worker->userdata = userdata;
        worker->command = g_strdup(arguments->pdata[0]);
        worker->guid = find_argument(arguments, "--guid=");
        worker->from = find_argument(arguments, "--from=");
        worker->job = job ? (uint32_t) strtoul(job, NULL, 10) : 0;
        worker->lock_fd = inherited_fd >= 0 ? fcntl(inherited_fd, F_DUPFD_CLOEXEC, 3) : -EBADF;
        if (strcmp(worker->command, "activate") == 0)
                check_activation(worker);
        if (slow)
                MUST(sd_event_add_time_relative(event, &worker->source, CLOCK_MONOTONIC, LONG_WRITE_USEC, 1,
                                                work_at_last, worker) >= 0);
        else
                MUST(sd_event_add_defer(event, &worker->source, work, worker) >= 0);
        *ret = worker;
        return 0;
}

pid_t __wrap_worker_process_pid(const WorkerProcess *worker) {
        return getpid();
}

void *__wrap_worker_process_free(WorkerProcess *worker) {
        if (worker) {
                sd_event_source_disable_unref(worker->source);
                safe_close(worker->lock_fd);
                g_free(worker->command);
                g_free(worker->guid);
                g_free(worker->from);
                g_free(worker);
        }
        return NULL;
}
