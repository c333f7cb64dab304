/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one table of lfad's named errors: org.arm.LFA1.Error.<Name>.
 *
 * LFA_ERROR_TABLE(X) expands X(symbol, "Name", retryable, "what it means and the way out") for each.
 * Retryable: the same request may succeed later without anybody changing anything. Conditions that every
 * D-Bus user knows (AccessDenied, InteractiveAuthorizationRequired, InvalidArgs, LimitsExceeded) have the
 * standard names instead. */

#define LFA_ERROR_TABLE(X)                                                                                      \
        X(CONFIG_INVALID, "ConfigInvalid", 0,                                                                   \
          "The configuration has errors; 'lfactl config check' lists them, 'lfactl reload' reads it again.")    \
        X(NO_SUCH_IMAGE, "NoSuchImage", 0,                                                                      \
          "No image has this GUID or name; list what there is with 'lfactl list'.")                             \
        X(AMBIGUOUS_IMAGE, "AmbiguousImage", 0, "The name fits several images; use the GUID.")                  \
        X(NO_SUCH_JOB, "NoSuchJob", 0, "There is no such job, or it has ended.")                                \
        X(STARTING, "Starting", 1, "lfad has not finished its first scan; ask again in a moment.")              \
        X(SHUTTING_DOWN, "ShuttingDown", 1,                                                                     \
          "lfad is stopping and takes no new jobs; ask again once it runs.")                                    \
        X(NO_DRIVER, "NoDriver", 0,                                                                             \
          "The kernel has no LFA driver bound: /sys/firmware/lfa does not exist.")                              \
        X(NO_FIRMWARE, "NoFirmware", 0, "The driver is there, but its firmware offers no image.")               \
        X(TREE_LOST, "TreeLost", 0,                                                                             \
          "The driver lost images that firmware may still have; bind it again, see lfad(8).")                   \
        X(PROFILE_NOT_ALLOWED, "ProfileNotAllowed", 0,                                                          \
          "This version of the kernel driver is not safe to drive; only the configuration can allow it.")       \
        X(NOT_CAPABLE, "NotCapable", 0, "Firmware does not support live activation of this image.")             \
        X(NOT_PENDING, "NotPending", 0, "Nothing is staged for this image; stage new firmware first.")          \
        X(IMAGE_STALE, "ImageStale", 1,                                                                         \
          "The driver is dropping this image; look again after its inventory settled.")                         \
        X(NEEDS_CPU_RESET, "NeedsCpuReset", 0,                                                                  \
          "Activating this image may reset CPUs, which no driver supports.")                                    \
        X(VERSION_CHANGED, "VersionChanged", 0,                                                                 \
          "The versions are not, or no longer, those that were asked for; look again and ask anew.")            \
        X(VERSION_FORBIDDEN, "VersionForbidden", 0,                                                             \
          "The configuration does not allow the version that is pending; stage another one.")                   \
        X(KERNEL_BUSY, "KernelBusy", 1,                                                                         \
          "The driver is busy or its tree has not settled; ask again in a moment.")                             \
        X(REPEATED_ACTIVATION, "RepeatedActivation", 0,                                                         \
          "This image was activated before, and firmware still reports it as pending with no version moved.")   \
        X(KERNEL_AUTO_ACTIVATE, "KernelAutoActivate", 0,                                                        \
          "The kernel activates this image by itself (auto_activate is 1) and that could not be switched off.") \
        X(SETTING_NOT_APPLIED, "SettingNotApplied", 0,                                                          \
          "A setting that the configuration wants could not be made; see lfad's journal.")                      \
        X(FROZEN, "Frozen", 1, "A freeze of lfad.conf holds; ask again when it is over.")                       \
        X(OUTSIDE_WINDOW, "OutsideWindow", 1,                                                                   \
          "No window is open, or it closes too soon; ask in the next one, or wait for it with --when-allowed.") \
        X(NO_WINDOW, "NoWindow", 0,                                                                             \
          "lfad activates nothing by itself without a window; configure one, or activate it yourself.")         \
        X(SLOT_NOT_REACHED, "SlotNotReached", 1,                                                                \
          "This host's own moment in the window has not come; ask again then.")                                 \
        X(TRIED_IN_WINDOW, "TriedInWindow", 1,                                                                  \
          "lfad has tried this image in this window; it tries again in the next one.")                          \
        X(NO_MACHINE_ID, "NoMachineId", 0,                                                                      \
          "The host has no machine id, so it has no moment of its own in a window; see machine-id(5).")         \
        X(INTERVAL_NOT_OVER, "IntervalNotOver", 1,                                                              \
          "The last activation was too short a time ago (MinimumIntervalSec=); ask again later.")               \
        X(CLOCK_NOT_SYNCHRONIZED, "ClockNotSynchronized", 1,                                                    \
          "The host's clock is not known to be right, so that windows mean nothing; 'timedatectl' tells more.") \
        X(INHIBITED, "Inhibited", 1,                                                                            \
          "A client holds activations back; 'lfactl inhibit --list' shows who, ask again when it has let go.")  \
        X(ORDER_PENDING, "OrderPending", 1,                                                                     \
          "Another image must go first (After= of lfad.conf) and is pending; activate that one first.")         \
        X(SYSTEM_STOPPING, "SystemStopping", 1,                                                                 \
          "The host is shutting down or going to sleep; ask again when it runs.")                               \
        X(SYSTEM_NOT_READY, "SystemNotReady", 1,                                                                \
          "The host has not booted fully, or does not tell; 'systemctl is-system-running' shows its state.")    \
        X(WATCHDOG_UNSAFE, "WatchdogUnsafe", 0,                                                                 \
          "A hardware watchdog may reset the host during the activation; 'lfactl watchdog' tells which.")       \
        X(STATE_NEWER, "StateNewer", 0,                                                                         \
          "A newer version of lfad wrote /var/lib/lfad/state.json; install that version again.")                \
        X(QUARANTINED, "Quarantined", 0,                                                                        \
          "Activations to this version went wrong; stage another one, or 'lfactl clear-quarantine' it. See "    \
          "lfad-operations(7).")                                                                                \
        X(NOT_QUARANTINED, "NotQuarantined", 0, "The image is not quarantined: there is nothing to clear.")     \
        X(HELD, "Held", 0, "Activations are paused; 'lfactl status' says why, 'lfactl unhold' ends that.")      \
        X(NOT_HELD, "NotHeld", 0,                                                                               \
          "There is no such hold to release; 'lfactl status' shows those in force.")                            \
        X(DISK_FULL, "DiskFull", 1, "There is no room on disk for this job's records; free some space.")        \
        X(STATE_UNAVAILABLE, "StateUnavailable", 0,                                                             \
          "lfad's records cannot be read or written; see its journal.")                                         \
        X(DAEMON_RESTARTED, "DaemonRestarted", 1,                                                               \
          "lfad was restarted before the activation began; nothing was done.")                                  \
        X(PRECEDING_FAILED, "PrecedingFailed", 0,                                                               \
          "An image of the same request was not activated as it should; look at that first.")                   \
        X(DEADLINE_REACHED, "DeadlineReached", 1,                                                               \
          "A gate deferred the job until its deadline; ask again with a later one.")                            \
        X(REQUEST_ID_REUSED, "RequestIdReused", 0,                                                              \
          "This request-id was used for another request; choose a new one.")                                    \
        X(HOST_RESTARTED, "HostRestarted", 0,                                                                   \
          "The host restarted during the activation; check it before anything.")                                \
        X(WORKER_FAILED, "WorkerFailed", 1,                                                                     \
          "The helper process could not be started; nothing was written.")                                      \
        X(NO_REPORT, "NoReport", 0,                                                                             \
          "The helper process left no report: what the firmware did is not known.")                             \
        X(IMAGE_GONE, "ImageGone", 0, "The image vanished from the driver's tree.")                             \
        X(UNREADABLE, "Unreadable", 0, "The driver's values could not be read after the activation.")           \
        X(UNEXPECTED_VERSION, "UnexpectedVersion", 0,                                                           \
          "The firmware that runs now is not the one that was pending.")                                        \
        X(NO_EFFECT, "NoEffect", 0, "The driver reported success, yet nothing changed.")                        \
        X(ACTIVATION_FAILED, "ActivationFailed", 0,                                                             \
          "Firmware refused the activation; the old version still runs.")                                       \
        X(UNPROVEN, "Unproven", 0,                                                                              \
          "The driver reported an error, and the new firmware may run nevertheless.")                           \
        X(NO_PERMISSION, "NoPermission", 0, "The kernel refused access to the attribute.")                      \
        X(READ_ONLY, "ReadOnly", 0,                                                                             \
          "/sys/firmware is read-only here, as in a container or too tight a sandbox.")                         \
        X(INPUT_OUTPUT, "InputOutput", 0, "The driver's attribute could not be opened or written.")             \
        X(CANCELLED, "Cancelled", 0, "The job was cancelled before anything was written.")

/* ErrorId: LFA_ERROR_NONE = 0, then one value a row. Strings and the rest: src/core/errors.h. */
#define LFA_ERROR_ENUM_ROW_(symbol, name, retryable, text) LFA_ERROR_##symbol,
typedef enum ErrorId {
        LFA_ERROR_NONE,
        LFA_ERROR_TABLE(LFA_ERROR_ENUM_ROW_) _LFA_ERROR_MAX,
} ErrorId;
