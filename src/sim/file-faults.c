/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of faults at the file boundary. */

#include "sim/file-faults.h"

#include <string.h>

static const char *const operation_names[_FILE_OPERATION_MAX] = {
        [FILE_OPEN] = "open",
        [FILE_READ] = "read",
        [FILE_WRITE] = "write",
};

FileOperation file_operation_parse(const char *text) {
        for (FileOperation i = 0; i < _FILE_OPERATION_MAX; i++)
                if (strcmp(operation_names[i], text) == 0)
                        return i;
        return _FILE_OPERATION_INVALID;
}

FileFaults *file_faults_new(void) {
        FileFaults *faults = g_new0(FileFaults, 1);

        faults->raw = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
        faults->missing = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        return faults;
}

FileFaults *file_faults_free(FileFaults *faults) {
        if (!faults)
                return NULL;
        g_hash_table_unref(faults->raw);
        g_hash_table_unref(faults->missing);
        g_free(faults);
        return NULL;
}

int file_faults_take(FileFaults *faults, FileOperation operation, SysfsAttribute attribute) {
        uint64_t *left = &faults->errors[operation][attribute].left;

        if (*left == 0)
                return 0;
        if (*left != UINT64_MAX)
                (*left)--;
        return faults->errors[operation][attribute].error;
}

static char *fault_key(const char *guid, SysfsAttribute attribute) {
        return g_strconcat(guid ? guid : "", "/", sysfs_attribute_name(attribute), NULL);
}

void file_faults_set_raw(FileFaults *faults, const char *guid, SysfsAttribute attribute, GBytes *bytes) {
        g_autofree char *key = fault_key(guid, attribute);

        if (bytes)
                g_hash_table_replace(faults->raw, g_steal_pointer(&key), g_bytes_ref(bytes));
        else
                g_hash_table_remove(faults->raw, key);
}

void file_faults_set_missing(FileFaults *faults, const char *guid, SysfsAttribute attribute, bool missing) {
        g_autofree char *key = fault_key(guid, attribute);

        if (missing)
                g_hash_table_add(faults->missing, g_steal_pointer(&key));
        else
                g_hash_table_remove(faults->missing, key);
}

GBytes *file_faults_raw(const FileFaults *faults, const char *guid, SysfsAttribute attribute) {
        g_autofree char *own = fault_key(guid, attribute), *all = fault_key(NULL, attribute);
        GBytes *bytes = g_hash_table_lookup(faults->raw, own);

        return bytes ? bytes : g_hash_table_lookup(faults->raw, all);
}

bool file_faults_is_missing(const FileFaults *faults, const char *guid, SysfsAttribute attribute) {
        g_autofree char *own = fault_key(guid, attribute), *all = fault_key(NULL, attribute);

        return g_hash_table_contains(faults->missing, own) || g_hash_table_contains(faults->missing, all);
}
