/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of driver versions. Sources: the public driver sources and patches of each version; where the
 * driver was run, what it was seen to do. Rows share groups of fields where the versions share code. */

#include "sim/traits.h"

#include "util/macros.h"

#include <string.h>

#define N_ELEMENTS(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
        const char *name;
        mode_t mode;
} attributes[_ATTRIBUTE_MAX] = {
        [ATTRIBUTE_NAME] = { "name", 0444 },
        [ATTRIBUTE_ACTIVATION_CAPABLE] = { "activation_capable", 0444 },
        [ATTRIBUTE_ACTIVATION_PENDING] = { "activation_pending", 0444 },
        [ATTRIBUTE_MAY_RESET_CPU] = { "may_reset_cpu", 0444 },
        [ATTRIBUTE_CPU_RENDEZVOUS] = { "cpu_rendezvous", 0444 },
        [ATTRIBUTE_CURRENT_VERSION] = { "current_version", 0444 },
        [ATTRIBUTE_PENDING_VERSION] = { "pending_version", 0444 },
        [ATTRIBUTE_FORCE_CPU_RENDEZVOUS] = { "force_cpu_rendezvous", 0644 },
        [ATTRIBUTE_AUTO_ACTIVATE] = { "auto_activate", 0644 },
        [ATTRIBUTE_ACTIVATE] = { "activate", 0200 },
        [ATTRIBUTE_CANCEL] = { "cancel", 0200 },
};

const char *sysfs_attribute_name(SysfsAttribute attribute) {
        return attributes[attribute].name;
}

mode_t sysfs_attribute_mode(SysfsAttribute attribute) {
        return attributes[attribute].mode;
}

SysfsAttribute sysfs_attribute_find(const char *name) {
        for (SysfsAttribute i = 0; i < _ATTRIBUTE_MAX; i++)
                if (strcmp(attributes[i].name, name) == 0)
                        return i;
        return _ATTRIBUTE_INVALID;
}

#define BIT(attribute) (1U << (attribute))
#define FILES_RFC1                                                                                          \
        (BIT(ATTRIBUTE_NAME) | BIT(ATTRIBUTE_ACTIVATION_CAPABLE) | BIT(ATTRIBUTE_ACTIVATION_PENDING) |      \
         BIT(ATTRIBUTE_MAY_RESET_CPU) | BIT(ATTRIBUTE_CPU_RENDEZVOUS) | BIT(ATTRIBUTE_ACTIVATE) |           \
         BIT(ATTRIBUTE_CANCEL))
#define FILES_RFC2 (FILES_RFC1 | BIT(ATTRIBUTE_FORCE_CPU_RENDEZVOUS))
#define FILES_V1 (FILES_RFC2 | BIT(ATTRIBUTE_CURRENT_VERSION) | BIT(ATTRIBUTE_PENDING_VERSION))
#define FILES_V2 (FILES_V1 | BIT(ATTRIBUTE_AUTO_ACTIVATE))

#define NAMES_RFC .bl31_name = "BL31 runtime", .rmm_name = "RMM"
#define NAMES_TFA .bl31_name = "TF-A BL31 runtime", .rmm_name = "TF-RMM"

/* RFC and v1 spin without a pause and without a limit; one millisecond keeps the simulator's own CPU free.
 */
#define RUNS_UNLIMITED                                                                                      \
        .prime_pause_usec = USEC_PER_MSEC, .activate_pause_usec = USEC_PER_MSEC, .loop_in_stop_machine = true
#define RUNS_V1NV                                                                                           \
        .prime_budget_usec = 20 * USEC_PER_SEC, .prime_pause_usec = 150,                                    \
        .activate_budget_usec = 20 * USEC_PER_SEC, .activate_pause_usec = 100, .loop_in_stop_machine = true
#define RUNS_V2                                                                                             \
        .prime_budget_usec = 30 * USEC_PER_SEC, .prime_pause_usec = 10 * USEC_PER_MSEC,                     \
        .activate_budget_usec = 10 * USEC_PER_SEC, .activate_pause_usec = 10 * USEC_PER_MSEC,               \
        .signals_shorten_pauses = true
/* The work may lie queued for a moment with nothing to do. Before nvnew nothing keeps the next activation from
 * meeting it there. */
#define CLEANUP_UNSERIALISED .cleanup_latency_usec = USEC_PER_MSEC

#define ERRNOS(failure, may_reset, cancel)                                                                  \
        .failure_errno = failure, .may_reset_errno = may_reset, .prime_busy_errno = failure,                \
        .cancel_errno = cancel, .stale_cancel_errno = cancel
#define ERRNOS_V1 ERRNOS(ECANCELED, ECANCELED, EINVAL)

#define DEVICE_FAUX                                                                                         \
        .device_subsystem = "faux", .device_path = "/devices/faux/arm-lfa", .device_driver = "faux_driver", \
        .sysfs_evidence = "devices/faux/arm-lfa"
#define DEVICE_SMCCC                                                                                        \
        .device_subsystem = "arm_smccc", .device_path = "/devices/arm-smccc-lfa", .device_suffix = "0",     \
        .sysfs_evidence = "bus/arm_smccc/drivers/lfa_fw", .device_driver = "lfa_fw",                        \
        .device_modalias = "arm_smccc:arm-smccc-lfa", .device_bare_modalias = "arm_smccc:fC40002E0"

static const DriverTraits profiles[] = {
        { .name = "rfc1",
          .description = "first RFC, June 2025: 7 files, no versions, nothing limits a run",
          .attributes = FILES_RFC1,
          NAMES_RFC,
          RUNS_UNLIMITED,
          ERRNOS(EIO, EINVAL, EIO),
          .no_cancel_after_activate = true,
          .flags_follow_pending_read = true,
          .refresh_is_flags_only = true,
          .empty_root_without_components = true },
        { .name = "rfc2",
          .description = "second RFC, September 2025: force_cpu_rendezvous",
          .attributes = FILES_RFC2,
          NAMES_RFC,
          RUNS_UNLIMITED,
          ERRNOS(ECANCELED, EINVAL, EINVAL),
          .flags_follow_pending_read = true,
          .refresh_is_flags_only = true,
          .empty_root_without_components = true },
        { .name = "nvrfc",
          .description = "second RFC with NVIDIA's additions, a mutex that answers EAGAIN; known from mails only",
          .attributes = FILES_RFC2,
          NAMES_RFC,
          RUNS_UNLIMITED,
          .failure_errno = ECANCELED,
          .may_reset_errno = EINVAL,
          .prime_busy_errno = EAGAIN,
          .busy_errno = EAGAIN,
          .cancel_errno = EINVAL,
          .stale_cancel_errno = EINVAL,
          .serialisation = SERIALISE_REFUSE,
          .flags_follow_pending_read = true,
          .refresh_is_flags_only = true,
          .empty_root_without_components = true },
        { .name = "v1",
          .description = "v1 as posted, January 2026: versions, false success after a failed ACTIVATE",
          .attributes = FILES_V1,
          NAMES_TFA,
          RUNS_UNLIMITED,
          ERRNOS_V1,
          .log_style = LOG_V1,
          .missing_agent_logged = true,
          .oopses = OOPS_MAY_RESET | OOPS_CANCEL_REFUSED,
          .pending_version_is_arbitrary = true,
          .failure_hidden_by_cancel = true,
          .serialisation = SERIALISE_WAIT,
          .cleanup_serialised = true },
        { .name = "v1nv",
          .description = "NVIDIA's and XCP-ng's v1: activates everything on notification, opt-out impossible",
          .attributes = FILES_V1,
          .name_style = NAME_GARBAGE,
          NAMES_TFA,
          RUNS_V1NV,
          ERRNOS_V1,
          .log_style = LOG_V1NV,
          .missing_agent_logged = true,
          .initialised_logged = true,
          .oopses = OOPS_MAY_RESET | OOPS_CANCEL_REFUSED | OOPS_PRIME_TIMEOUT | OOPS_STALE,
          .requeue_fatal_usec = 10 * USEC_PER_MSEC,
          .activate_retries_busy = true,
          .pending_version_is_arbitrary = true,
          .failure_hidden_by_cancel = true,
          .serialisation = SERIALISE_WAIT,
          .cleanup_serialised = true,
          .stale_activate_refused = true,
          .notify_style = NOTIFY_EVERYTHING,
          .device_subsystem = "platform",
          .device_path = "/devices/platform/ARML0003:00",
          .device_driver = "ARM_LFA",
          .sysfs_evidence = "bus/platform/drivers/ARM_LFA",
          .device_modalias = "acpi:ARML0003:" },
        { .name = "v2s",
          .description = "first patches of v2 only, March 2026: no auto_activate, no locks",
          .attributes = FILES_V1,
          .name_style = NAME_EMPTY,
          NAMES_TFA,
          RUNS_V2,
          ERRNOS_V1,
          .log_style = LOG_V2,
          .missing_agent_logged = true,
          CLEANUP_UNSERIALISED,
          .cancel_log_has_raw_name = true },
        { .name = "v2",
          .description = "v2 complete, March 2026: auto_activate, a lock, still no retry of BUSY",
          .attributes = FILES_V2,
          .name_style = NAME_EMPTY,
          NAMES_TFA,
          RUNS_V2,
          ERRNOS_V1,
          .log_style = LOG_V2,
          .missing_agent_logged = true,
          CLEANUP_UNSERIALISED,
          .inventory_locked = true,
          .notify_style = NOTIFY_OPTED_IN,
          .cancel_log_has_raw_name = true,
          DEVICE_FAUX },
        { .name = "v2bos",
          .description = "v2 with BUSY retried and an event when the inventory has settled",
          .attributes = FILES_V2,
          .name_style = NAME_EMPTY,
          NAMES_TFA,
          RUNS_V2,
          ERRNOS_V1,
          .log_style = LOG_V2,
          .missing_agent_logged = true,
          CLEANUP_UNSERIALISED,
          .activate_retries_busy = true,
          .inventory_locked = true,
          .notify_style = NOTIFY_OPTED_IN,
          .cancel_log_has_raw_name = true,
          DEVICE_FAUX,
          .change_after_success = true },
        { .name = "v3",
          .description = "v3 as posted, July 2026 (SUSE): arm_smccc device, empty names",
          .attributes = FILES_V2,
          .name_style = NAME_EMPTY,
          NAMES_TFA,
          RUNS_V2,
          ERRNOS_V1,
          .log_style = LOG_V2,
          CLEANUP_UNSERIALISED,
          .activate_retries_busy = true,
          .inventory_locked = true,
          .notify_style = NOTIFY_OPTED_IN,
          DEVICE_SMCCC },
        { .name = "nv3",
          .description = "v3 with first fixes (NVIDIA): unknown images are named by their GUID",
          .attributes = FILES_V2,
          .name_style = NAME_GUID,
          NAMES_TFA,
          RUNS_V2,
          ERRNOS_V1,
          .log_style = LOG_V2,
          CLEANUP_UNSERIALISED,
          .activate_retries_busy = true,
          .inventory_locked = true,
          .notify_style = NOTIFY_OPTED_IN,
          .notify_renews_pending = true,
          DEVICE_SMCCC },
        { .name = "nvnew",
          .description = "v3 with an activation mutex (EBUSY), change events and orderly removal (NVIDIA)",
          .attributes = FILES_V2,
          .name_style = NAME_GUID,
          NAMES_TFA,
          RUNS_V2,
          .failure_errno = ECANCELED,
          .may_reset_errno = ECANCELED,
          .prime_busy_errno = ECANCELED,
          .busy_errno = EBUSY,
          .cancel_errno = EINVAL,
          .stale_cancel_errno = ENOENT,
          .log_style = LOG_V2,
          .activate_retries_busy = true,
          .inventory_locked = true,
          .prime_failure_cancels_primed = true,
          .serialisation = SERIALISE_REFUSE,
          .cleanup_serialised = true,
          .stale_pending_errno = ENOENT,
          .stale_pending_version_skips_smc = true,
          .stale_activate_refused = true,
          .unbind_ends_run = true,
          .notify_style = NOTIFY_OPTED_IN,
          .notify_renews_pending = true,
          DEVICE_SMCCC,
          .change_after_probe = true,
          .change_after_success = true },
};

const DriverTraits *driver_traits_at(size_t index) {
        return index < N_ELEMENTS(profiles) ? &profiles[index] : NULL;
}

const DriverTraits *driver_traits_find(const char *name) {
        for (size_t i = 0; i < N_ELEMENTS(profiles); i++)
                if (strcmp(profiles[i].name, name) == 0)
                        return &profiles[i];
        return NULL;
}
