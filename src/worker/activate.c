/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfad-worker activate: look once more, write once, look again, and leave a report that outlives lfad.
 *
 * `activation_pending` is read right before the write: some firmware looks at what is staged only when
 * asked, and would refuse otherwise. A retry follows only EBUSY and EAGAIN, which the driver gives before it
 * calls firmware. What the kernel's log says of the write is read right after it. Beside the write a sampler
 * measures for how long the CPUs stood still; it starts before the look, not between it and the write. */

#include "core/profile.h"
#include "kernel/image-reader.h"
#include "kernel/kernel-log.h"
#include "kernel/tree-reader.h"
#include "util/attr-io.h"
#include "util/boot-id.h"
#include "util/clock.h"
#include "util/file-io.h"
#include "util/macros.h"
#include "worker/answer.h"
#include "worker/sampler.h"
#include "worker/worker.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#define BUSY_RETRY_FIRST_MSEC 5
#define BUSY_RETRY_TOTAL_MSEC 1000

/* lfad reads pid and job from the lock file when it finds the lock taken by a worker of an earlier lfad. */
static void sign_lock(int lock_fd, uint32_t job) {
        char text[32];
        int length = snprintf(text, sizeof(text), "%d %u\n", (int) getpid(), job);

        if (lock_fd < 0)
                return;
        (void) fcntl(lock_fd, F_SETFD, FD_CLOEXEC);
        if (ftruncate(lock_fd, 0) >= 0)
                (void) !pwrite(lock_fd, text, (size_t) length, 0);
}

static void start_report(const WorkerRequest *request, ActivationReport *report) {
        *report = (ActivationReport){ .job = request->job,
                                      .profile = request->profile,
                                      .stage = STAGE_OPEN };
        memcpy(report->guid, request->guid, GUID_STRING_SIZE);
        (void) boot_id_read(report->boot_id);
        image_values_init(&report->before, request->guid);
        image_values_init(&report->after, request->guid);
}

static bool version_matches(const ExpectedVersion *expected, const char *version) {
        return !expected->given || strcmp(expected->version, version) == 0;
}

/* Whether what is there is still what was authorised, and nothing that must never be written to. */
static bool may_write(const WorkerRequest *request, const ImageValues *values) {
        return values->capable == 1 && values->pending == 1 && values->may_reset_cpu == 0 &&
               (values->auto_activate == 0 ||
                (values->auto_activate < 0 && !profile_has_auto_activate(request->profile))) &&
               !image_values_look_stale(values) &&
               version_matches(&request->from, values->current_version) &&
               version_matches(&request->to, values->pending_version);
}

/* The kernel's log from right before the last write on; without it only firmware's reason is not known. */
static int open_log(const WorkerRequest *request) {
        return request->kernel_log ? kernel_log_open(request->kernel_log) : -EBADF;
}

static void take_line(int level, const char *text, void *userdata) {
        firmware_reason_take_line(userdata, level, text);
}

/* The driver prints before its write returns: nothing needs to be waited for. */
static void read_reason(int log_fd, ActivationReport *report) {
        FirmwareReasonScan scan;

        firmware_reason_begin(&scan, report->guid, report->before.name);
        if (kernel_log_read(log_fd, take_line, &scan) > 0)
                firmware_reason_take_loss(&scan);
        report->reason = firmware_reason_end(&scan, report->profile, report->error == 0, report->write_usec);
}

/* One write(2). Returns 0 or a positive errno, also that of an open that failed; report->stage tells which.
 */
static int write_once(int tree_fd, int log_fd, Sampler *sampler, ActivationReport *report) {
        _cleanup_close_ int image_fd = -EBADF, fd = -EBADF;
        uint64_t begin;
        int r;

        report->stage = STAGE_OPEN;
        image_fd = openat(tree_fd, report->guid, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (image_fd < 0)
                return errno;
        fd = attr_open_write(image_fd, "activate");
        if (fd < 0)
                return -fd;

        (void) worker_say(answer_new(ANSWER_WRITING));
        report->stage = STAGE_WRITE;
        report->attempts++;
        (void) kernel_log_mark(log_fd);
        report->write_timestamp = clock_realtime(&system_clock);
        begin = clock_monotonic(&system_clock);
        sampler_begin(sampler);
        r = attr_write_byte(fd, '1');
        sampler_end(sampler);
        report->write_usec = clock_monotonic(&system_clock) - begin;
        return -r;
}

static void pause_msec(unsigned msec) {
        struct timespec pause = { .tv_sec = msec / 1000, .tv_nsec = (long) (msec % 1000) * 1000 * 1000 };

        nanosleep(&pause, NULL);
}

/* Returns whether the driver was busy. */
static bool look_and_write(const WorkerRequest *request, int tree_fd, int log_fd, Sampler *sampler,
                           ActivationReport *report) {
        int r = image_read_settled(tree_fd, report->guid, report->profile, &report->before);

        if (r < 0) {
                report->stage = STAGE_OPEN;
                report->error = -r;
                return false;
        }
        if (!may_write(request, &report->before)) {
                report->stage = STAGE_CHANGED;
                report->error = 0;
                return false;
        }
        report->error = write_once(tree_fd, log_fd, sampler, report);
        return report->error == EBUSY || report->error == EAGAIN;
}

/* Looks and writes; again for about a second while the driver is busy: right after a success it is for
 * milliseconds, and what is pending may have been activated by somebody else meanwhile. */
static void check_and_write(const WorkerRequest *request, int tree_fd, int log_fd,
                            ActivationReport *report) {
        unsigned waited = 0, pause = BUSY_RETRY_FIRST_MSEC;

        for (;;) {
                Sampler *sampler = sampler_start();
                bool busy = look_and_write(request, tree_fd, log_fd, sampler, report);

                report->blackout = sampler_stop(sampler);
                if (!busy || waited >= BUSY_RETRY_TOTAL_MSEC)
                        return;
                pause_msec(pause);
                waited += pause;
                pause *= 2;
        }
}

static void look_again(int tree_fd, ActivationReport *report) {
        int r = image_read_settled(tree_fd, report->guid, report->profile, &report->after);

        report->gone = r < 0;
        report->stale = r >= 0 && image_values_look_stale(&report->after);
}

/* Firmware may keep a refused image in its one slot until somebody cancels it, and refuse every other image
 * meanwhile (TF-A). Nothing of the kind happens after EBUSY or ENODEV, and an idle image answers EINVAL.
 *
 * Nor after LFA_BUSY: as an answer to PRIME it means that somebody else is preparing an image just now, as
 * one to ACTIVATE that another activation is in progress and ours is put off, and as one to the driver's own
 * CANCEL that it came too late. In each case what a second CANCEL would meet is not a refused image of ours
 * but an activation that runs. */
static void free_slot(int tree_fd, ActivationReport *report) {
        _cleanup_close_ int image_fd = -EBADF, fd = -EBADF;

        if (report->error == 0 || report->error == EBUSY || report->error == EAGAIN ||
            report->error == ENODEV)
                return;
        if (report->gone || report->stale || report->reason.busy)
                return;
        image_fd = openat(tree_fd, report->guid, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (image_fd < 0)
                return;
        fd = attr_open_write(image_fd, "cancel");
        if (fd < 0)
                return;
        report->cancel_sent = true;
        report->cancel_error = -attr_write_byte(fd, '1');
}

static int write_report(const char *path, const char *text) {
        g_autofree char *folder = g_path_get_dirname(path), *name = g_path_get_basename(path);
        _cleanup_close_ int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return folder_fd < 0 ? -errno : file_replace(folder_fd, name, text, strlen(text), 0644);
}

/* Without a report lfad can only say that it does not know: a failure here is said, and nothing more can be
 * done. */
static int leave_report(const WorkerRequest *request, const ActivationReport *report) {
        _cleanup_json_ json_object *object = answer_from_report(report);
        const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
        int r = 0;

        if (request->report_path)
                r = write_report(request->report_path, text);
        if (r < 0)
                fprintf(stderr, "lfad-worker: cannot write %s: %s\n", request->report_path, g_strerror(-r));
        return worker_say(json_object_get(object)) < 0 && r < 0 ? 1 : 0;
}

int worker_activate(const WorkerRequest *request) {
        ActivationReport report;
        _cleanup_close_ int tree_fd = -EBADF, log_fd = -EBADF;

        sign_lock(request->lock_fd, request->job);
        start_report(request, &report);
        tree_fd = tree_open(request->sysfs);
        if (tree_fd < 0) {
                report.error = -tree_fd;
                return leave_report(request, &report);
        }
        log_fd = open_log(request);
        check_and_write(request, tree_fd, log_fd, &report);
        if (report.stage == STAGE_WRITE) {
                read_reason(log_fd, &report);
                look_again(tree_fd, &report);
                free_slot(tree_fd, &report);
        }
        return leave_report(request, &report);
}
