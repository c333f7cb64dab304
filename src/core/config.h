/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The configuration as a record: defaults, then what the files say, strictly. Pure: text in, record out.
 * Whatever is not understood is an error with file and line; all of them are found, not only the first.
 * Sections and keys whose names begin with "X-" are ignored, for other programs to use. */

#include "core/calendar.h"
#include "core/order.h"
#include "core/version-rules.h"
#include "core/watchdog.h"
#include "lfa/enums.h"
#include "util/config-files.h"
#include "util/guid.h"

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_ALIAS_MAX 64
/* More images than any firmware has. */
#define CONFIG_SECTIONS_MAX 4096
/* What is wrong beyond that many problems is not listed. */
#define CONFIG_PROBLEMS_MAX 1000

typedef enum KernelAutoActivate {
        KERNEL_AUTO_OFF,   /* set auto_activate to 0 wherever it is 1 */
        KERNEL_AUTO_LEAVE, /* leave it; an image with 1 is not activated by lfad */
        _KERNEL_AUTO_MAX,
        _KERNEL_AUTO_INVALID = -EINVAL,
} KernelAutoActivate;

const char *kernel_auto_activate_to_string(KernelAutoActivate value);
KernelAutoActivate kernel_auto_activate_from_string(const char *text);

/* Whether all CPUs are stopped together for an activation. */
typedef enum CpuRendezvous {
        RENDEZVOUS_UNTOUCHED, /* force_cpu_rendezvous is left as it is */
        RENDEZVOUS_FORCE,     /* always */
        RENDEZVOUS_FIRMWARE,  /* where firmware demands it (cpu_rendezvous is 1) */
        _RENDEZVOUS_MAX,
        _RENDEZVOUS_INVALID = -EINVAL,
} CpuRendezvous;

/* Whether lfad activates by itself what is pending. */
typedef enum PolicyMode {
        POLICY_INHERITED, /* of an image: as [Policy] says */
        POLICY_MANUAL,
        POLICY_AUTOMATIC,
        _POLICY_MODE_MAX,
        _POLICY_MODE_INVALID = -EINVAL,
} PolicyMode;

const char *policy_mode_to_string(PolicyMode mode);
PolicyMode policy_mode_from_string(const char *text);

typedef enum ConfigSectionId {
        CONFIG_DAEMON,
        CONFIG_DRIVER,
        CONFIG_POLICY,
        CONFIG_WINDOW,   /* [Window NAME], any number of them */
        CONFIG_FREEZE,   /* [Freeze NAME], too */
        CONFIG_IMAGE,    /* [Image NAME], too */
        CONFIG_WATCHDOG, /* [Watchdog IDENTITY], too */
        _CONFIG_SECTION_MAX,
        _CONFIG_SECTION_INVALID = -EINVAL,
} ConfigSectionId;

/* Where something stands. file NULL: nowhere, it is a default. */
typedef struct ConfigOrigin {
        const char *file; /* owned by the Config */
        unsigned line;
} ConfigOrigin;

typedef struct ConfigImage {
        char guid[GUID_STRING_SIZE]; /* directory form */
        char alias[CONFIG_ALIAS_MAX + 1];
        CpuRendezvous rendezvous;
        PolicyMode mode;
        VersionRules rules;
        GPtrArray *windows; /* ConfigSection, weak: those of Windows=; NULL = all there are */
} ConfigImage;

typedef struct WindowMemo WindowMemo;

typedef struct ConfigWindow {
        Calendar *on_calendar; /* when it opens; owned */
        uint64_t duration_usec;
        WindowMemo *memo; /* what was found of it lately (schedule-memo.c); owned */
} ConfigWindow;

/* CLOCK_REALTIME in µs: from_usec belongs to it, until_usec does not. */
typedef struct ConfigFreeze {
        uint64_t from_usec, until_usec;
} ConfigFreeze;

typedef struct ConfigKey ConfigKey;

/* One word of a list, and the assignment that added it. */
typedef struct ConfigWord {
        const char *text; /* owned by the Config */
        ConfigOrigin origin;
} ConfigWord;

/* One key of one section as it came to be; lists have all their words. */
typedef struct ConfigSetting {
        const ConfigKey *key;
        const char *text;
        GArray *words;        /* lists: ConfigWord, in their order; NULL = none */
        ConfigOrigin origin;  /* of the last assignment */
        unsigned file_number; /* of the file that assigned it last, from 1; 0 = none */
} ConfigSetting;

#define CONFIG_SECTION_KEYS_MAX 12

typedef struct ConfigSection {
        ConfigSectionId id;
        const char *name; /* of [Image NAME] and others that have one; else "" */
        ConfigOrigin origin;
        ConfigSetting settings[CONFIG_SECTION_KEYS_MAX];
        unsigned n_settings;
        union {
                ConfigWindow window;       /* of [Window NAME] */
                ConfigFreeze freeze;       /* of [Freeze NAME] */
                ConfigImage image;         /* of [Image NAME] */
                WatchdogSettings watchdog; /* of [Watchdog IDENTITY] */
        };
} ConfigSection;

typedef struct Config {
        uint64_t poll_usec, settle_usec;
        uint64_t inhibit_delay_max_usec;
        uint64_t max_wait_usec, max_need_usec, minimum_interval_usec;
        PolicyMode mode;
        GTimeZone *zone;            /* of TimeZone= as it was when it was read; owned */
        uint64_t history_max_bytes; /* all files together */
        uint32_t quarantine_after;  /* failures of one version */
        uint32_t allowed_profiles;  /* bit mask of DriverProfile, beyond those that are allowed anyway */
        KernelAutoActivate kernel_auto_activate;

        GPtrArray *sections; /* ConfigSection, owned: [Daemon], [Driver], [Policy], then the others as they appeared */
        GHashTable *by_header;        /* header -> ConfigSection, weak */
        GHashTable *by_guid;          /* directory GUID -> ConfigSection of that image, weak */
        GPtrArray *windows, *freezes; /* ConfigSection, weak: those of them that are complete */
        Order *order;                 /* what After= says; without circles when there was no error */
        GStringChunk *strings;        /* all texts */
        unsigned n_files;
} Config;

typedef struct ConfigProblem {
        char *file;    /* "" = none in particular */
        unsigned line; /* 0 = the file as a whole */
        bool warning;
        char *text; /* a sentence, UTF-8 */
} ConfigProblem;

/* The defaults. */
Config *config_new(void);
void *config_free(Config *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)

/* The defaults with all the files applied. ret_problems: ConfigProblem, owned by the array, which the caller
 * unrefs; in the order of files and lines, then what only shows in the whole. Never NULL; of use only when
 * config_first_error(problems) finds none. */
Config *config_read(const ConfigFiles *files, GPtrArray **ret_problems);

/* The first that is no warning, or NULL. */
const ConfigProblem *config_first_error(const GPtrArray *problems);

/* "/etc/lfad/lfad.conf:3: There is no key ..."; the caller frees it. */
char *config_problem_format(const ConfigProblem *problem);

/* Takes the zone that TimeZone= names as the host has it now, which matters for "local", and moves the freezes with it.
 * A freeze that is none there keeps its times. Returns false, and changes nothing, when that is no zone. */
bool config_reload_zone(Config *config);

/* How it is called: "Europe/Berlin", also where TimeZone= says "local". Borrowed. */
const char *config_zone_name(const Config *config);
bool config_zone_is_local(const Config *config);

/* What is no mistake, but looks like one at this moment (CLOCK_REALTIME): windows and freezes in the past, and days within
 * the next two years on which a window does not open since clocks are set forward. Adds warnings to problems. */
void config_check_times(const Config *config, uint64_t now_usec, GPtrArray *problems);

/* Whether lfad activates this image by itself, and by which rules anybody does; NULL = none. guid: the directory's. */
PolicyMode config_find_mode(const Config *config, const char *guid);
bool config_has_automatic(const Config *config); /* of any image, perhaps of one that is not there */
const VersionRules *config_find_version_rules(const Config *config, const char *guid);

/* The short name that the configuration gives to the image with this directory GUID, or NULL. */
const char *config_find_alias(const Config *config, const char *guid);

/* What the configuration wants for the image with this directory GUID. */
CpuRendezvous config_find_rendezvous(const Config *config, const char *guid);

/* What the configuration says of the watchdog with this watchdog_configured_name, or NULL. */
const WatchdogSettings *config_find_watchdog(const Config *config, const char *name);

/* The same, of a device; config: a Config. For watchdog_plan_new. */
const WatchdogSettings *config_watchdog_settings(const Watchdog *watchdog, const void *config);
