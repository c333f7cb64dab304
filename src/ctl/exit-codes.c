/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exit codes: their texts, and the tables from error names and results to them. */

#include "ctl/exit-codes.h"

#include "lfa/bus-names.h"

#include <stddef.h>
#include <string.h>
#include <systemd/sd-bus-protocol.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static const char *const exit_code_texts[_EXIT_CODE_MAX] = {
        [EXIT_DONE] = "done, or nothing to do",
        [EXIT_FAILED] = "failed, or cancelled",
        [EXIT_USAGE] = "usage: no such verb, option or image",
        [EXIT_DEFERRED] = "a gate defers: the same request may pass later",
        [EXIT_UNVERIFIED] = "unverified: accepted, but nothing proves which firmware runs",
        [EXIT_UNKNOWN] = "unknown: what happened cannot be told",
        [EXIT_NOT_AUTHORISED] = "not authorised",
        [EXIT_NO_DRIVER] = "no driver, or firmware without images",
        [EXIT_DENIED] = "a gate denies: something must change first",
        [EXIT_NOT_PRINTED] = "done, but not all of the output could be written",
};

static const struct {
        const char *error;
        ExitCode code;
} error_codes[] = {
        { SD_BUS_ERROR_ACCESS_DENIED, EXIT_NOT_AUTHORISED },
        { SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, EXIT_NOT_AUTHORISED },
        { SD_BUS_ERROR_INVALID_ARGS, EXIT_USAGE },
        { SD_BUS_ERROR_LIMITS_EXCEEDED, EXIT_DEFERRED },
        { SD_BUS_ERROR_NO_REPLY, EXIT_UNKNOWN },
        { SD_BUS_ERROR_TIMEOUT, EXIT_UNKNOWN },
        { SD_BUS_ERROR_DISCONNECTED, EXIT_UNKNOWN },
        { LFA_ERROR_PREFIX "NoSuchImage", EXIT_USAGE },
        { LFA_ERROR_PREFIX "AmbiguousImage", EXIT_USAGE },
        { LFA_ERROR_PREFIX "NoSuchJob", EXIT_FAILED },
        { LFA_ERROR_PREFIX "Starting", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "ShuttingDown", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "KernelBusy", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "OrderPending", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "Inhibited", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "Frozen", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "OutsideWindow", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "NoWindow", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "SlotNotReached", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "TriedInWindow", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "NoMachineId", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "IntervalNotOver", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "ClockNotSynchronized", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "ConfigInvalid", EXIT_DENIED },
        { LFA_ERROR_PREFIX "NoDriver", EXIT_NO_DRIVER },
        { LFA_ERROR_PREFIX "NoFirmware", EXIT_NO_DRIVER },
        { LFA_ERROR_PREFIX "ProfileNotAllowed", EXIT_DENIED },
        { LFA_ERROR_PREFIX "NotCapable", EXIT_DENIED },
        { LFA_ERROR_PREFIX "NotPending", EXIT_DENIED },
        { LFA_ERROR_PREFIX "ImageStale", EXIT_DENIED },
        { LFA_ERROR_PREFIX "NeedsCpuReset", EXIT_DENIED },
        { LFA_ERROR_PREFIX "VersionChanged", EXIT_DENIED },
        { LFA_ERROR_PREFIX "VersionForbidden", EXIT_DENIED },
        { LFA_ERROR_PREFIX "RepeatedActivation", EXIT_DENIED },
        { LFA_ERROR_PREFIX "KernelAutoActivate", EXIT_DENIED },
        { LFA_ERROR_PREFIX "SettingNotApplied", EXIT_DENIED },
        { LFA_ERROR_PREFIX "WatchdogUnsafe", EXIT_DENIED },
        { LFA_ERROR_PREFIX "TreeLost", EXIT_DENIED },
        { LFA_ERROR_PREFIX "Quarantined", EXIT_DENIED },
        { LFA_ERROR_PREFIX "Held", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "StateNewer", EXIT_DENIED },
        { LFA_ERROR_PREFIX "DiskFull", EXIT_DENIED },
        { LFA_ERROR_PREFIX "StateUnavailable", EXIT_DENIED },
        { LFA_ERROR_PREFIX "SystemNotReady", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "DeadlineReached", EXIT_DEFERRED },
        { LFA_ERROR_PREFIX "SystemStopping", EXIT_DENIED },
        { LFA_ERROR_PREFIX "HostRestarted", EXIT_UNKNOWN },
        { LFA_ERROR_PREFIX "NoReport", EXIT_UNKNOWN },
        { LFA_ERROR_PREFIX "Unproven", EXIT_UNKNOWN },
        { LFA_ERROR_PREFIX "NotQuarantined", EXIT_FAILED },
        { LFA_ERROR_PREFIX "NotHeld", EXIT_FAILED },
        { LFA_ERROR_PREFIX "RequestIdReused", EXIT_FAILED },
        { LFA_ERROR_PREFIX "DaemonRestarted", EXIT_FAILED },
        { LFA_ERROR_PREFIX "PrecedingFailed", EXIT_FAILED },
        { LFA_ERROR_PREFIX "Cancelled", EXIT_FAILED },
        { LFA_ERROR_PREFIX "WorkerFailed", EXIT_FAILED },
        { LFA_ERROR_PREFIX "ImageGone", EXIT_FAILED },
        { LFA_ERROR_PREFIX "Unreadable", EXIT_FAILED },
        { LFA_ERROR_PREFIX "UnexpectedVersion", EXIT_FAILED },
        { LFA_ERROR_PREFIX "NoEffect", EXIT_FAILED },
        { LFA_ERROR_PREFIX "ActivationFailed", EXIT_FAILED },
        { LFA_ERROR_PREFIX "NoPermission", EXIT_FAILED },
        { LFA_ERROR_PREFIX "ReadOnly", EXIT_FAILED },
        { LFA_ERROR_PREFIX "InputOutput", EXIT_FAILED },
};

static const struct {
        const char *result;
        ExitCode code;
} result_codes[] = {
        { "succeeded", EXIT_DONE },   { "unverified", EXIT_UNVERIFIED }, { "failed", EXIT_FAILED },
        { "cancelled", EXIT_FAILED }, { "unknown", EXIT_UNKNOWN },
};

/* Worst first. */
static const ExitCode severity[] = {
        EXIT_FAILED, EXIT_UNKNOWN,    EXIT_USAGE,    EXIT_NOT_AUTHORISED, EXIT_NO_DRIVER,
        EXIT_DENIED, EXIT_UNVERIFIED, EXIT_DEFERRED, EXIT_NOT_PRINTED,    EXIT_DONE,
};

const char *exit_code_text(ExitCode code) {
        return exit_code_texts[code];
}

bool exit_code_knows_error(const char *error_name) {
        for (size_t i = 0; i < N_ELEMENTS(error_codes); i++)
                if (strcmp(error_codes[i].error, error_name) == 0)
                        return true;
        return false;
}

ExitCode exit_code_from_error(const char *error_name) {
        for (size_t i = 0; i < N_ELEMENTS(error_codes); i++)
                if (strcmp(error_codes[i].error, error_name) == 0)
                        return error_codes[i].code;
        return EXIT_FAILED;
}

/* A refused job did nothing, whatever refused it: an error that the table does not know is a gate of a newer
 * lfad, and counts as one that denies. */
static ExitCode exit_code_of_refusal(const char *error) {
        ExitCode code = exit_code_from_error(error ? error : "");

        return code == EXIT_FAILED || code == EXIT_UNKNOWN || code == EXIT_USAGE ? EXIT_DENIED : code;
}

ExitCode exit_code_from_result(const char *result, const char *error) {
        if (strcmp(result, "refused") == 0)
                return exit_code_of_refusal(error);
        for (size_t i = 0; i < N_ELEMENTS(result_codes); i++)
                if (strcmp(result_codes[i].result, result) == 0)
                        return result_codes[i].code;
        return EXIT_UNKNOWN;
}

ExitCode exit_code_worse(ExitCode a, ExitCode b) {
        for (size_t i = 0; i < N_ELEMENTS(severity); i++)
                if (severity[i] == a || severity[i] == b)
                        return severity[i];
        return EXIT_FAILED;
}
