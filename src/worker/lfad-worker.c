/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfad-worker: the one-shot process that touches sysfs for lfad, since a read may sleep behind an activation
 * and the write may block for 40 seconds. Started by lfad, one request in its arguments, answers on standard
 * output. */

#include "core/enum-names.h"
#include "util/file-io.h"
#include "util/macros.h"
#include "worker/answer.h"
#include "worker/worker.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

int worker_say(json_object *answer) {
        g_autofree char *line = g_strdup_printf(
                        "%s\n", json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));

        json_object_put(answer);
        return write_all(STDOUT_FILENO, line, strlen(line));
}

/* A pending signal makes the driver's pauses between firmware calls a busy loop, SIGKILL too: nothing may
 * ever be pending that can be kept away. SIGPIPE: lfad may be gone, and the activation goes on. */
static void block_signals(void) {
        sigset_t all;

        sigfillset(&all);
        (void) sigprocmask(SIG_SETMASK, &all, NULL);
        (void) signal(SIGPIPE, SIG_IGN);
}

static const struct {
        const char *name;
        int (*run)(const WorkerRequest *request);
        bool needs_guid;
} verbs[] = {
        { "scan", worker_scan, false },           { "activate", worker_activate, true },
        { "cancel", worker_cancel, true },        { "set", worker_set, true },
        { "watchdogs", worker_watchdogs, false },
};

static int parse_expected(const char *text, ExpectedVersion *ret) {
        ret->given = true;
        return *text ? version_parse(text, ret->version) : 0; /* "" = firmware gives no version */
}

static int parse_number(const char *text, long maximum, long *ret) {
        char *end;

        errno = 0;
        *ret = strtol(text, &end, 10);
        return errno != 0 || end == text || *end || *ret < 0 || *ret > maximum ? -EINVAL : 0;
}

enum {
        OPTION_SYSFS = 1,
        OPTION_PROCFS,
        OPTION_GUID,
        OPTION_JOB,
        OPTION_KERNEL_LOG,
        OPTION_PROFILE,
        OPTION_REPORT,
        OPTION_LOCK,
        OPTION_FROM,
        OPTION_TO,
        OPTION_ATTRIBUTE,
        OPTION_VALUE
};

static const struct option options[] = {
        { "sysfs", required_argument, NULL, OPTION_SYSFS },
        { "procfs", required_argument, NULL, OPTION_PROCFS },
        { "guid", required_argument, NULL, OPTION_GUID },
        { "job", required_argument, NULL, OPTION_JOB },
        { "kernel-log", required_argument, NULL, OPTION_KERNEL_LOG },
        { "profile", required_argument, NULL, OPTION_PROFILE },
        { "report", required_argument, NULL, OPTION_REPORT },
        { "lock-fd", required_argument, NULL, OPTION_LOCK },
        { "from", required_argument, NULL, OPTION_FROM },
        { "to", required_argument, NULL, OPTION_TO },
        { "attribute", required_argument, NULL, OPTION_ATTRIBUTE },
        { "value", required_argument, NULL, OPTION_VALUE },
        { NULL, 0, NULL, 0 },
};

static int apply_option(WorkerRequest *request, int option, const char *argument) {
        long number;

        switch (option) {
        case OPTION_SYSFS:
                request->sysfs = argument;
                return 0;
        case OPTION_PROCFS:
                request->procfs = argument;
                return 0;
        case OPTION_GUID:
                if (!guid_is_valid(argument))
                        return -EINVAL;
                memcpy(request->guid, argument, GUID_STRING_SIZE);
                return 0;
        case OPTION_JOB:
                if (parse_number(argument, INT32_MAX, &number) < 0)
                        return -EINVAL;
                request->job = (uint32_t) number;
                return 0;
        case OPTION_PROFILE:
                request->profile = driver_profile_from_string(argument);
                return (int) request->profile < 0 ? -EINVAL : 0;
        case OPTION_KERNEL_LOG:
                request->kernel_log = argument;
                return 0;
        case OPTION_REPORT:
                request->report_path = argument;
                return 0;
        case OPTION_LOCK:
                if (parse_number(argument, INT32_MAX, &number) < 0)
                        return -EINVAL;
                request->lock_fd = (int) number;
                return 0;
        case OPTION_FROM:
                return parse_expected(argument, &request->from);
        case OPTION_TO:
                return parse_expected(argument, &request->to);
        case OPTION_ATTRIBUTE:
                request->attribute = argument;
                return 0;
        case OPTION_VALUE:
                if (strcmp(argument, "0") != 0 && strcmp(argument, "1") != 0)
                        return -EINVAL;
                request->value = argument[0];
                return 0;
        default:
                return -EINVAL;
        }
}

static int parse_arguments(int argc, char **argv, WorkerRequest *request) {
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                int r = apply_option(request, option, optarg);

                if (r < 0)
                        return r;
        }
        return optind == argc - 1 ? 0 : -EINVAL;
}

int main(int argc, char **argv) {
        WorkerRequest request = { .sysfs = "/sys", .procfs = "/proc", .lock_fd = -EBADF };

        block_signals();
        if (parse_arguments(argc, argv, &request) < 0) {
                fprintf(stderr,
                        "lfad-worker: bad arguments; lfad starts this program, it is not for people.\n");
                return 2;
        }
        for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
                if (strcmp(argv[optind], verbs[i].name) == 0)
                        return verbs[i].needs_guid && !request.guid[0] ? 2 : verbs[i].run(&request);
        fprintf(stderr, "lfad-worker: unknown verb '%s'.\n", argv[optind]);
        return 2;
}
