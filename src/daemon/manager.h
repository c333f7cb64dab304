/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The daemon's heart: images, jobs, the queue. It offers nothing on the bus, but asks systemd and logind there. Files of
 * this folder share the struct; other layers use the functions. */

#include "core/config.h"
#include "core/foresight.h"
#include "core/gates.h"
#include "core/schedule.h"
#include "core/tree.h"
#include "daemon/envelope.h"
#include "daemon/guard.h"
#include "daemon/history.h"
#include "daemon/host.h"
#include "daemon/image.h"
#include "daemon/inhibitors.h"
#include "daemon/job.h"
#include "daemon/request-ids.h"
#include "daemon/scanner.h"
#include "daemon/scheduler.h"
#include "daemon/unit-watchdogs.h"
#include "daemon/watchdogs.h"
#include "kernel/uevents.h"
#include "util/ratelimit.h"

#include <systemd/sd-bus.h>

#define JOBS_MAX 64
#define JOBS_PER_UID_MAX 16
#define FINISHED_JOBS_MAX 256

typedef enum ManagerProperty {
        MANAGER_PROPERTY_DRIVER_STATE = 1 << 0,
        MANAGER_PROPERTY_DRIVER_PROFILE = 1 << 1,
        MANAGER_PROPERTY_UEVENT_MONITOR = 1 << 2,
        MANAGER_PROPERTY_CURRENT_JOB = 1 << 3,
        MANAGER_PROPERTY_ACTIVATING = 1 << 4,
        MANAGER_PROPERTY_CONFIG_ERROR = 1 << 5,
        MANAGER_PROPERTY_WARNINGS = 1 << 6,
        MANAGER_PROPERTY_HELD = 1 << 7, /* and why */
        MANAGER_PROPERTY_NEXT_PLANNED = 1 << 8,
        MANAGER_PROPERTY_WINDOW = 1 << 15, /* whether one is open, and when the next opens and closes */
        MANAGER_PROPERTY_TIME_ZONE = 1 << 16,
        MANAGER_PROPERTY_STATISTICS = 1 << 17,
} ManagerProperty;

/* How the layer above learns what happened. Objects are borrowed; nothing may be freed in these calls. */
typedef struct ManagerObserver {
        void (*manager_changed)(unsigned properties, void *userdata);
        void (*image_added)(const Image *image, void *userdata);
        void (*image_removed)(const Image *image, void *userdata);
        void (*image_changed)(const Image *image, unsigned properties, void *userdata);
        void (*job_new)(const Job *job, void *userdata);
        void (*job_changed)(const Job *job, unsigned properties, void *userdata);
        void (*job_ended)(const Job *job, void *userdata);
        void (*job_forgotten)(const Job *job, void *userdata); /* 60 s after its end */
        void (*preparing)(const Job *job, bool start,
                          void *userdata); /* its guard is taken, or was given back */
        void (*ready)(void *userdata);     /* recovery and the first scan are done */
        void (*stopped)(void *userdata);   /* manager_stop has come to its end */
} ManagerObserver;

typedef struct ManagerSettings {
        WorkerSettings worker;
        const char *state_folder;   /* /var/lib/lfad */
        const char *runtime_folder; /* /run/lfad */
        const char *config_root;    /* below which the configuration files are; NULL = / */
        sd_bus *bus;                /* to ask systemd and logind; weak */
} ManagerSettings;

/* The file of what is kept in mind (state.c). */
typedef struct StateFile {
        ErrorId error; /* why gate "state" denies, or LFA_ERROR_NONE */
        char *text;    /* the same for people */
        bool refused;  /* what is there is not lfad's to replace */
        bool unsaved;  /* what is there is older than what is kept in mind */
} StateFile;

/* What the calendar says of the host as a whole (facts-schedule.c). */
typedef struct HostSchedule {
        bool has_host_id;
        uint8_t host_id[HOST_ID_SIZE]; /* the machine id, made specific to lfad */
        bool window_open;              /* of whatever image */
        uint64_t next_start_usec; /* when the next one opens that is not open yet; CLOCK_REALTIME, 0 = none */
        uint64_t next_end_usec;   /* when the one that is open closes, or else the next one; likewise */
} HostSchedule;

struct Manager {
        sd_event *event;
        const ManagerSettings *settings;
        const Clock *clock;
        const ManagerObserver *observer;
        void *userdata;

        Config *config;     /* what is in force; never NULL */
        char *config_error; /* why the files could not be loaded at start: gate "config" refuses; or NULL */

        History *history; /* NULL when it could not be opened: then nothing is activated */
        State *state;     /* what is kept in mind; never NULL */
        StateFile state_file;
        HostSchedule schedule;
        char *zone_file; /* what /etc/localtime was last; NULL = not looked at (zone-watch.c) */
        Scanner *scanner;
        Watchdogs *watchdogs;
        Host *host;
        Guard *guard;
        Inhibitors *inhibitors;
        UnitWatchdogs *unit_watchdogs;
        Envelope *envelope; /* around the activation that runs (envelope.h) */
        UeventMonitor *uevents;
        Scheduler *scheduler;

        GHashTable *images;  /* GUID -> Image, owned; also those that are only remembered */
        GHashTable *jobs;    /* id -> Job, owned; also those that ended up to 60 s ago */
        GQueue queue;        /* Job, weak: not yet running, in order */
        GQueue waiting;      /* Job, weak: a gate defers them (scheduler.c), those that wait longest first */
        GQueue finished;     /* Job, weak: ended, oldest first */
        GQueue unwritten;    /* ends of jobs that could not be recorded yet (jobs.c) */
        int unwritten_error; /* why: a negative errno */
        RequestIds *request_ids;
        uint32_t last_batch;
        Job *current; /* weak: the one that runs */

        DriverState driver_state;
        DriverProfile profile;
        DriverState state_read;        /* what the last reading says, without images that were lost */
        DriverProfile profile_of_tree; /* what the tree with this id was taken for, also by an earlier lfad */
        uint64_t tree_id;              /* Tree.id of the last reading */
        char *inventory_saved;         /* what its file says; NULL = not known */
        unsigned images_lost;          /* that the driver lost from this tree */
        uint64_t holds_judged_usec; /* CLOCK_REALTIME when it was last looked which holds are in force (holds.c) */
        unsigned profile_evidence;       /* mask of ProfileEvidence */
        uint64_t tree_stable_since_usec; /* CLOCK_MONOTONIC */
        bool foreign_activation;         /* a worker that belongs to no job of ours holds the lock */
        int lock_fd;                     /* held between "guarding" and the worker's start */

        sd_event_source *queue_source;  /* defer: take up the next job */
        sd_event_source *queue_timer;   /* a gate said when to look again */
        sd_event_source *follow_source; /* pidfd of an earlier generation's worker */
        sd_event_source *follow_timer;
        sd_event_source *long_write_timer;
        sd_event_source *ready_timer;
        bool queue_waits_for_scan;
        uint32_t queue_reads_for;  /* the job for which it does */
        char *status;              /* as systemd was told; NULL = nothing yet */
        char *queue_waits_why;     /* what the job at its head waits for; NULL = nothing */
        WorkerProcess *set_worker; /* writes a setting: which, of which image, to what */
        SettingId set_id;
        char set_guid[GUID_STRING_SIZE];
        int set_value;
        RateLimit storm_limit;     /* of uevents (device-events.c) */
        uint64_t storm_until_usec; /* CLOCK_MONOTONIC; 0 = there was none */
        sd_event_source *storm_timer;
        GPtrArray *warnings;      /* Warning, owned (warnings.c) */
        RateLimit rotation_limit; /* of lines that the history cannot begin a new file */
        uint64_t next_planned_usec, automatic_next_usec; /* automatic.c */
        bool ready, stopping, stopped;
};

/* settings, clock and observer must outlive the manager. Nothing happens before manager_start. */
Manager *manager_new(sd_event *event, const ManagerSettings *settings, const Clock *clock,
                     const ManagerObserver *observer, void *userdata);
void *manager_free(Manager *manager);

/* Recovers what an earlier lfad left, begins to listen and to scan. Returns 0, or -EBUSY (logged) when
 * another lfad runs on the same state. */
int manager_start(Manager *manager);

/* No new jobs; unstarted ones end cancelled; a running one is awaited. Then observer.stopped is called (from
 * the event loop, perhaps at once). Calling it again does nothing. */
void manager_stop(Manager *manager);

/* A job has ended: a manager that stops may have come to its end. */
void manager_job_over(Manager *manager);

/* The kernel works for a job, ours or one of an earlier lfad: nothing can be read, and calls are judged by
 * what was read before. */
static inline bool manager_is_activating(const Manager *manager) {
        return (manager->current && manager->current->state != JOB_GUARDING) || manager->foreign_activation;
}

/* --- images (images.c, lookup.c) --- */

/* The image that the driver shows under this directory GUID, or NULL. */
Image *manager_find_image(const Manager *manager, const char *guid);

/* By what a person types: directory GUID, EFI form, alias, name, or an unambiguous beginning of these.
 * Returns 0, -ENOENT, or -ENOTUNIQ when it fits several. */
int manager_lookup_image(const Manager *manager, const char *text, Image **ret);

/* Takes in a reading that counts. */
void images_update(Manager *manager, const Tree *tree);

/* Takes in the worker's own reading of one image, right after it wrote. */
void images_update_one(Manager *manager, const ImageValues *values);

/* What is remembered of this GUID, created when need be. */
Image *images_remember(Manager *manager, const char *guid);

/* Publishes the image's state anew when it differs. */
void image_refresh_state(Manager *manager, Image *image);
void image_changed(Manager *manager, Image *image, unsigned properties);

/* An activation to the very version that is pending has failed, or may have. */
bool image_has_failed(const Image *image);

/* --- what is kept in mind (state.c, quarantine.c) --- */

/* What keeps this image from being activated; guid "": all of them. NULL: nothing. */
const Hold *manager_find_hold(const Manager *manager, const char *guid);

/* What manager_unhold would end of this scope: the image's own; guid "": of all of them, also lfad's own. NULL: nothing. */
const Hold *manager_find_hold_of(const Manager *manager, const char *guid);

/* All that are in force, as const Hold *. The caller unrefs the list before anything changes. */
GPtrArray *manager_list_holds(const Manager *manager);

/* When the next hold after now is over, CLOCK_REALTIME in µs; UINT64_MAX = none ends by itself. Then manager_review_holds tells
 * everybody; it may be called at any time. Whether one holds is judged by the clock alone. */
uint64_t manager_next_hold_end(const Manager *manager, uint64_t now_usec);
void manager_review_holds(Manager *manager);

/* The version that is pending went wrong too often. */
bool image_is_quarantined(const Image *image);

/* What manager_clear_quarantine ends, or NULL. */
const Quarantine *manager_find_quarantine(const Manager *manager, const Image *image);

/* Pauses activations of these images, of all together when guids is NULL, until that time (CLOCK_REALTIME in µs, 0 =
 * until it is released). What a person had of the same image, or of all, it replaces. Each is recorded first. Returns 0;
 * -EDQUOT when there are too many, as manager_check_hold_caps tells beforehand; -ENOSPC or another negative errno when
 * one could not be recorded: those before it hold. */
int manager_hold(Manager *manager, char *const *guids, uint64_t until_usec, const Requester *who,
                 const char *reason);
int manager_check_hold_caps(const Manager *manager, char *const *guids);
#define HOLDS_MAX STATE_HOLDS_OF_PEOPLE_MAX

/* End the holds of these images, or with guids NULL those of all together; and one quarantine. reason: why, "" = none
 * given. Recorded first. Each returns 0; -ENOENT when one of them is not held, and nothing is ended; -ENOSPC or another
 * negative errno when it could not be recorded. */
int manager_unhold(Manager *manager, char *const *guids, const Requester *who, const char *reason);
int manager_clear_quarantine(Manager *manager, const Image *image, const Requester *who, const char *reason);

/* --- gates (facts.c) --- */

/* Runs every gate for this image now. job: the one that asks, or NULL for a call. */
void manager_run_gates(Manager *manager, Image *image, const Job *job, const ActivationTerms *terms,
                       GateVerdict verdicts[static _GATE_MAX]);

/* Runs every gate as it would be at some moment, when all that the question says has come to pass. */
void manager_foresee_gates(Manager *manager, const Image *image, const ActivationTerms *terms,
                           const ForesightQuestion *question, GateVerdict verdicts[static _GATE_MAX]);

/* The stall that activations of this image are known not to exceed: the worst of those measured with this driver, with
 * a margin; 0 when too few were measured. */
uint64_t manager_learned_need_usec(const Manager *manager, const Image *image);

/* How the gates are asked about another moment than now. */
typedef struct GateMoment {
        uint64_t at_usec;              /* CLOCK_REALTIME; 0 = now */
        uint64_t last_activation_usec; /* one that is assumed to have ended then; 0 = none */
        uint64_t last_attempt_usec;    /* of automatic mode, likewise */
} GateMoment;

/* facts-schedule.c: what configuration, calendar and state say of an image at that moment. */
void gather_schedule(const Manager *manager, const Image *image, const Job *job, const GateMoment *moment,
                     GateFacts *facts);

/* The next moment after now (CLOCK_REALTIME in µs) at which the calendar lets something pass, or does so no more, of whatever
 * image; UINT64_MAX = none. As known from the last evaluation. */
uint64_t manager_next_schedule_change(const Manager *manager, uint64_t now_usec);

/* The same, of one image, from the facts of an evaluation for a person who asks. */
uint64_t image_next_schedule_change(const Manager *manager, const Image *image, const GateFacts *facts);

/* Whether the window in which this job's write began has closed meanwhile. */
bool job_outlasted_window(const Job *job);

/* Publishes whether a window is open, and when the next one opens and closes. */
void manager_update_windows(Manager *manager);

/* Somebody for whom it matters whether the host's clock is right may ask: what speaks for nobody, or lfad itself. */
bool manager_needs_clock(const Manager *manager);

/* Has systemd, logind and, where it matters, timedated asked; then everything is judged anew. */
void manager_ask_host(Manager *manager);

/* Reads the host's id. */
void manager_read_host_id(Manager *manager);

/* Publishes which gates would refuse anybody. */
void image_evaluate(Manager *manager, Image *image);

/* The same of all that the driver shows. */
void images_evaluate(Manager *manager);

/* What became of an image, or of its job, decides whether those after it may go. */
void images_evaluate_order(Manager *manager);

/* Whether images that go after this one have to wait for it (core/order.h). */
bool image_is_waited_for(const Image *image);

/* For a person who asks: at_usec is CLOCK_REALTIME in µs, 0 = now. What cannot be foreseen is judged as it
 * is now. */
void manager_explain_gates(Manager *manager, Image *image, const ActivationTerms *terms, uint64_t at_usec,
                           GateVerdict verdicts[static _GATE_MAX]);

/* --- the host's time zone (zone-watch.c) --- */

/* Where the configuration reckons in the zone of the host: takes it anew when that is another one. */
void manager_check_zone(Manager *manager);

/* --- jobs (jobs.c) --- */

Job *manager_find_job(const Manager *manager, uint32_t id);

/* The job of an image that has not ended, or NULL. */
Job *manager_find_job_of_image(const Manager *manager, const char *guid);

/* The same without those that wait for a gate: one whose turn comes by itself. */
Job *manager_find_queued_job_of_image(const Manager *manager, const char *guid);

/* All that have not begun, whether queued or waiting; weak. It may be gone through while jobs end. */
GPtrArray *manager_list_unstarted_jobs(const Manager *manager);

/* Accepts a job: its "queued" record is on disk when this returns. Returns 0; -ESHUTDOWN; -EDQUOT when the
 * caller or all callers have too many jobs; -ENOSPC; another negative errno when the record could not be
 * written. */
int manager_submit(Manager *manager, const JobRequest *request, Job **ret);

/* Whether so many more jobs of this caller fit. Returns 0 or -EDQUOT. */
int manager_check_caps(const Manager *manager, uint32_t uid, unsigned more);

/* Before the write the job ends cancelled; during it the kernel driver's cancel is sent, once. Returns 0; -ESRCH when the write or the job is over; another negative errno when the driver could
 * not be asked. */
int manager_cancel_job(Manager *manager, Job *job, const Requester *by);

void job_set_state(Job *job, JobState state);

/* Records the end and tells everybody. message NULL: the error's own text. record: a job_record with more
 * keys, or NULL; the reference is taken. */
void job_finish(Job *job, JobResult result, ErrorId error, const char *message, json_object *record);

/* Tries again to write the ends that could not be written. */
void jobs_retry_records(Manager *manager);
void jobs_drop_records(Manager *manager);

/* Enters a job that an earlier lfad accepted: as queued, or as waiting. */
Job *jobs_restore(Manager *manager, uint32_t id, const JobRequest *request, JobState state);

/* What the job tells people until its end; "" = nothing. */
void job_set_message(Job *job, const char *text);

/* --- the queue (queue.c) --- */

/* The job that was taken up goes back to the head of the queue: nothing was done. */
void queue_put_back(Manager *manager, Job *job);

/* A job goes no further before a reading that is as fresh as a taken up job needs it. Returns true when it is there;
 * else waiter is called (scanner.h). */
bool queue_wait_for_reading(Manager *manager, const Job *job, ScanWaiter waiter, void *userdata);

/* Something is otherwise than it was: looks from the event loop at the head of the queue, and at what waits. */
void queue_schedule(Manager *manager);

/* Takes a job out, wherever it is: queued, waiting or current. */
void queue_drop(Manager *manager, Job *job);

/* What the head of the queue was kept waiting for is over: its patience with an unsettled tree begins anew.
 */
void queue_forget_patience(Manager *manager);

/* --- activating (activation.c) --- */

/* Takes a job through lock, guard, last gates, record and worker. Returns 0 when it is under way or has ended; -EBUSY
 * when a worker of an earlier generation holds the lock, and the job must wait. */
int activation_begin(Manager *manager, Job *job);

/* Ends a job that is being guarded: nothing was written yet. */
void activation_abandon(Job *job, JobResult result, ErrorId error, const char *message);

/* Lets a job wait (scheduler.h) that is being guarded. refusal: as for scheduler_wait. */
void activation_put_off(Job *job, GateId gate, const GateVerdict *refusal);

/* Follows a write that a worker of an earlier lfad has begun: until it ends, then its report is judged. */
void activation_adopt(Manager *manager, Job *job);

/* Says so, again and again, when a write takes longer than the driver's own budgets. */
void activation_watch_for_long_write(Manager *manager);

/* Waits for the end of the current job's worker by its lock, for want of anything better. */
void activation_follow(Manager *manager);

/* Asks the kernel driver, once, to cancel. Returns 0; -ESRCH when the write is over; another negative errno
 * when it could not be asked. */
int activation_cancel(Job *job);

/* Waits for the end of a worker that belongs to no job that is known. */
void activation_watch_foreign(Manager *manager);

/* --- the history's files (rotation.c) --- */

/* Begins a new one when the newest is large enough and nothing under way needs the old one. */
void manager_rotate_history(Manager *manager);

/* --- recovery (recovery.c) --- */
void recovery_run(Manager *manager);

/* --- the driver's own settings (settings.c) --- */

/* Sets the next one that is otherwise than the configuration wants it. */
void settings_apply(Manager *manager);

/* What was tried in vain is tried anew: the directory is another one, the configuration is, or it must be. */
void image_forget_settings(Image *image);
void settings_forget(Manager *manager);

/* The same, once. */
void settings_try_again(Manager *manager);
bool image_setting_differs(const Image *image, SettingId id);

/* --- what endangers every activation (warnings.c) --- */
typedef enum WarningCode {
        WARNING_KERNEL_ACTIVATES,
        WARNING_TREE_LOST,
        WARNING_RECORDS_UNUSABLE,
        WARNING_EVENT_STORM,
        WARNING_AUTO_ACTIVATE_LEFT,
        WARNING_WATCHDOG_NOT_RESTORED,
        WARNING_AUTOMATIC_WITHOUT_WINDOW,
        _WARNING_MAX,
        _WARNING_INVALID = -EINVAL,
} WarningCode;

const char *warning_code_to_string(WarningCode code);
WarningCode warning_code_from_string(const char *text);

typedef struct Warning {
        WarningCode code; /* for programs */
        char *text;       /* for people */
} Warning;

GPtrArray *warnings_new(void);

/* What every answer about activations says with this driver, or NULL. */
const char *manager_standing_warning(const Manager *manager);

/* Finds out anew what there is to warn of, and tells when it differs. */
void manager_update_warnings(Manager *manager);

/* --- status-line.c --- */
void manager_notify_status(Manager *manager);
