/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one table of the configuration: sections, keys, defaults, what each takes and what it is for. The
 * reader, the defaults, the shipped file and the manual come from it. */

#include "core/config.h"

#include <stddef.h>

struct ConfigKey {
        ConfigSectionId section;
        const char *name;
        const char *fallback; /* the default, as it is written; "" = none */
        bool list;            /* words; assignments add up, an empty one begins anew */
        /* Reads a value that is not empty into the field at offset of the record (ConfigImage for
         * [Image NAME], WatchdogSettings for [Watchdog NAME], else Config). Returns NULL, or what is wrong as a sentence that the caller frees;
         * the field is untouched then. NULL: what it means shows in the whole only (config-check.h). */
        char *(*parse)(const ConfigKey *key, const char *value, void *field);
        size_t offset, size;
        uint64_t minimum, maximum; /* time spans: µs; sizes: bytes; numbers */
        const char *takes;         /* completes "PollSec= takes ..." */
        const char *doc;           /* plain sentences, for people */
};

typedef struct ConfigSectionType {
        const char *name;
        bool named; /* [Image NAME] and others */
        const char *doc;
} ConfigSectionType;

extern const ConfigSectionType config_section_types[_CONFIG_SECTION_MAX];

/* In the order of the shipped file; a NULL name ends it. */
extern const ConfigKey config_keys[];

/* "PollSec= takes ..., not 'x'; did you mean 'y'?": what is wrong with a value. nearest: NULL = nothing is like it. The
 * caller frees it. */
char *config_fail_value(const ConfigKey *key, const char *value, const char *nearest);

/* config-policy.c: readers of values that are about time and versions. */
char *config_parse_mode(const ConfigKey *key, const char *value, void *field);
char *config_parse_zone(const ConfigKey *key, const char *value, void *field);
char *config_parse_calendar(const ConfigKey *key, const char *value, void *field);
char *config_parse_versions(const ConfigKey *key, const char *value, void *field);
char *config_parse_version(const ConfigKey *key, const char *value, void *field);
char *config_parse_downgrade(const ConfigKey *key, const char *value, void *field);

/* User text for a message: quoted, made printable, cut when it is long. The caller frees it. */
char *config_quote(const char *text);

/* What is wrong with a short name, as a sentence that the caller frees, or NULL. what: how it is called. */
char *config_check_alias(const char *what, const char *alias);
