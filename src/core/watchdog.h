/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether hardware watchdogs outlast an activation: while it runs all CPUs may stand still, and whoever feeds a
 * watchdog stands still with them. Pure arithmetic over what sysfs shows of a device. */

#include "lfa/enums.h"

#include <stdbool.h>
#include <stdint.h>

/* The kernel has room for 32 (drivers/watchdog/watchdog_core.h, MAX_DOGS); what lies beyond is no answer. */
#define WATCHDOGS_MAX 64
#define WATCHDOG_DEVICE_SIZE 16
#define WATCHDOG_IDENTITY_SIZE 65
/* The kernel's time-outs are unsigned int, in seconds. */
#define WATCHDOG_VALUE_MAXIMUM UINT32_MAX
#define WATCHDOG_ABSENT (-1)
/* The one misc device, of drivers that do without a class device (IPMI's). */
#define WATCHDOG_MISC_DEVICE "watchdog"

typedef enum WatchdogState {
        WATCHDOG_STATE_UNKNOWN,
        WATCHDOG_ACTIVE,   /* a program has opened it */
        WATCHDOG_INACTIVE, /* nobody has; firmware may have started it all the same */
        _WATCHDOG_STATE_MAX,
        _WATCHDOG_STATE_INVALID = -EINVAL,
} WatchdogState;

/* Numbers of a device; their strings are the names of the attributes. In seconds, but for nowayout (0 or 1). */
typedef enum WatchdogNumber {
        WATCHDOG_TIMEOUT,
        WATCHDOG_PRETIMEOUT,
        WATCHDOG_TIMELEFT,
        WATCHDOG_MIN_TIMEOUT,
        WATCHDOG_MAX_TIMEOUT,
        WATCHDOG_NOWAYOUT,
        _WATCHDOG_NUMBER_MAX,
        _WATCHDOG_NUMBER_INVALID = -EINVAL,
} WatchdogNumber;

typedef struct Watchdog {
        char device[WATCHDOG_DEVICE_SIZE];     /* "watchdog0", or WATCHDOG_MISC_DEVICE */
        char identity[WATCHDOG_IDENTITY_SIZE]; /* "" = none that can be shown */
        WatchdogState state;
        int64_t numbers[_WATCHDOG_NUMBER_MAX]; /* 0 to WATCHDOG_VALUE_MAXIMUM, or WATCHDOG_ABSENT */
        bool garbled; /* a number that shortens the time there is, is shown and cannot be understood */
} Watchdog;

/* What [Watchdog IDENTITY] says. */
typedef struct WatchdogSettings {
        uint64_t hardware_timeout_usec; /* 0 = nothing */
        bool ignore;
} WatchdogSettings;

typedef enum WatchdogOwner {
        WATCHDOG_OWNER_UNKNOWN, /* some program: sysfs does not tell which */
        WATCHDOG_OWNER_NOBODY,
        WATCHDOG_OWNER_KERNEL,  /* feeds what firmware has started */
        WATCHDOG_OWNER_SYSTEMD, /* PID 1: the only one who can be told to use a longer time-out */
        _WATCHDOG_OWNER_MAX,
        _WATCHDOG_OWNER_INVALID = -EINVAL,
} WatchdogOwner;

typedef enum WatchdogVerdict {
        WATCHDOG_SUFFICIENT, /* outlasts the worst case */
        WATCHDOG_TOO_SHORT,
        WATCHDOG_UNKNOWN,          /* may be too short */
        WATCHDOG_IGNORED,          /* the configuration says so */
        WATCHDOG_NOT_ARMED,        /* "inactive": bites nobody */
        WATCHDOG_OUTLASTS_LEARNED, /* "learned": not the worst case, but what activations have been seen to take */
        _WATCHDOG_VERDICT_MAX,
        _WATCHDOG_VERDICT_INVALID = -EINVAL,
} WatchdogVerdict;

typedef enum WatchdogRemedy {
        WATCHDOG_REMEDY_NONE,    /* nothing needs to be done */
        WATCHDOG_REMEDY_RAISE,   /* its time-out must be raised, and can be */
        WATCHDOG_REMEDY_MEASURE, /* long enough as it is set; only a feeding shows whether the hardware is */
        WATCHDOG_REMEDY_IMPOSSIBLE, /* no time-out that it takes is known to be long enough */
        _WATCHDOG_REMEDY_MAX,
        _WATCHDOG_REMEDY_INVALID = -EINVAL,
} WatchdogRemedy;

/* What a device must outlast, and what is known of it that sysfs does not show. */
typedef struct WatchdogNeed {
        uint64_t worst_usec;   /* the longest stall that an activation may take; UINT64_MAX = no limit */
        uint64_t learned_usec; /* what activations were seen to take, with a margin; 0 = not known */
        bool pinged;           /* the device was read within a second after it was fed */
        bool fed_by_systemd;
} WatchdogNeed;

typedef struct WatchdogJudgement {
        WatchdogOwner owner;
        WatchdogVerdict verdict;
        WatchdogRemedy remedy;
        uint64_t usable_usec;   /* the stall that it outlasts for sure; UINT64_MAX = not known */
        uint64_t need_usec;     /* the stall that it must outlast; UINT64_MAX = no limit */
        uint64_t learned_usec;  /* as in WatchdogNeed */
        uint64_t raise_to_usec; /* the time-out that would do, whole seconds; UINT64_MAX = none */
} WatchdogJudgement;

const char *watchdog_state_to_string(WatchdogState state);
WatchdogState watchdog_state_from_string(const char *text);
const char *watchdog_number_to_string(WatchdogNumber number);
WatchdogNumber watchdog_number_from_string(const char *text);
const char *watchdog_owner_to_string(WatchdogOwner owner);
WatchdogOwner watchdog_owner_from_string(const char *text);
const char *watchdog_verdict_to_string(WatchdogVerdict verdict);
WatchdogVerdict watchdog_verdict_from_string(const char *text);
const char *watchdog_remedy_to_string(WatchdogRemedy remedy);
WatchdogRemedy watchdog_remedy_from_string(const char *text);

/* "watchdog" and a number, as the class names its devices. */
bool watchdog_is_class_device(const char *name);

/* A device of which nothing is known. device: at most WATCHDOG_DEVICE_SIZE - 1 bytes. */
void watchdog_init(Watchdog *watchdog, const char *device);

/* Its name in the configuration: the identity, or the device where there is none. */
const char *watchdog_configured_name(const Watchdog *watchdog);

/* The longest stall that an activation may take with this version of the driver, in µs; UINT64_MAX = no limit, also
 * where the version is not known. */
uint64_t watchdog_need_usec(DriverProfile profile);

/* Judges one device. settings may be NULL. Unless it was read right after it was fed, timeleft is only the least that
 * the hardware holds. */
void watchdog_judge(const Watchdog *watchdog, const WatchdogSettings *settings, const WatchdogNeed *need,
                    WatchdogJudgement *ret);

/* Whether an activation may go on, whatever this device does. */
bool watchdog_is_safe(WatchdogVerdict verdict);

/* Whether the hardware is known to hold that time-out. settings may be NULL. */
bool watchdog_can_hold(const Watchdog *watchdog, const WatchdogSettings *settings, uint64_t timeout_usec);

/* Why, and what must be done: a sentence or two for people, which the caller frees. judgement: of this device with
 * these settings. */
char *watchdog_explain(const Watchdog *watchdog, const WatchdogSettings *settings,
                       const WatchdogJudgement *judgement);

/* "8 s"; the caller frees it. */
char *watchdog_format_span(uint64_t usec);
