/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ends of jobs that the history could not take, as files in the runtime folder. */

#include "daemon/end-file.h"
#include "util/file-io.h"
#include "util/macros.h"

#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

/* Above the longest record. */
#define FILE_SIZE_MAX (16 * 1024)

static char *end_file_name(uint32_t job) {
        return g_strdup_printf("job-%u.end", job);
}

static char *end_file_path(const char *runtime_folder, uint32_t job) {
        g_autofree char *name = end_file_name(job);

        return g_build_filename(runtime_folder, name, NULL);
}

int end_file_write(const char *runtime_folder, uint32_t job, json_object *record) {
        const char *text = json_object_to_json_string_ext(record, JSON_C_TO_STRING_PLAIN);
        _cleanup_close_ int folder_fd = open(runtime_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        g_autofree char *name = end_file_name(job);

        return folder_fd < 0 ? -errno : file_replace(folder_fd, name, text, strlen(text), 0644);
}

json_object *end_file_read(const char *runtime_folder, uint32_t job, const char *guid) {
        g_autofree char *path = end_file_path(runtime_folder, job), *text = g_malloc(FILE_SIZE_MAX);
        ssize_t size = file_read(AT_FDCWD, path, text, FILE_SIZE_MAX);
        json_object *record = size < 0 ? NULL : json_parse_line(text, (size_t) size);
        const char *found;

        if (!record)
                return NULL;
        if (json_get_string(record, "guid", &found) >= 0 && strcmp(found, guid) == 0)
                return record;
        json_object_put(record); /* of a job with this number in another history */
        return NULL;
}

void end_file_remove(const char *runtime_folder, uint32_t job) {
        g_autofree char *path = end_file_path(runtime_folder, job);

        (void) unlink(path);
}
