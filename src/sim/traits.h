/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every behavioural difference between the published versions of the kernel driver, as one row each. The
 * model asks its row and never the name of a version. */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The files of an image, in the order the driver creates them. */
typedef enum SysfsAttribute {
        ATTRIBUTE_NAME,
        ATTRIBUTE_ACTIVATION_CAPABLE,
        ATTRIBUTE_ACTIVATION_PENDING,
        ATTRIBUTE_MAY_RESET_CPU,
        ATTRIBUTE_CPU_RENDEZVOUS,
        ATTRIBUTE_CURRENT_VERSION,
        ATTRIBUTE_PENDING_VERSION,
        ATTRIBUTE_FORCE_CPU_RENDEZVOUS,
        ATTRIBUTE_AUTO_ACTIVATE,
        ATTRIBUTE_ACTIVATE,
        ATTRIBUTE_CANCEL,
        _ATTRIBUTE_MAX,
        _ATTRIBUTE_INVALID = -EINVAL,
} SysfsAttribute;

const char *sysfs_attribute_name(SysfsAttribute attribute);
/* -EINVAL when no attribute has that name. */
SysfsAttribute sysfs_attribute_find(const char *name);
/* 0444, 0200 or 0644. */
mode_t sysfs_attribute_mode(SysfsAttribute attribute);

/* What `name` shows for an image the driver does not know. */
typedef enum NameStyle {
        NAME_UNKNOWN, /* "(unknown)" */
        NAME_GARBAGE, /* bytes of a dead buffer, for nearly every image */
        NAME_EMPTY,
        NAME_GUID,
} NameStyle;

/* How a second activation meets one that runs. */
typedef enum Serialisation {
        SERIALISE_NONE,   /* both reach firmware */
        SERIALISE_WAIT,   /* a mutex */
        SERIALISE_REFUSE, /* trylock: busy_errno at once */
} Serialisation;

typedef enum NotifyStyle {
        NOTIFY_IGNORED,
        NOTIFY_OPTED_IN,   /* images with auto_activate=1 */
        NOTIFY_EVERYTHING, /* every capable and pending image, the inventory is renewed first */
} NotifyStyle;

/* The wording of the kernel log. */
typedef enum LogStyle {
        LOG_RFC,
        LOG_V1,
        LOG_V1NV,
        LOG_V2,
        _LOG_STYLE_MAX,
} LogStyle;

/* What an oops comes from: a text looked up by an errno that the driver's table does not reach to. */
typedef enum OopsCause {
        OOPS_MAY_RESET = 1 << 0,      /* EINVAL: the image may reset CPUs */
        OOPS_CANCEL_REFUSED = 1 << 1, /* EINVAL: the CANCEL after a failed ACTIVATE */
        OOPS_PRIME_TIMEOUT = 1 << 2,  /* ETIMEDOUT */
        OOPS_STALE = 1 << 3,          /* ENODEV: the image is stale */
} OopsCause;

typedef struct DriverTraits {
        const char *name;
        const char *description;

        /* Files and what they show */
        uint32_t attributes; /* bit per SysfsAttribute */
        NameStyle name_style;
        const char *bl31_name, *rmm_name;  /* BL33 has the same name in all versions */
        bool flags_follow_pending_read;    /* reading activation_pending renews all four flags */
        bool refresh_is_flags_only;        /* after a success directories never change */
        bool pending_version_is_arbitrary; /* else: the stored pending bit decides */
        int stale_pending_errno;           /* activation_pending of a stale image; 0: prints the stored 0 */
        bool stale_pending_version_skips_smc; /* N/A without a firmware call */
        bool empty_root_without_components;   /* probing keeps an empty directory */

        /* Runs */
        uint64_t prime_budget_usec, prime_pause_usec; /* a budget of 0 is none */
        uint64_t activate_budget_usec, activate_pause_usec;
        bool activate_retries_busy;
        bool loop_in_stop_machine;         /* the pauses of ACTIVATE are stalls, too */
        bool inventory_locked;             /* pending reads and cancel wait for an ACTIVATE attempt */
        bool no_cancel_after_activate;     /* a failed ACTIVATE is not followed by CANCEL */
        bool prime_failure_cancels_primed; /* CANCEL after a failed PRIME if an earlier PRIME was accepted */
        bool failure_hidden_by_cancel;     /* failed ACTIVATE and good CANCEL: the write succeeds */
        bool signals_shorten_pauses;       /* a pending signal makes every pause return at once */
        Serialisation serialisation;
        /* The worker that removes stale directories takes part in that; else a refresh that meets it loses
         * the tree. */
        bool cleanup_serialised;
        uint64_t cleanup_latency_usec; /* how long its work is queued when there is nothing to remove */
        bool stale_activate_refused;   /* before any firmware call */
        bool unbind_ends_run;          /* removing the driver cancels a run; else it waits for its end */

        /* What takes the kernel down */
        unsigned oopses;             /* bit per OopsCause */
        uint64_t requeue_fatal_usec; /* a success this soon after another corrupts the work queue; 0: none */

        /* errno of the writes */
        int failure_errno, may_reset_errno, busy_errno, prime_busy_errno;
        int cancel_errno, stale_cancel_errno;

        /* Notifications */
        NotifyStyle notify_style;
        bool notify_renews_pending; /* one GET_INVENTORY an image, even when none has opted in */

        /* Kernel log */
        LogStyle log_style;
        bool missing_agent_logged, initialised_logged;
        bool cancel_log_has_raw_name; /* nothing for images without a name */

        /* Device and events. No subsystem: no device, hence no events. */
        const char *device_subsystem, *device_path, *device_driver, *device_modalias;
        const char *device_suffix;        /* number behind the path, which varies; NULL: none */
        const char *device_bare_modalias; /* of a bus that gives no suffix; NULL: there is no such bus */
        const char *sysfs_evidence; /* what it registers in sysfs besides, by which it is told; NULL: nothing */
        bool change_after_probe, change_after_success;
} DriverTraits;

static inline bool driver_traits_has(const DriverTraits *traits, SysfsAttribute attribute) {
        return traits->attributes & 1U << attribute;
}

/* NULL when there is no profile of that name. */
const DriverTraits *driver_traits_find(const char *name);
const DriverTraits *driver_traits_at(size_t index); /* NULL behind the last */
