/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Finding and reading the files of a configuration, without understanding them: /usr/lib/lfad/, /run/lfad/
 * and /etc/lfad/, each with lfad.conf and, in lfad.conf.d/, drop-ins whose names end in ".conf". Of
 * lfad.conf the one in the highest folder counts alone; the drop-ins of all folders are merged by name, the
 * higher folder's counts, and they come after it in the order of their names. A link to /dev/null or an
 * empty file hides the same name in lower folders. Source of these rules: the files of systemd's own
 * daemons. All of it may block on a disk. */

#include <glib.h>
#include <stdbool.h>

#define CONFIG_FILE_SIZE_MAX (1024 * 1024)
#define CONFIG_FILES_MAX 1000

typedef struct ConfigFile {
        char *path; /* to show: with the root it was found below, always valid UTF-8 */
        char *text; /* terminated; NULs inside are possible */
        size_t size;
        bool closed; /* its owner and mode keep it from a root without CAP_DAC_READ_SEARCH, as lfad's unit makes it */
} ConfigFile;

/* A file or folder that is there and could not be read. */
typedef struct ConfigFileFailure {
        char *path;
        char *text; /* why, a sentence */
} ConfigFileFailure;

typedef struct ConfigFiles {
        GPtrArray *files;    /* ConfigFile, owned, in the order in which they apply */
        GPtrArray *failures; /* ConfigFileFailure, owned; nothing may be applied unless it is empty */
} ConfigFiles;

/* root: the folder that stands for /; NULL is /. Links are followed as if it were. A folder or file that is
 * not there is no failure, a root that is not there is one. Never NULL. */
ConfigFiles *config_files_load(const char *root);
void *config_files_free(ConfigFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConfigFiles, config_files_free)
