/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Faults at the file boundary, which the driver model never sees: an errno instead of an operation, other
 * bytes instead of a value, a file that is not there. */

#include "sim/traits.h"

#include <glib.h>

typedef enum FileOperation {
        FILE_OPEN,
        FILE_READ,
        FILE_WRITE,
        _FILE_OPERATION_MAX,
        _FILE_OPERATION_INVALID = -EINVAL,
} FileOperation;

typedef struct FileFaults {
        struct {
                int error;
                uint64_t left;
        } errors[_FILE_OPERATION_MAX][_ATTRIBUTE_MAX];
        GHashTable *raw;     /* "GUID/attribute" or "/attribute" -> GBytes */
        GHashTable *missing; /* the same keys, a set */
} FileFaults;

FileFaults *file_faults_new(void);
FileFaults *file_faults_free(FileFaults *faults);

FileOperation file_operation_parse(const char *text);

/* The errno the operation shall fail with, counted down; 0 for none. */
int file_faults_take(FileFaults *faults, FileOperation operation, SysfsAttribute attribute);

/* guid NULL: all images; what is said of one image comes first. bytes NULL (a new reference is taken) or
 * missing false take the fault back. */
void file_faults_set_raw(FileFaults *faults, const char *guid, SysfsAttribute attribute, GBytes *bytes);
void file_faults_set_missing(FileFaults *faults, const char *guid, SysfsAttribute attribute, bool missing);

/* Borrowed; NULL when the attribute shows its own value. */
GBytes *file_faults_raw(const FileFaults *faults, const char *guid, SysfsAttribute attribute);
bool file_faults_is_missing(const FileFaults *faults, const char *guid, SysfsAttribute attribute);
